"""Metrics, baselines, reports, benchmarks."""
