"""Names that stand for what a person would write: in the schema's examples, in messages and in drills."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.providers import PROVIDERS, Provider

SAMPLE_PROVIDER: Provider = PROVIDERS["azure_openai"]
SAMPLE_ENDPOINT = "azure-sweden"
SAMPLE_SCOPE = "https://cognitiveservices.azure.com/.default"
SAMPLE_HEADERS = {"x-portkey-provider": "openai"}
SAMPLE_PATHWAYS = ("rest", "realtime")
# The reference day: what failed, and two of what passed meanwhile; model and pathway.
SAMPLE_FAILURE = ("gpt-4o-transcribe", "realtime")
SAMPLE_CONTROLS: Sequence[tuple[str, str]] = (("gpt-4o-transcribe", "rest"), ("whisper-1", "realtime"))
