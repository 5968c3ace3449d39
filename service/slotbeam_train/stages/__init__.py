"""The four stages: what they read, their tasks, one loop."""
