"""The demo: a practice provider, a recorded day of outage, and live checks, without key or account."""
