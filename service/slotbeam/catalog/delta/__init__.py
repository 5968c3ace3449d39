"""What live edits add to an index: rows behind its own, and one catalog over both. `catalog.py` is the tour."""
