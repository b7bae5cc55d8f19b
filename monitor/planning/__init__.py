"""What `validate` prints: runs, costs, detection times, blind spots."""
