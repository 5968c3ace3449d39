"""Items: their schema, loaders, the synthetic world, and the table SID → items."""
