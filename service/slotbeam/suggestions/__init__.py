"""Suggestions: unknown words that queries suddenly ask for."""
