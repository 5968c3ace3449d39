"""A replica: follows the store, compiles what it reads, keeps the last good of it."""
