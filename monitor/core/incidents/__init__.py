"""The incident: its life, its timeline, its JSON, and its derivation from stored outcomes."""
