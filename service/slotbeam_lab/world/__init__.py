"""The synthetic world: a catalog and 31 days of searches, made from a seed, of any size, in flat memory.

lexicon     what the catalog writes and what users type instead
attributes  item number → its words                     (a pure function)
texts       words → title, description, row
traffic     users, sessions, needs, what is shown and chosen
typist      needs → query texts
planting    new words that appear only on the last day
make        everything → files
"""

from slotbeam_lab.world.make import make_world
from slotbeam_lab.world.options import DAYS, WorldOptions, generator_hash

__all__ = ["DAYS", "WorldOptions", "generator_hash", "make_world"]
