"""The items of the store: keys, atomic reads, commits."""
