"""Live items: records, their feed, commits, and a replica that knows which items changed."""
