"""Keyword-Aligned Encoding: text → canonical text → matches → one slot per position (paper section 1)."""
