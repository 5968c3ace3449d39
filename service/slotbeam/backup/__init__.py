"""Backups of the store: bindings, edited items and which index is active, as one file (docs/backup.md)."""
