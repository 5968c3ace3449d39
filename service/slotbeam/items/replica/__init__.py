"""The replica's side of live items: follow the feed, keep the last good of it, hand on what changed."""
