"""From words heard to the text of an answer: formats, deltas, usage, and what a fault does to the words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NamedTuple

import orjson

from monitor.sandbox.common.multipart import Form
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.model_abilities import abilities

OTHER_WORDS = "Thank you for watching and see you in the next video."
OTHER_LANGUAGE = ("Er", "hätte", "sogar", "selbst", "liebenswürdig", "werden", "können.")
PROMPT = "Transcribe the audio exactly and keep the punctuation."
ODD_TEXT = (
    "\u05e9\u05dc\u05d5\u05dd",  # right to left
    "\u202eabc",
    "e\u0301\u0301\u0301",  # combining marks
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # one emoji of three
    "nul\x00here",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
)
AUDIO_TOKENS_A_SECOND = 10
LETTERS_A_TOKEN = 4
SEGMENT = "seg_001"


class Spoken(NamedTuple):
    """What is to be answered: words, seconds of audio, and the model that heard them."""

    words: tuple[str, ...]
    seconds: float
    model: str

    @property
    def text(self) -> str:
        """The words as one line."""
        return " ".join(self.words)


_ALTERED: Mapping[str, Callable[[tuple[str, ...]], tuple[str, ...]]] = {
    "empty": lambda _words: (),
    "whitespace": lambda _words: ("", "", "", ""),
    "punctuation": lambda _words: ("...", ",", "?", "!"),
    "truncated": lambda words: words[: len(words) // 2],
    "loop": lambda words: words * 20,
    "other_language": lambda _words: OTHER_LANGUAGE,
    "hallucination": lambda words: words or tuple(OTHER_WORDS.split()),
    "unicode": lambda _words: ODD_TEXT,
}


def altered(
    words: tuple[str, ...], fault: ActiveFault | None, *, prompt: str = "", before: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The words that *fault* makes of what was heard; *before* are those of the last audio that was heard."""
    match fault.fault if fault else "":
        case "wrong" if fault is not None:
            return tuple(str(fault.extras.get("text", OTHER_WORDS)).split())
        case "previous_clip":
            return before or words
        case "prompt_leak":
            return (*(prompt or PROMPT).split(), *words)
        case name:
            return _ALTERED[name](words) if name in _ALTERED else words


def deltas(words: tuple[str, ...]) -> list[str]:
    """The words as incremental pieces, which joined give the text."""
    return [word if number == 0 else f" {word}" for number, word in enumerate(words)]


def upload_usage(spoken: Spoken, *, streamed: bool = False) -> dict[str, Any]:
    """Return the `usage` of an upload: seconds or tokens, by model; a streamed answer counts tokens only.

    The final event's `usage` has no form in seconds (openai-python, `TranscriptionTextDoneEvent`).
    """
    if abilities(spoken.model).by_duration and not streamed:
        return _duration(spoken)
    heard, said = _tokens(spoken)
    details = {"text_tokens": 0, "audio_tokens": heard}
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": details,
        "output_tokens": said,
        "total_tokens": heard + said,
    }


def item_usage(spoken: Spoken) -> dict[str, Any]:
    """The `usage` of a completed event, in the field order of the live service."""
    if abilities(spoken.model).by_duration:
        return _duration(spoken)
    heard, said = _tokens(spoken)
    return {
        "type": "tokens",
        "total_tokens": heard + said,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": said,
    }


def _duration(spoken: Spoken) -> dict[str, Any]:
    return {"type": "duration", "seconds": ceil(spoken.seconds)}


def _tokens(spoken: Spoken) -> tuple[int, int]:
    return ceil(spoken.seconds * AUDIO_TOKENS_A_SECOND), ceil(len(spoken.text) / LETTERS_A_TOKEN)


def rendered(spoken: Spoken, form_of_answer: str, form: Form) -> tuple[str, bytes]:
    """Media type and body of an upload's answer in the wanted `response_format`."""
    match form_of_answer:
        case "text":
            return "text/plain; charset=utf-8", f"{spoken.text}\n".encode()
        case "srt":
            return "text/plain; charset=utf-8", f"1\n{_span(spoken, ',')}\n{spoken.text}\n\n".encode()
        case "vtt":
            return "text/vtt; charset=utf-8", f"WEBVTT\n\n{_span(spoken, '.')}\n{spoken.text}\n\n".encode()
        case "verbose_json":
            return "application/json", orjson.dumps(_verbose(spoken, form))
        case "diarized_json":
            return "application/json", orjson.dumps(_diarized(spoken))
        case _:
            return "application/json", orjson.dumps(_plain(spoken, form))


def _plain(spoken: Spoken, form: Form) -> dict[str, Any]:
    answer: dict[str, Any] = {"text": spoken.text}
    if "logprobs" in form.fields.get("include[]", ()):
        answer["logprobs"] = logprobs(spoken.words)
    if abilities(spoken.model).names_languages:
        answer["languages"] = [{"code": form.text("language") or "en"}]
    return answer | {"usage": upload_usage(spoken)}


def logprobs(words: tuple[str, ...]) -> list[dict[str, Any]]:
    """A token list with made-up, high probabilities."""
    return [{"token": piece, "logprob": -0.002, "bytes": list(piece.encode())} for piece in deltas(words)]


def _verbose(spoken: Spoken, form: Form) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": "english",  # a name, not a code
        "duration": round(spoken.seconds, 2),
        "text": spoken.text,
    }
    wanted = form.fields.get("timestamp_granularities[]", ("segment",))
    if "segment" in wanted:
        answer["segments"] = [_segment(spoken)] if spoken.words else []
    if "word" in wanted:
        answer["words"] = _timed_words(spoken)
    return answer | {"usage": _duration(spoken)}


def _segment(spoken: Spoken) -> dict[str, Any]:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": round(spoken.seconds, 2),
        "text": f" {spoken.text}",
        "tokens": [50364, 440, 1702, 50544],
        "temperature": 0.0,
        "avg_logprob": -0.21,
        "compression_ratio": 0.93,
        "no_speech_prob": 0.004,
    }


def _timed_words(spoken: Spoken) -> list[dict[str, Any]]:
    share = spoken.seconds / max(1, len(spoken.words))
    return [
        {"word": word.strip(".,"), "start": round(number * share, 2), "end": round((number + 1) * share, 2)}
        for number, word in enumerate(spoken.words)
    ]


def segment(spoken: Spoken) -> dict[str, Any]:
    """What one speaker said, as diarized answers show it; here one speaker says everything."""
    return {
        "type": "transcript.text.segment",
        "id": SEGMENT,
        "start": 0.0,
        "end": round(spoken.seconds, 2),
        "text": spoken.text,
        "speaker": "A",
    }


def _diarized(spoken: Spoken) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "duration": round(spoken.seconds, 2),
        "text": spoken.text,
        "segments": [segment(spoken)] if spoken.words else [],
        "usage": _duration(spoken),
    }


def _span(spoken: Spoken, point: str) -> str:
    minutes, seconds = divmod(spoken.seconds, 60)
    end = f"00:{int(minutes):02d}:{seconds:06.3f}".replace(".", point)
    return f"00:00:00{point}000 --> {end}"
