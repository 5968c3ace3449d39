"""Queries with known answers, metrics, and the tables made of them."""
