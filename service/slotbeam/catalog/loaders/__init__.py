"""Catalogs and logs from files: `CatalogReader` streams a catalog, `read_data` holds all that training reads.

A path is a file (`.jsonl`, `.csv`, `.tsv`, each also `.gz` or `.xz`; `.parquet`) or a directory that holds the usual
names. Without `format` the first row decides. Everything that is wrong with a file is told at once, when it has been
read to its end.
"""

from slotbeam.catalog.loaders.data import Data, Report, check_data, load_catalog, load_log, read_data
from slotbeam.catalog.loaders.formats import FORMATS, MAPPED
from slotbeam.catalog.loaders.reader import CatalogReader
from slotbeam.catalog.loaders.source import SourcedItem

__all__ = [
    "FORMATS",
    "MAPPED",
    "CatalogReader",
    "Data",
    "Report",
    "SourcedItem",
    "check_data",
    "load_catalog",
    "load_log",
    "read_data",
]
