"""World 2: the second synthetic world, harder where systems differ; files, schemas and randomness are world 1's.

source    the hand-written words: departments.toml, words.toml
lexicon   what the catalog writes and what users type instead
products  item number → its words, what its seller claims, its days     (a pure function)
texts     words → title, description, row
traffic   users, sessions, needs, what is shown and chosen
typist    needs → query texts
planting  new words that appear only on the last day, and noise
make      everything → files
"""

from slotbeam_lab.world2.make import make_world2
from slotbeam_lab.world2.options import World2Options, generator_hash

__all__ = ["World2Options", "generator_hash", "make_world2"]
