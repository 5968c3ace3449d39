"""Explicit recovery: where bindings can come back from, and how."""
