"""HTTP: data plane, control plane, errors, metrics."""
