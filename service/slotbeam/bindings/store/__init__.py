"""The bindings store: keys, atomic reads, scripts, commits."""
