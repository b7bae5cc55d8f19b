"""Models that end: when who is told, once, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.model_retirement import Retirement, compose, milestone, owed_notices, shutdown_day
from monitor.core.alerting.notice import NoticeKind
from monitor.core.alerting.wording import MessageSettings

DAY = date(2027, 2, 26)
ENDING = Retirement(
    model="whisper-1", day=DAY, successor="gpt-transcribe", targets=("us/whisper-1/rest",), vendor="OpenAI"
)
OWNER = Policy(channel="owner", when=frozenset({"account"}))
ONCALL = Policy(channel="oncall")
VOICE = MessageSettings(public_url="https://earwitness.example")


def before(days: int) -> datetime:
    """Noon, so many days before the end."""
    return datetime(2027, 2, 26, 12, tzinfo=UTC) - timedelta(days=days)


@pytest.mark.parametrize(
    ("left", "number"), [(91, None), (90, 1), (31, 1), (30, 2), (8, 2), (7, 3), (0, 3), (-1, None)]
)
def test_the_milestones(left: int, number: int | None) -> None:
    """90, 30 and 7 days before; nothing once it is past."""
    assert milestone(left) == number


def test_only_channels_that_ask_for_account_are_told() -> None:
    """A pager is not woken by a date."""
    owed = list(owed_notices([ENDING], [OWNER, ONCALL], now=before(90), voice=VOICE))
    assert [(one.channel, one.kind, one.sequence) for one in owed] == [("owner", NoticeKind.RETIREMENT, 1)]
    assert owed[0].incident_id is None


def test_each_milestone_is_told_once() -> None:
    """A year of days gives three ids, however often it is asked."""
    ids = [
        one.id
        for days in range(365, -30, -1)
        for one in owed_notices([ENDING], [OWNER], now=before(days), voice=VOICE)
    ]
    assert len(ids) > 90
    assert len(dict.fromkeys(ids)) == 3


def test_another_day_for_the_same_model_is_told_anew() -> None:
    """A postponed end is news."""
    later = replace(ENDING, day=DAY + timedelta(days=1))
    (first,), (second,) = (
        list(owed_notices([one], [OWNER], now=before(20), voice=VOICE)) for one in (ENDING, later)
    )
    assert first.id != second.id


def test_a_date_of_another_provider_is_no_alarm() -> None:
    """It is shown with its doubt and never sent."""
    hint = replace(ENDING, certain=False, elsewhere="Azure has its own dates")
    assert list(owed_notices([hint], [OWNER], now=before(20), voice=VOICE)) == []
    assert "Azure has its own dates" in hint.sentence(before(20))


@pytest.mark.parametrize(("days", "words"), [(90, "in 90 days"), (1, "tomorrow"), (0, "today"), (-3, "past")])
def test_the_sentence_says_how_near_it_is(days: int, words: str) -> None:
    """With the successor."""
    assert ENDING.sentence(before(days)) == (
        f"OpenAI ends whisper-1 on 2027-02-26 ({words}); its successor is gpt-transcribe."
    )


def test_a_listed_day_names_its_list() -> None:
    """Who says so is part of the sentence; a listed model may have no successor."""
    listed = replace(ENDING, listed_by=("us", "eu"), successor=None)
    assert listed.sentence(before(90)) == (
        "whisper-1 ends on 2027-02-26 (in 90 days) by the endpoint's own list (us, eu)."
    )


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2027-02-26", DAY),
        ("2027-02-26T00:00:00Z", DAY),
        ("2027-02-26T23:30:00-02:00", date(2027, 2, 27)),
        (1803600000, DAY),
        (1803600000.5, DAY),
        (0, None),
        (-1, None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**30, None),
        ("2027-02-30", None),
        ("2027-02-26T00:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_a_listed_day_is_understood_or_none(value: object, day: date | None) -> None:
    """A day, an instant with its offset, or seconds since 1970; whatever else names no day."""
    assert shutdown_day(value) == day


def test_the_body_names_what_is_watched() -> None:
    """Type, texts, link to the first target, and the facts as values."""
    many = replace(ENDING, targets=tuple(f"us/whisper-1/p{number}" for number in range(60)))
    body = compose(many, 2, now=before(30), voice=VOICE)
    assert (body["type"], body["timestamp"]) == ("model.retirement", "2027-01-27T12:00:00Z")
    data = body["data"]
    assert data["link"] == "https://earwitness.example/targets/us/whisper-1/p0"
    assert "us/whisper-1/p2 and 57 more." in data["text"]
    assert (len(data["affected"]), data["affected_total"], data["days_left"]) == (50, 60, 30)
    assert compose(ENDING, 1, now=before(90), voice=MessageSettings())["data"]["link"] is None
