"""A catalog encoded by a model: the index. `build.py` is the tour. Knows no PyTorch."""
