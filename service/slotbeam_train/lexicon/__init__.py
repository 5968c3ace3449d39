"""From items (and, where there is a log, queries) to the whole encoding: dictionary, codebook, importance table."""

from slotbeam_train.lexicon.absorb import (
    Absorbed,
    absorbed_facts,
    bindings_to_absorb,
    carry,
    read_absorbed,
    with_items,
    write_absorbed,
)
from slotbeam_train.lexicon.behaviour import behaviour_of
from slotbeam_train.lexicon.build import GroupedKae, build_kae, build_with_grouping
from slotbeam_train.lexicon.options import KaeOptions
from slotbeam_train.lexicon.plot import plot_losses
from slotbeam_train.lexicon.quality import Quality, measure

__all__ = [
    "Absorbed",
    "GroupedKae",
    "KaeOptions",
    "Quality",
    "absorbed_facts",
    "behaviour_of",
    "bindings_to_absorb",
    "build_kae",
    "build_with_grouping",
    "carry",
    "measure",
    "plot_losses",
    "read_absorbed",
    "with_items",
    "write_absorbed",
]
