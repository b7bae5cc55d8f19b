"""What a report about one incident is made from."""
