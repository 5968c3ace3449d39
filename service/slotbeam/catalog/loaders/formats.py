"""What a row looks like, and how its first one shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slotbeam.catalog.loaders.files import FEEDS
from slotbeam.catalog.loaders.rows import first_row

MAPPED = ("icecat", "kuaisearch", "shopify", "google")
"""Formats that `catalog/mappings` has a mapping file for."""
FORMATS = ("jsonl", "parquet", "csv", "world", *MAPPED)
"""What a row looks like: all but `MAPPED` are the documented schema. What holds the rows (JSON lines, a table, Parquet)
a file's name says."""
ITEM_SIGNS = {"item_title": "kuaisearch", "attrs": "icecat", "Handle": "shopify", "image_link": "google"}
LOG_SIGNS = {"clicked_item_ids": "kuaisearch", "target_item_id": "kuaisearch"}


def format_of(file: Path, signs: Mapping[str, str]) -> str:
    """Return the format that a key of the first good row is the sign of; the documented schema where none is.

    What is XML is a feed of Google Merchant.
    """
    if file.name.endswith(FEEDS):
        return "google"
    row = first_row(file)
    return next((format for key, format in signs.items() if key in row), "jsonl")
