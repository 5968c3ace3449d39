"""Quality and cost of one model's index against the size of its catalog, beside engines that need no model."""
