"""Rules: what an operator wants of queries that no slot is needed for."""
