"""From the policy to serving graphs, weights of the item score, a whole artifact."""
