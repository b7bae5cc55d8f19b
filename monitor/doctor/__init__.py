"""What `doctor` finds, and the hints that `check` gives."""
