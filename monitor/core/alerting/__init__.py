"""Which notices are owed, what they say, and when a failed one is sent again."""
