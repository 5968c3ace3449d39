"""The policy in PyTorch, and what its batches are scored by."""
