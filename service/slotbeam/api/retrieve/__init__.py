"""The data plane: searches and events."""
