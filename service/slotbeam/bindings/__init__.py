"""Live edits: words bound to reserved slots, their store, and how replicas follow it."""
