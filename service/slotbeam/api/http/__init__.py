"""What both planes are made of: guard, bodies, problems, probes, the OpenAPI document."""
