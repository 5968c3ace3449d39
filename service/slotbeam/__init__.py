"""slotbeam: editable generative retrieval for e-commerce search."""

__version__ = "0.9.0"
