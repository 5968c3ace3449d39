"""Catalog and logs → artifact. The only package, with eval, that imports torch."""
