"""Numbers that pages show: lanes, latency, routing advice."""
