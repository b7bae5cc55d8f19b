"""Outcome lines: what is read is written again, and what breaks the contract is refused by its key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from monitor.core.model import Kind, Outcome, Verdict
from monitor.core.outcome_json import SCHEMA, LineError, outcome_from_line, outcome_to_line, storable
from tests.support.outcomes import matrices

LEAST: dict[str, Any] = {
    "schema": SCHEMA,
    "id": "0193",
    "endpoint": "azure-sweden",
    "model": "gpt-4o-transcribe",
    "pathway": "realtime",
    "started_at": "2025-11-17T08:30:00.412Z",
    "finished_at": "2025-11-17T08:30:03.101Z",
    "verdict": "passed",
}
FULL: dict[str, Any] = LEAST | {
    "provider": "azure_openai",
    "region": "swedencentral",
    "host": "h:9c1d",
    "location": "berlin",
    "kind": "scheduled",
    "every_s": 60,
    "clip": "amiable",
    "configuration": "9f2c",
    "slot": "2025-11-17T08:30:00Z",
    "verdict": "failed",
    "failure": "server",
    "stage": "transcribe",
    "blame": "provider",
    "type": "server_error",
    "code": None,
    "message": "Input transcription failed for item 'item_…'.",
    "http_status": None,
    "close_code": 1011,
    "timings_ms": {"connect": 41, "ready": 180, "first_text": None, "final": None},
    "wer": 0.1,
    "completeness": 1,
    "transcript": None,
    "ids": {"request_id": None, "session_id": "sess_…"},
}


def test_the_least_line_gets_its_defaults() -> None:
    """Without slot, location and kind: the start, `default` and `scheduled`."""
    outcome, evidence = outcome_from_line(LEAST)
    assert outcome.slot == outcome.started_at == datetime(2025, 11, 17, 8, 30, 0, 412_000, tzinfo=UTC)
    assert (outcome.location, outcome.kind, outcome.verdict) == ("default", Kind.SCHEDULED, Verdict.PASSED)
    assert evidence is None


def test_a_full_line_is_written_as_it_was_read() -> None:
    """Every key of the contract, unknown ones and the evidence come back."""
    line = FULL | {"mood": {"deep": [1, 2]}, "extra": "kept too", "evidence": {"frames": []}}
    assert outcome_to_line(*outcome_from_line(line)) == line


@pytest.mark.parametrize(
    "name", ["x" * 200, "a\nb", "a\tb", "a\u00a0b", "\U0001f468\u200d\U0001f469", "\u202eb", " "]
)
def test_an_id_is_any_string(name: str) -> None:
    """Line ends, joiners and whatever is not to be seen belong to an id as other characters do."""
    assert outcome_from_line(LEAST | {"id": name})[0].id == name


@given(matrices(most=5))
def test_outcomes_survive_their_line(outcomes: list[Outcome]) -> None:
    """An outcome, its JSON and back is the same outcome."""
    for outcome in outcomes:
        assert outcome_from_line(json.loads(json.dumps(outcome_to_line(outcome))))[0] == outcome


@pytest.mark.parametrize("key", sorted(LEAST))
def test_a_missing_key_is_named(key: str) -> None:
    """Each required key is asked for by its name, also where it is null."""
    for line in ({name: value for name, value in LEAST.items() if name != key}, LEAST | {key: None}):
        with pytest.raises(LineError, match=f"^{key}: is missing"):
            outcome_from_line(line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "earwitness.outcome/2"}, "schema: 'earwitness.outcome/2' is not known here"),
        ({"id": ""}, "id: must be a string that is not empty"),
        ({"id": 7}, "id: must be a string"),
        ({"id": "x" * 201}, "id: is longer than 200 characters"),
        ({"id": "a\x00b"}, "id: holds NUL"),
        ({"id": "a\ud800b"}, "id: holds NUL or half a character"),
        ({"model": "a\nb"}, "model: holds characters that cannot be printed"),
        ({"endpoint": "a/b"}, "endpoint: must not contain a slash"),
        ({"started_at": "2025-11-17T08:30:00"}, "started_at: .* has no offset"),
        ({"started_at": 5}, "started_at: must be a time"),
        ({"started_at": "1960-01-01T00:00:00Z"}, "started_at: lies before 1970 or after 2999"),
        ({"slot": "soon"}, "slot: 'soon' is no time"),
        ({"finished_at": "2025-11-17T08:29:00Z"}, "finished_at: lies before started_at"),
        ({"verdict": "ok"}, "verdict: 'ok' is none of passed, degraded, failed, inconclusive"),
        ({"failure": "boom"}, "failure: 'boom' is none of dns"),
        ({"kind": []}, "kind: '\\[\\]' is none of scheduled"),
        ({"every_s": 0}, "every_s: must be more than 0"),
        ({"every_s": True}, "every_s: must be a number"),
        ({"wer": float("nan")}, "wer: must be a number"),
        ({"wer": -1}, "wer: must be a number from 0 upwards"),
        ({"http_status": 500.0}, "http_status: must be a whole number"),
        ({"close_code": -1}, "close_code: must be a whole number"),
        ({"timings_ms": []}, "timings_ms: must be an object"),
        ({"timings_ms": {"final": "slow"}}, "timings_ms.final: must be a number"),
        ({"ids": {"item_id": 5}}, "ids.item_id: must be a string"),
        ({"message": 5}, "message: must be a string"),
        ({"evidence": "none"}, "evidence: must be an object"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(change: dict[str, Any], message: str) -> None:
    """One sentence that begins with the key and says what is expected."""
    with pytest.raises(LineError, match=f"^{message}"):
        outcome_from_line(FULL | change)


@pytest.mark.parametrize("bad", [{"kind": []}, {"kind": "never"}, {"wer": -1}], ids=str)
def test_the_first_wrong_key_of_a_line_is_named(bad: dict[str, Any]) -> None:
    """Of several wrong values the one that stands first is told, whatever kind of key it has."""
    (key,) = bad
    rest = {name: value for name, value in FULL.items() if name not in {key, "model", "finished_at"}}
    with pytest.raises(LineError, match=f"^{key}: "):
        outcome_from_line({**bad, **rest, "model": 7, "finished_at": "soon"})
    with pytest.raises(LineError, match=r"^model: "):
        outcome_from_line({"model": 7, "finished_at": "soon", **rest, **bad})


def test_a_line_is_read_by_itself_alone() -> None:
    """What an equal line said before changes nothing: a whole number stays whole, a list stays refused."""
    for every_s in (60, 60.0, 60):
        outcome, _ = outcome_from_line(FULL | {"every_s": every_s})
        assert type(outcome.every_s) is type(every_s)
    for _ in range(2):
        with pytest.raises(LineError, match=r"^region: "):
            outcome_from_line(FULL | {"region": ["berlin"]})


def test_a_line_must_be_an_object() -> None:
    """A list or a number is no outcome."""
    with pytest.raises(LineError, match="one JSON object"):
        outcome_from_line([1])


def test_free_text_is_made_storable() -> None:
    """NUL and lone surrogates, which no database holds, are replaced; the rest is left alone."""
    assert storable("a\x00b\ud800c") == "a\ufffdb?c"
    outcome, _ = outcome_from_line(FULL | {"message": "one\ntwo\x00"})
    assert outcome.message == "one\ntwo\ufffd"
