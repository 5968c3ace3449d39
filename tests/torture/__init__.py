"""Faults on purpose: real store servers, a network that fails, power cuts, and what must hold all the same."""
