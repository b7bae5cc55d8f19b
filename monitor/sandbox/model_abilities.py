"""What each model can do, as data: the restrictions of the vendors' documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a transcription model takes and gives."""

    formats: tuple[str, ...] = ("json", "text")
    streams: bool = True  # server-sent events on uploads
    logprobs: bool = False
    uploads: bool = True  # False: sessions only
    live: bool = False  # transcribes while audio arrives, takes no turn detection
    by_duration: bool = False  # usage counts seconds, not tokens
    names_languages: bool = False  # takes `languages` and `keywords`, answers with `languages`
    partials: bool = True
    prompt: bool = True
    diarizes: bool = False  # says who speaks


ABILITIES: Mapping[str, Abilities] = {
    "whisper-1": Abilities(formats=TEXT_FORMATS, streams=False, by_duration=True, partials=False),
    "gpt-4o-transcribe": Abilities(logprobs=True),
    "gpt-4o-mini-transcribe": Abilities(logprobs=True),
    "gpt-4o-mini-transcribe-2025-12-15": Abilities(logprobs=True),
    "gpt-4o-transcribe-diarize": Abilities(
        formats=("json", "text", "diarized_json"), prompt=False, diarizes=True
    ),
    "gpt-transcribe": Abilities(formats=("json",), by_duration=True, names_languages=True),
    "gpt-live-transcribe": Abilities(live=True, uploads=False, by_duration=True, names_languages=True),
    "gpt-realtime-whisper": Abilities(live=True, uploads=False, by_duration=True, prompt=False),
}
UNKNOWN = Abilities()
# The days on which OpenAI ends models, hosts of sessions too (announced 2026-08-26).
ENDS: Mapping[str, str] = {
    "whisper-1": "2027-02-26",
    "gpt-4o-transcribe": "2027-02-26",
    "gpt-4o-mini-transcribe": "2027-02-26",
    "gpt-4o-mini-transcribe-2025-12-15": "2027-02-26",
    "gpt-4o-transcribe-diarize": "2027-02-26",
    "gpt-realtime": "2027-01-20",
    "gpt-realtime-mini": "2027-01-20",
}
# The api-versions of Azure OpenAI's dated addresses that serve audio (Azure OpenAI REST API reference and its
# changelog); any other is answered like an unknown path.
DATED_VERSIONS = frozenset(
    {
        "2024-02-01",
        "2024-06-01",
        "2024-10-21",
        "2024-07-01-preview",
        "2024-08-01-preview",
        "2024-09-01-preview",
        "2024-10-01-preview",
        "2024-12-01-preview",
        "2024-12-17",
        "2025-01-01-preview",
        "2025-02-01-preview",
        "2025-03-01-preview",
        "2025-04-01-preview",
    }
)
WITH_DELAY = ("gpt-live-transcribe", "gpt-realtime-whisper")


def abilities(model: str) -> Abilities:
    """What *model* (not its deployment) can do; a model nobody knows behaves like gpt-4o-transcribe."""
    return ABILITIES.get(model, UNKNOWN)
