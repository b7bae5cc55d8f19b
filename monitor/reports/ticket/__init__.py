"""The ticket summary for a provider's support."""
