"""Beam search that draws its candidates from a trie."""
