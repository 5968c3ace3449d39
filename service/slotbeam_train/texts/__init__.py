"""Text vectors: what a teacher knows of texts, distilled into a table that serving can afford."""
