"""From items (and, where there is a log, queries) to the whole encoding: dictionary, codebook, importance table."""

from slotbeam.train.lexicon.build import build_kae
from slotbeam.train.lexicon.options import KaeOptions

__all__ = ["KaeOptions", "build_kae"]
