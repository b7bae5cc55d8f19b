"""When to run, how often, and for how much."""
