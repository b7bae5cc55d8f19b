"""What a session is set to: the object that `session.created` and `session.updated` show, and its changes.

Nothing is sent from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from monitor.sandbox.common import json_checks
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.common.script import ServedEndpoint
from monitor.sandbox.common.session_kind import Dialect, Purpose
from monitor.sandbox.model_abilities import ABILITIES, WITH_DELAY, abilities
from monitor.sandbox.openai.validation import CHECKS, FLAT_FORMATS, INCLUDABLE

_INSTRUCTIONS = "Default instructions of the service."
_VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
_ANSWERING = {"create_response": True, "interrupt_response": True}


class Identity(NamedTuple):
    """What a session is from its first moment."""

    id: str
    dialect: Dialect
    purpose: Purpose
    host: str | None  # the speech model of a conversation
    expires_at: int


class SessionSettings:
    """The settings of one session; a change is taken as a whole or not at all."""

    def __init__(self, identity: Identity, endpoint: ServedEndpoint) -> None:
        self._identity = identity
        self._endpoint = endpoint
        self.shown = _first(identity)

    def change(self, patch: Any, *, keeps_voice: bool = False) -> Complaint | None:
        """Takes the `session` of an update; the complaint where it is refused, and then nothing changed.

        *keeps_voice*: somebody was spoken to already, and the voice is no longer to be changed.
        """
        identity = self._identity
        complaint = _mismatch(patch, identity) or CHECKS[identity.dialect, identity.purpose](patch, "session")
        if complaint:
            return complaint
        changed = deepcopy(self.shown)
        (_merge_nested if identity.dialect == "ga" else _merge_flat)(changed, patch)
        before, self.shown = self.shown, changed
        complaint = self._contradiction(patch)
        if keeps_voice and _voice(before) != _voice(changed):
            message = "Cannot update a conversation's voice if assistant audio is present."
            complaint = Complaint("cannot_update_voice", message)
        if complaint:
            self.shown = before
        return complaint

    def _contradiction(self, patch: Mapping[str, Any]) -> Complaint | None:
        if patch.get("model", self._identity.host) != self._identity.host:
            return Complaint("invalid_parameter", "The session's model cannot be changed.", "session.model")
        if self.transcription is None:
            return None
        is_ga = self._identity.dialect == "ga"
        asked = patch.get("audio", {}).get("input", {}) if is_ga else patch
        wanted = asked.get("transcription" if is_ga else "input_audio_transcription") or self.transcription
        path = "session.audio.input." if is_ga else "session.input_audio_"
        return _of_model(wanted, self.model, self.turn_detection, path, self._endpoint)

    def _input(self, nested: str, flat: str) -> Any:
        if self._identity.dialect == "ga":
            return self.shown["audio"]["input"][nested]
        return self.shown[flat]

    @property
    def dialect(self) -> Dialect:
        """GA or preview."""
        return self._identity.dialect

    @property
    def purpose(self) -> Purpose:
        """Which kind of session it is."""
        return self._identity.purpose

    @property
    def host(self) -> str | None:
        """The speech model of a conversation."""
        return self._identity.host

    @property
    def transcription(self) -> dict[str, Any] | None:
        """The transcription settings; None while it is switched off."""
        found: dict[str, Any] | None = self._input("transcription", "input_audio_transcription")
        return found

    @property
    def model_name(self) -> str:
        """The transcription model as the client named it; empty while there is none."""
        return str((self.transcription or {}).get("model") or "")

    @property
    def model(self) -> str:
        """The transcription model behind the name, which on Azure is that of a deployment."""
        return self._endpoint.deployments.get(self.model_name, self.model_name)

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """The turn detection; None when the client commits by hand."""
        found: dict[str, Any] | None = self._input("turn_detection", "turn_detection")
        return found

    @property
    def audio_format(self) -> str:
        """``audio/pcm``, ``audio/pcmu`` or ``audio/pcma``."""
        found = self._input("format", "input_audio_format")
        return str(found["type"]) if isinstance(found, dict) else FLAT_FORMATS[found]

    @property
    def wants_logprobs(self) -> bool:
        """Whether transcripts are to come with log probabilities."""
        return INCLUDABLE in (self.shown.get("include") or ())


def _voice(shown: Mapping[str, Any]) -> object:
    return shown["audio"]["output"]["voice"] if "output" in shown.get("audio", {}) else shown.get("voice")


def _mismatch(patch: Any, identity: Identity) -> Complaint | None:
    if not isinstance(patch, dict):
        return (
            json_checks.missing("session")
            if patch is None
            else json_checks.wrong_type(patch, "session", "an object")
        )
    if identity.dialect == "preview":
        return None
    kind = patch.get("type")
    if kind is None:
        return json_checks.missing("session.type")
    if kind not in ("realtime", "transcription"):
        return json_checks.unsupported(kind, "session.type", ("realtime", "transcription"))
    if kind == identity.purpose:
        return None
    message = f"Passing a {kind} session update event to a {identity.purpose} session is not allowed."
    return Complaint("invalid_parameter", message, "session.type")


def _of_model(
    transcription: Mapping[str, Any], model: str, turns: object, path: str, endpoint: ServedEndpoint
) -> Complaint | None:
    """What the named model does not take."""
    able, place = abilities(model), f"{path}transcription"
    if not model:
        return json_checks.missing(f"{place}.model")
    if endpoint.kind == "openai" and model not in ABILITIES and model not in endpoint.deployments:
        return json_checks.unsupported(model, f"{place}.model", tuple(ABILITIES))
    if able.live and turns is not None:
        message = "Turn detection is not supported for this transcription model."
        return Complaint("invalid_value", message, f"{path}turn_detection")
    for field in ("languages", "keywords"):
        if field in transcription and not able.names_languages:
            return _unsupported_field(field, model, place)
    if "languages" in transcription and transcription.get("language"):
        return _unsupported_field("language", f"{model}' together with 'languages", place)
    if any(sign in word for word in transcription.get("keywords", ()) for sign in "<>\r\n"):
        return Complaint(
            "invalid_value", "Keywords must not contain '<', '>' or line breaks.", f"{place}.keywords"
        )
    if transcription.get("prompt") and not able.prompt:
        return _unsupported_field("prompt", model, place)
    if "delay" in transcription and model not in WITH_DELAY:
        return _unsupported_field("delay", model, place)
    return None


def _unsupported_field(field: str, model: str, place: str) -> Complaint:
    message = f"'{field}' is not supported with transcription model '{model}'."
    return Complaint("invalid_value", message, f"{place}.{field}")


def _merge_nested(shown: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        if name == "audio":
            for half, changes in value.items():
                for key, change in changes.items():
                    shown["audio"][half][key] = _completed(key, change, shown)
        elif name != "type":
            shown[name] = value


def _merge_flat(shown: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        shown[name] = _completed(name, value, shown)


def _completed(key: str, value: Any, shown: Mapping[str, Any]) -> Any:
    """A setting with the members that the service fills in itself; `delay` is taken but not shown."""
    if value is None:
        return None
    answering = {} if shown["object"] == "realtime.transcription_session" else _ANSWERING
    if key == "turn_detection":
        if value["type"] == "server_vad":
            idle = {"idle_timeout_ms": None} if answering and "audio" in shown else {}
            return {**_VAD, **idle, **answering, **value}
        return {"type": "semantic_vad", "eagerness": "auto", **answering, **value}
    if key in ("transcription", "input_audio_transcription"):
        full = {"model": value.get("model"), "language": None, "prompt": None, **value}
        return {name: member for name, member in full.items() if name != "delay"}
    return value


def _first(identity: Identity) -> dict[str, Any]:
    if identity.dialect == "ga":
        return _ga_transcription(identity) if identity.purpose == "transcription" else _ga_realtime(identity)
    if identity.purpose == "transcription":
        return _preview_transcription(identity)
    return _preview_realtime(identity)


def _ga_input(turns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": dict(turns),
    }


def _ga_transcription(identity: Identity) -> dict[str, Any]:
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": identity.id,
        "expires_at": identity.expires_at,
        "audio": {"input": _ga_input(_VAD)},
        "include": None,
    }


def _ga_realtime(identity: Identity) -> dict[str, Any]:
    output = {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin", "speed": 1.0}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": identity.id,
        "model": identity.host,
        "output_modalities": ["audio"],
        "instructions": _INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": identity.expires_at,
        "audio": {"input": _ga_input({**_VAD, "idle_timeout_ms": None, **_ANSWERING}), "output": output},
        "include": None,
    }


def _preview_transcription(identity: Identity) -> dict[str, Any]:
    return {
        "id": identity.id,
        "object": "realtime.transcription_session",
        "expires_at": identity.expires_at,
        "input_audio_format": "pcm16",
        "input_audio_transcription": None,
        "turn_detection": dict(_VAD),
        "input_audio_noise_reduction": None,
        "include": None,
    }


def _preview_realtime(identity: Identity) -> dict[str, Any]:
    return {
        "id": identity.id,
        "object": "realtime.session",
        "model": identity.host,
        "expires_at": identity.expires_at,
        "modalities": ["audio", "text"],
        "instructions": _INSTRUCTIONS,
        "voice": "alloy",
        "turn_detection": {**_VAD, "create_response": True},
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": None,
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    }


def drifted(shown: dict[str, Any], fault: str) -> dict[str, Any]:
    """The settings as a session shows them that does not do what it was told."""
    if fault not in ("drift", "drift_model"):
        return shown
    nested = "audio" in shown
    found = shown["audio"]["input"]["transcription"] if nested else shown["input_audio_transcription"]
    other = (
        "gpt-4o-mini-transcribe" if (found or {}).get("model") != "gpt-4o-mini-transcribe" else "whisper-1"
    )
    instead = {**(found or {}), "model": other} if fault == "drift_model" else None
    if not nested:
        return {**shown, "input_audio_transcription": instead}
    return {
        **shown,
        "audio": {**shown["audio"], "input": {**shown["audio"]["input"], "transcription": instead}},
    }
