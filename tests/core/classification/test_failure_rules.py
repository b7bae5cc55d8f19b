"""The classifier's table: its order, its shape, and the traps its order is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from monitor.core.classification.causes import quoted_names
from monitor.core.classification.failure_rules import (
    LAST_RESORT,
    RULES,
    Clues,
    Condition,
    FailureClass,
    FailureRule,
    class_of_code,
    class_of_status,
    first_match,
)


def matched(**clues: object) -> tuple[int, FailureClass] | None:
    quoted = quoted_names(str(clues.get("words", "")))
    rule = first_match(RULES, Clues(quoted=quoted, **clues))  # type: ignore[arg-type]
    return (rule.number, rule.then) if rule else None


@pytest.mark.parametrize(
    ("clues", "number", "then"),
    [
        ({"status": 413, "type": "server_error"}, 9, FailureClass.AUDIO),
        (
            {
                "type": "server_error",
                "words": "input transcription failed for item 'x'. 429 too many requests",
                "item": True,
            },
            6,
            FailureClass.QUOTA,
        ),
        ({"code": "rate_limit_exceeded", "words": "you exceeded your current quota"}, 4, FailureClass.QUOTA),
        ({"status": 403, "code": "model_not_found", "type": "invalid_request_error"}, 7, FailureClass.CONFIG),
        ({"status": 401, "url": "wss://a/openai/v1/realtime?api-version=2025-04-01"}, 2, FailureClass.CONFIG),
        ({"status": 401, "url": "wss://a/openai/v1/realtime?api-version=preview"}, 2, FailureClass.AUTH),
        (
            {"status": 401, "url": "wss://a/openai/realtime?api-version=2025-04-01-preview"},
            2,
            FailureClass.AUTH,
        ),
        ({"code": "input_audio_buffer_commit_empty", "type": "invalid_request_error"}, 9, FailureClass.AUDIO),
        ({"code": "session_expired", "type": "invalid_request_error"}, 10, FailureClass.LIFECYCLE),
        ({"code": "integer_below_min_value", "type": "invalid_request_error"}, 7, FailureClass.CONFIG),
        ({"close": 1013, "words": "insufficient_quota.credit_balance_exhausted"}, 4, FailureClass.QUOTA),
        ({"close": 1013}, 5, FailureClass.CAPACITY),
        ({"close": 1013, "words": "all slots are busy"}, 5, FailureClass.CAPACITY),
        ({"close": 1013, "words": "call rate limit reached"}, 6, FailureClass.QUOTA),
        ({"close": 1013, "type": "insufficient_quota"}, 4, FailureClass.QUOTA),
        ({"close": 1001, "words": "going away"}, None, None),
        ({"status": 429, "lowered": True}, 5, FailureClass.CAPACITY),
        ({"type": "rate_limit_exceeded"}, 6, FailureClass.QUOTA),
        ({"type": "rate_limit_exceeded", "code": "odd"}, None, None),
        ({"type": "server_error", "code": "permission_error"}, 2, FailureClass.AUTH),
        ({"status": 402, "type": "invalid_request_error"}, 4, FailureClass.QUOTA),
        ({"status": 429, "words": "the engine is currently overloaded"}, 5, FailureClass.CAPACITY),
        ({"status": 503, "words": "the server is overloaded or not ready yet"}, 12, FailureClass.PROVIDER),
        ({"status": 400, "code": "invalid_value", "words": "invalid file format"}, 9, FailureClass.AUDIO),
        ({"status": 400, "type": "invalid_request_error", "param": "file"}, 9, FailureClass.AUDIO),
        ({"status": 400, "type": "invalid_request_error", "param": "model"}, 7, FailureClass.CONFIG),
        ({"status": 422, "param": "model"}, 7, FailureClass.CONFIG),
        ({"close": 1007, "words": "quota exceeded"}, 4, FailureClass.QUOTA),
        ({"close": 1007}, None, None),
        ({"status": 400, "caused": True, "type": "server_error"}, 7, FailureClass.CONFIG),
        ({"status": 400, "type": "server_error"}, 12, FailureClass.PROVIDER),
        ({"status": 403, "caused": True, "type": "server_error"}, 2, FailureClass.AUTH),
        ({"status": 403}, None, None),
        ({"status": 404}, None, None),
        ({"status": 200}, None, None),
        ({}, None, None),
    ],
)
def test_the_first_rule_that_matches_wins(
    clues: dict[str, object], number: int | None, then: FailureClass | None
) -> None:
    """Each row is a trap that the order of the rules, or the exactness of one, avoids."""
    assert matched(**clues) == ((number, then) if number else None)


def test_a_generic_failure_is_generic_only_without_a_code() -> None:
    """A code that nobody knows is no generic failure, but still a server error."""
    words = "input transcription failed for item 'x'."
    assert matched(type="server_error", words=words, item=True) == (11, FailureClass.PROVIDER)
    assert matched(type="server_error", words=words, item=True, code="odd") == (12, FailureClass.PROVIDER)
    assert matched(type="server_error", words=words) == (12, FailureClass.PROVIDER)


@pytest.mark.parametrize("rule", [*RULES, *LAST_RESORT], ids=lambda rule: f"{rule.number} {rule.then}")
def test_every_condition_asks_for_something_in_lower_case(rule: FailureRule) -> None:
    """An empty condition would match everything, a capital letter nothing."""
    for when in rule.any_of:
        assert when != Condition()
        for name in (*when.code, *when.type, *when.phrase):
            assert name == name.lower()


KNOWN = [*RULES, *LAST_RESORT]


@pytest.mark.parametrize("rule", KNOWN, ids=lambda rule: f"row {KNOWN.index(rule) + 1} {rule.then}")
def test_no_row_above_takes_what_a_row_names(rule: FailureRule) -> None:
    """Each phrase, code, status and close code of the printed table leads where the table says."""
    for when in rule.any_of:
        for clues in clues_that_fit(when):
            first = first_match(KNOWN, clues)
            assert first is not None
            assert first.then is rule.then, clues


def clues_that_fit(when: Condition) -> Iterator[Clues]:
    """For every alternative of a condition clues that have it, and nothing that is not asked for."""
    fixed = Clues(
        url="wss://a/openai/v1/realtime?api-version=2025-04-01" if when.url else "",
        item=when.item,
        explained=when.explained,
        caused=when.caused,
        response=when.response,
        refused=when.refused,
        lowered=when.lowered,
        param="model" if when.other_param else None,
    )
    named = ("status", "close", "type", "code", "param", "phrase")
    choices = [[(name, value) for value in getattr(when, name)] or [(name, None)] for name in named]
    for chosen in product(*choices):
        given = {name: value for name, value in chosen if value is not None}
        words = given.pop("phrase", "")
        yield replace(fixed, words=words, **given)


def test_a_providers_own_code_or_type_is_looked_up() -> None:
    """The code before the type, and neither where there is none."""
    codes = {"a": FailureClass.AUTH, "b": FailureClass.CONFIG}
    assert class_of_code(codes, Clues(code="a", type="b")) is FailureClass.AUTH
    assert class_of_code(codes, Clues(code="x", type="b")) is FailureClass.CONFIG
    assert class_of_code(codes, Clues()) is None


def test_a_name_means_another_thing_under_its_type() -> None:
    """Of Speech, *Forbidden* as a RecognitionStatus is no refused key."""
    codes = {"kind a": FailureClass.QUOTA, "a": FailureClass.AUTH}
    assert class_of_code(codes, Clues(type="kind", code="a")) is FailureClass.QUOTA
    assert class_of_code(codes, Clues(type="other", code="a")) is FailureClass.AUTH


def test_a_status_means_what_the_provider_says_it_means() -> None:
    """Where it has a word of its own for it, and nothing else where it has none."""
    codes = {"status 403": FailureClass.AUTH}
    assert class_of_status(codes, Clues(status=403)) is FailureClass.AUTH
    assert class_of_status(codes, Clues(status=403, words="blocked by company policy")) is None
    assert class_of_status(codes, Clues(status=404)) is None
    assert class_of_status(codes, Clues()) is None
