"""observe → record → deliver: the order of events, and nothing else."""
