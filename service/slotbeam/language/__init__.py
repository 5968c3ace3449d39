"""Text as people type it: one normaliser, where words end, and which spellings are one word."""
