"""Edits: what an operator wants, checked and planned in full before anything is written."""
