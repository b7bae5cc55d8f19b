"""What Azure AI Speech answers, as JSON-ready values: statuses, phrases, offsets in ticks of 100 ns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.sandbox.faults.active import ActiveFault

TICKS_A_MS = 10_000
CONFIDENCE = 0.957

STATUSES: Mapping[str, str] = {
    "no_match": "NoMatch",
    "initial_silence": "InitialSilenceTimeout",
    "babble": "BabbleTimeout",
    "recognition_error": "Error",
    "too_many_requests": "TooManyRequests",
    "bad_request": "BadRequest",
    "forbidden": "Forbidden",
}


def status_of(words: tuple[str, ...], fault: ActiveFault | None, *, spoken: bool) -> str:
    """The `RecognitionStatus` of a stretch of audio; *spoken* where it holds more than silence."""
    if fault is not None and fault.fault in STATUSES:
        return STATUSES[fault.fault]
    if words or (fault is not None and fault.fault == "empty"):
        return "Success"
    return "NoMatch" if spoken else "InitialSilenceTimeout"


def phrase(
    words: tuple[str, ...], status: str, begin_ms: float, length_ms: float, *, detailed: bool
) -> dict[str, Any]:
    """A recognised phrase in the simple or the detailed format."""
    times = {"Offset": ticks(begin_ms), "Duration": ticks(length_ms)}
    if status != "Success":
        return {"RecognitionStatus": status, **times}
    display = " ".join(words)
    if not detailed:
        return {"RecognitionStatus": status, "DisplayText": display, **times}
    plain = lexical(words)
    best = {"Confidence": CONFIDENCE, "Lexical": plain, "ITN": plain, "MaskedITN": plain, "Display": display}
    return {"RecognitionStatus": status, **times, "NBest": [best]}


def lexical(words: tuple[str, ...]) -> str:
    """The words in lower case and without punctuation, as hypotheses show them."""
    return " ".join(word.strip('.,;:!?"').lower() for word in words)


def ticks(milliseconds: float) -> int:
    """Milliseconds as ticks of 100 ns."""
    return round(milliseconds * TICKS_A_MS)


def fast_answer(words: tuple[str, ...], seconds: float, locale: str) -> dict[str, Any]:
    """The answer of fast transcription."""
    whole, text = round(seconds * 1000), " ".join(words)
    share = whole // max(1, len(words))
    timed = [
        {"text": word.strip(".,;:!?"), "offsetMilliseconds": number * share, "durationMilliseconds": share}
        for number, word in enumerate(words)
    ]
    found = {
        "offsetMilliseconds": 0,
        "durationMilliseconds": whole,
        "text": text,
        "words": timed,
        "locale": locale,
        "confidence": CONFIDENCE,
    }
    return {
        "durationMilliseconds": whole,
        "combinedPhrases": [{"text": text}],
        "phrases": [found] if words else [],
    }
