"""Client events as they come: read, checked for form, and the complaints about those that are not right."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from monitor.sandbox.common import json_checks
from monitor.sandbox.common.refusals import Complaint

LARGEST_APPEND = 15 * 1024 * 1024
LONGEST_ID = 32
LARGEST_TEXT = 256 * 1024
_KEPT_BYTES = 20_000
_APPEND = "input_audio_buffer.append"
_FIELDS: dict[str, tuple[str, ...]] = {
    "session.update": ("session",),
    "session.close": (),
    _APPEND: ("audio",),
    "session.input_audio_buffer.append": ("audio",),
    "input_audio_buffer.commit": (),
    "input_audio_buffer.clear": (),
    "conversation.item.create": ("item", "previous_item_id"),
    "conversation.item.truncate": ("item_id", "content_index", "audio_end_ms"),
    "conversation.item.delete": ("item_id",),
    "conversation.item.retrieve": ("item_id",),
    "response.create": ("response",),
    "response.cancel": ("response_id",),
}
_PREVIEW_FIELDS = {**_FIELDS, "transcription_session.update": ("session",)}


class Append(NamedTuple):
    """An `input_audio_buffer.append`: its audio, or what is wrong with it."""

    audio: bytes | Complaint
    event_id: str | None


def read_append(frame: bytes) -> Append | None:
    """The append event in *frame*; None where it is another event or none.

    Equal frames are read once: a monitor sends the same ones all day.
    """
    if _APPEND.encode() not in frame[:200] and _APPEND.encode() not in frame:
        return None
    return _recalled(frame) if len(frame) <= _KEPT_BYTES else _read_append(frame)


def _read_append(frame: bytes) -> Append | None:
    try:
        event = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict) or event.get("type") != _APPEND:
        return None
    return Append(_audio(event), _text_or_none(event.get("event_id")))


_recalled = lru_cache(maxsize=1024)(_read_append)


def _audio(event: dict[str, Any]) -> bytes | Complaint:
    extra = [name for name in event if name not in ("type", "event_id", "audio")]
    if extra:
        return json_checks.unknown(extra[0])
    audio = event.get("audio")
    if not isinstance(audio, str):
        return (
            json_checks.missing("audio")
            if audio is None
            else json_checks.wrong_type(audio, "audio", "a string")
        )
    try:
        decoded = base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        message = "Invalid 'audio'. Expected base64-encoded audio bytes, but got an invalid value."
        return Complaint("invalid_value", message, "audio")
    if len(decoded) > LARGEST_APPEND:
        message = f"Invalid 'audio'. Expected at most {LARGEST_APPEND} bytes, but got {len(decoded)} instead."
        return Complaint("invalid_value", message, "audio")
    return decoded


def read_event(frame: bytes, *, preview: bool) -> dict[str, Any] | Complaint:
    """Any other client event, or the complaint about it."""
    known = _PREVIEW_FIELDS if preview else _FIELDS
    try:
        event = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return Complaint("invalid_json", "Invalid event: failed to parse JSON value. ")
    if not isinstance(event, dict):
        return Complaint("invalid_event", "Invalid event: expected a JSON object.")
    kind = event.get("type")
    if kind is None:
        return Complaint("invalid_event", "The 'type' field is missing.", "type")
    if not isinstance(kind, str) or kind not in known:
        return json_checks.unsupported(kind, "type", tuple(known))
    if kind == "session.input_audio_buffer.append":
        return Complaint("invalid_parameter", f"'{kind}' belongs to translation sessions.", "type")
    extra = [name for name in event if name not in ("type", "event_id", *known[kind])]
    return json_checks.unknown(extra[0]) if extra else event


def event_id(frame: bytes) -> str | None:
    """The client's own id in a frame that may be anything."""
    try:
        event = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    return _text_or_none(event.get("event_id")) if isinstance(event, dict) else None


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def too_short(milliseconds: float) -> Complaint:
    """The complaint about a commit of less than 100 ms."""
    message = (
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio,"
        f" but buffer only has {milliseconds:.2f}ms of audio."
    )
    return Complaint("input_audio_buffer_commit_empty", message)


def wrong_update(purpose: str) -> Complaint:
    """The complaint about an update meant for the other kind of session."""
    other = "realtime" if purpose == "transcription" else "transcription"
    message = f"Passing a {other} session update event to a {purpose} session is not allowed."
    return Complaint("invalid_parameter", message, "type")


def not_in_transcription(kind: str) -> Complaint:
    """The complaint about conversation in a transcription session (its wording is not documented)."""
    return Complaint("invalid_parameter", f"'{kind}' is not allowed in a transcription session.", "type")


_said = json_checks.short_text(LARGEST_TEXT)
_PARTS: dict[str, json_checks.Check] = {
    "input_text": json_checks.table({"type": json_checks.anything, "text": _said}, "text"),
    "input_audio": json_checks.table(
        {
            "type": json_checks.anything,
            "audio": json_checks.text,
            "transcript": json_checks.or_null(json_checks.text),
        }
    ),
    "input_image": json_checks.table(
        {"type": json_checks.anything, "image_url": json_checks.text, "detail": json_checks.text}, "image_url"
    ),
    "output_text": json_checks.table({"type": json_checks.anything, "text": _said}, "text"),
    "output_audio": json_checks.table({"type": json_checks.anything, "transcript": json_checks.text}),
    "text": json_checks.table({"type": json_checks.anything, "text": _said}, "text"),
}
_SAYABLE = {
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text", "output_audio", "text"),
    "system": ("input_text",),
}
_ITEMS = {
    role: json_checks.table(
        {
            "id": json_checks.or_null(json_checks.short_text(LONGEST_ID)),
            "object": json_checks.text,
            "type": json_checks.anything,
            "status": json_checks.text,
            "role": json_checks.anything,
            "content": json_checks.listing(json_checks.by_type({kind: _PARTS[kind] for kind in kinds})),
        },
        "content",
    )
    for role, kinds in _SAYABLE.items()
}


def read_item(item: Any) -> dict[str, Any] | Complaint:
    """The item of a `conversation.item.create`; only messages are known."""
    if not isinstance(item, dict):
        return (
            json_checks.missing("item") if item is None else json_checks.wrong_type(item, "item", "an object")
        )
    if item.get("type") != "message":
        return json_checks.unsupported(item.get("type"), "item.type", ("message",))
    role = item.get("role")
    if not isinstance(role, str) or role not in _ITEMS:
        return json_checks.unsupported(role, "item.role", tuple(_ITEMS))
    if item.get("content") == []:
        return json_checks.missing("item.content")
    return _ITEMS[role](item, "item") or item


def item_text(item: dict[str, Any]) -> str:
    """The text of a message."""
    return " ".join(str(part["text"]) for part in item["content"] if part.get("text"))
