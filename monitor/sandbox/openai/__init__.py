"""The protocols of OpenAI and Azure OpenAI."""
