"""What a client may ask of a session and of a response, field by field, in each dialect.

A field of the other dialect is refused, as the live service does. Nothing is stored or sent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.sandbox.common import json_checks
from monitor.sandbox.common.json_checks import (
    Check,
    anything,
    choice,
    flag,
    integer,
    listing,
    number,
    or_null,
    table,
    text,
)
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.common.session_kind import Dialect, Purpose

INCLUDABLE = "item.input_audio_transcription.logprobs"
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
FLAT_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}


_pcm = table({"type": anything, "rate": integer(24_000, 24_000)}, "type")


_g711 = table({"type": anything}, "type")


_format = json_checks.by_type({"audio/pcm": _pcm, "audio/pcmu": _g711, "audio/pcma": _g711})


def _languages(value: Any, path: str) -> Complaint | None:
    if value == []:
        return Complaint("invalid_value", f"Invalid '{path}': empty array. Leave it out instead.", path)
    return listing(text)(value, path)


_transcription = table(
    {
        "model": text,
        "language": or_null(text),
        "languages": _languages,
        "keywords": listing(text),
        "prompt": or_null(text),
        "delay": choice("minimal", "low", "medium", "high", "xhigh"),
    }
)


_noise = or_null(table({"type": choice("near_field", "far_field")}, "type"))


_include = or_null(listing(choice(INCLUDABLE)))


def _turns(*, answering: bool) -> Check:
    extra: dict[str, Check] = {"create_response": flag, "interrupt_response": flag} if answering else {}
    idle: dict[str, Check] = {"idle_timeout_ms": or_null(integer(5000, 30_000))} if answering else {}
    server: dict[str, Check] = {
        "type": anything,
        "threshold": number(0, 1),
        "prefix_padding_ms": integer(0, 5000),
        "silence_duration_ms": integer(0, 10_000),
    }
    semantic: dict[str, Check] = {"type": anything, "eagerness": choice("low", "medium", "high", "auto")}
    kinds = {"server_vad": table({**server, **extra, **idle}), "semantic_vad": table({**semantic, **extra})}
    return or_null(json_checks.by_type(kinds))


def _input(*, answering: bool) -> Check:
    return table(
        {
            "format": _format,
            "transcription": or_null(_transcription),
            "noise_reduction": _noise,
            "turn_detection": _turns(answering=answering),
        }
    )


_tokens_limit: Check = lambda value, path: None if value == "inf" else integer(1, 4096)(value, path)  # noqa: E731


_tools: dict[str, Check] = {"tools": listing(anything), "tool_choice": anything}


def _voice(value: Any, path: str) -> Complaint | None:
    """A voice of the service by name, or one of the customer's own as an object."""
    return None if isinstance(value, dict) else choice(*VOICES)(value, path)


_output = table({"format": _format, "voice": _voice, "speed": number(0.25, 1.5)})


def _modalities(value: Any, path: str) -> Complaint | None:
    if value in (["text"], ["audio"]):
        return None
    shown = str(value)[: json_checks.LONGEST_SHOWN]
    message = f"Invalid modalities: {shown}. Supported combinations are: ['text'] and ['audio']."
    return Complaint("invalid_value", message, path)


def _preview_modalities(value: Any, path: str) -> Complaint | None:
    if isinstance(value, list) and sorted(map(str, value)) in (["text"], ["audio", "text"]):
        return None
    shown = str(value)[: json_checks.LONGEST_SHOWN]
    message = f"Invalid modalities: {shown}. Supported combinations are: ['text'] and ['audio', 'text']."
    return Complaint("invalid_value", message, path)


CHECKS: Mapping[tuple[Dialect, Purpose], Check] = {
    ("ga", "transcription"): table(
        {"type": anything, "audio": table({"input": _input(answering=False)}), "include": _include}, "type"
    ),
    ("ga", "realtime"): table(
        {
            "type": anything,
            "model": text,
            "output_modalities": _modalities,
            "instructions": text,
            "audio": table({"input": _input(answering=True), "output": _output}),
            "max_output_tokens": _tokens_limit,
            "tracing": anything,
            "truncation": anything,
            "prompt": anything,
            "reasoning": anything,
            "parallel_tool_calls": flag,
            "include": _include,
            **_tools,
        },
        "type",
    ),
    ("preview", "transcription"): table(
        {
            "input_audio_format": choice(*FLAT_FORMATS),
            "input_audio_transcription": or_null(_transcription),
            "input_audio_noise_reduction": _noise,
            "turn_detection": _turns(answering=False),
            "include": _include,
        }
    ),
    ("preview", "realtime"): table(
        {
            "modalities": _preview_modalities,
            "instructions": text,
            "voice": choice(*VOICES),
            "input_audio_format": choice(*FLAT_FORMATS),
            "output_audio_format": choice(*FLAT_FORMATS),
            "input_audio_transcription": or_null(_transcription),
            "input_audio_noise_reduction": _noise,
            "turn_detection": _turns(answering=True),
            "temperature": number(0.6, 1.2),
            "max_response_output_tokens": _tokens_limit,
            "speed": number(0.25, 1.5),
            "tracing": anything,
            **_tools,
        }
    ),
}

_RESPONSES: Mapping[Dialect, Check] = {
    "ga": table(
        {
            "output_modalities": _modalities,
            "instructions": text,
            "audio": table({"output": _output}),
            "max_output_tokens": _tokens_limit,
            "conversation": choice("auto", "none"),
            "metadata": anything,
            "input": listing(anything),
            "prompt": anything,
            "parallel_tool_calls": flag,
            "reasoning": anything,
            **_tools,
        }
    ),
    "preview": table(
        {
            "modalities": _preview_modalities,
            "instructions": text,
            "voice": choice(*VOICES),
            "output_audio_format": choice(*FLAT_FORMATS),
            "temperature": number(0.6, 1.2),
            "max_response_output_tokens": _tokens_limit,
            "conversation": choice("auto", "none"),
            "metadata": anything,
            "input": listing(anything),
            **_tools,
        }
    ),
}


def check_response(dialect: Dialect) -> Check:
    """The check of what a `response.create` asks for."""
    return _RESPONSES[dialect]
