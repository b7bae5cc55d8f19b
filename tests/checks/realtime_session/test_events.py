"""Reading events: both dialects, missing fields, wrong types."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.checks.realtime_session.events import (
    Event,
    NoEvent,
    What,
    echoed_rate,
    echoed_transcription,
    echoed_turn_detection,
    read_event,
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def event(**fields: Any) -> Event:
    return read_event(json.dumps(fields), 1.0)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("session.created", "transcription_session.created"), What.CREATED),
        (("session.updated", "transcription_session.updated"), What.UPDATED),
        (("conversation.item.added", "conversation.item.done", "conversation.item.created"), What.ITEM),
        (("rate_limits.updated", "conversation.created", "", "nonsense"), What.OTHER),
    ],
)
def test_both_names_of_a_pair_mean_the_same(names: tuple[str, ...], what: What) -> None:
    """GA and beta names are one thing to a check; what nobody knows is ignored."""
    assert {event(type=name).what for name in names} == {what}


def test_the_final_text_may_stand_under_either_key() -> None:
    """`transcript`, else `text`; anything but a string is no text."""
    assert event(type="x", transcript="a", text="b").transcript == "a"
    assert event(type="x", text="b").transcript == "b"
    assert event(type="x", transcript=None).transcript is None
    assert event(type="x", transcript=["a"]).transcript is None


def test_an_error_may_be_an_object_or_a_string_with_its_code_beside_it() -> None:
    """VLLM writes a string; the type of the event is not the type of the error."""
    flat = event(type="error", error="no such model", code="model_not_validated").error
    assert (flat.type, flat.code, flat.message) == (None, "model_not_validated", "no such model")
    nested = event(type="error", error={"type": "t", "code": 7, "message": "m", "event_id": "cfg-1"})
    assert (nested.error.type, nested.error.code, nested.error.message) == ("t", "7", "m")
    assert nested.answers == "cfg-1"


def test_an_echo_is_found_in_either_shape() -> None:
    """Nested or flat, and absent is told from null."""
    nested = {"audio": {"input": {"transcription": {"model": "m"}, "turn_detection": None}}}
    flat = {"input_audio_transcription": None, "turn_detection": {"type": "server_vad"}}

    assert echoed_transcription(nested) == (True, {"model": "m"})
    assert echoed_transcription(flat) == (True, None)
    assert echoed_transcription({}) == (False, None)
    assert echoed_turn_detection(nested) == (True, None)
    assert echoed_turn_detection(flat) == (True, {"type": "server_vad"})
    assert echoed_turn_detection({"audio": []}) == (False, None)
    assert echoed_rate({"audio": {"input": {"format": {"rate": 16_000}}}}) == 16_000
    assert echoed_rate({"audio": {"input": {"format": "pcm16"}}}) is None


def test_huge_numbers_and_duplicate_keys_are_read() -> None:
    """Odd JSON is still JSON."""
    odd = read_event('{"type": "a", "type": "error", "n": 1e999, "m": NaN}', 0.0)
    assert odd.what is What.ERROR


@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_is_an_event_or_no_event(value: Any) -> None:
    """Nothing but NoEvent is raised, whatever the message holds."""
    with suppress(NoEvent):
        assert read_event(json.dumps(value), 0.0).what in What


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["item_id", "event_id", "session", "error", "transcript"]), ANY_JSON))
def test_every_field_may_be_of_any_type(fields: dict[str, Any]) -> None:
    """Ids and texts are strings or absent; the rest is an empty object."""
    read = event(**fields, type="error")
    for text in (read.item_id, read.event_id, read.transcript, read.answers, read.error.message):
        assert text is None or isinstance(text, str)
    assert isinstance(read.session, dict)
