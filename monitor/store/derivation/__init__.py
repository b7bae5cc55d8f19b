"""What derivation asks of stored outcomes."""
