"""The protocols of Azure AI Speech."""
