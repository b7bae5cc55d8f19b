"""What differs between the dialects of realtime sessions, as data; who asks what when stands elsewhere.

`ga` is the rule and `preview` differs in the shape of the update alone; the others are what servers that
call themselves compatible were seen to speak, and only in sessions that transcribe.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.core.model import Target
from monitor.providers.provider import deployment_name

Update = Mapping[str, Any]
COMMIT = json.dumps({"type": "input_audio_buffer.commit", "event_id": "commit-1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way to hold a session.

    `update` makes the configuring event, where it is not that of the pathway; `answers` says that the
    server confirms it; `begin` goes out before the audio and `end` after it; `commits` says that the
    server names the item it makes of the audio; `forgives` that an `error` naming none of our events
    may be about something else; `listens` that its voice detection cannot be turned off, so that it and
    not the client ends the turn, whatever the target asks for; `detects_turns` that it has one at all.
    `sample_rate` is the rate it takes, where that is not the usual one. `converses` says that there are
    sessions with a speech model, `mints` that a session can be opened with a client secret.
    """

    update: Callable[[Target], Update] | None = None
    answers: bool = True
    begin: tuple[str, ...] = ()
    end: str = COMMIT
    commits: bool = True
    forgives: bool = True
    listens: bool = False
    detects_turns: bool = True
    sample_rate: int | None = None
    converses: bool = False
    mints: bool = False


def vllm_update(target: Target) -> Update:
    """The model on the top level; there is no session object."""
    return {"type": "session.update", "model": deployment_name(target)}


def qwen_update(target: Target) -> Update:
    """Flat, with the rate in a key of its own; the model stands in the address."""
    session: dict[str, Any] = {
        "modalities": ["text"],
        "input_audio_format": "pcm",
        "sample_rate": target.endpoint.sample_rate,
        "input_audio_transcription": {"language": target.language} if target.language else {},
        "turn_detection": None,
    }
    if target.turn == "server_vad":
        session["turn_detection"] = {"type": "server_vad", "silence_duration_ms": 500}
    return {"type": "session.update", "event_id": "cfg-1", "session": session}


def together_update(target: Target) -> Update:
    """Voice detection by an event that is called like its answer; model and rate stand in the address."""
    turn = {"type": "server_vad", "silence_duration_ms": 500} if target.turn == "server_vad" else None
    return {"type": "transcription_session.updated", "session": {"turn_detection": turn}}


def speaches_update(target: Target) -> Update:
    """Flat, and only what speaches lets be set: it refuses a format, a padding and no voice detection."""
    transcription = {"model": deployment_name(target)}
    if target.language:
        transcription["language"] = target.language
    turn = {"type": "server_vad", "silence_duration_ms": 500, "create_response": False}
    session = {"input_audio_transcription": transcription, "turn_detection": turn}
    return {"type": "session.update", "event_id": "cfg-1", "session": session}


DIALECTS: Mapping[str, Dialect] = {
    "ga": Dialect(converses=True, mints=True),
    "preview": Dialect(converses=True),
    "vllm": Dialect(
        update=vllm_update,
        answers=False,
        begin=('{"type":"input_audio_buffer.commit"}',),  # starts the generation
        end='{"type":"input_audio_buffer.commit","final":true}',
        commits=False,
        forgives=False,
        detects_turns=False,
        sample_rate=16_000,
    ),
    "qwen": Dialect(update=qwen_update, commits=False, sample_rate=16_000),
    "together": Dialect(update=together_update, sample_rate=16_000),
    "speaches": Dialect(update=speaches_update, listens=True),
}
