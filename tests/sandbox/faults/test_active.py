"""Faults: what can be asked for, when it is in force, and whom it hits."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sandbox.faults.active import ActiveFault, ActiveFaults, FaultError, parse_fault
from monitor.sandbox.faults.catalogue import KINDS, PATHWAYS, FaultMoment
from tests.support.sandbox_sessions import NOON, fault

HOSTS = {"azure-sweden": frozenset({"gpt-realtime"}), "openai-us": frozenset({"gpt-realtime"})}
MODELS = {
    "azure-sweden": frozenset({"stt-prod", "whisper-1", "gpt-4o-transcribe", "gpt-realtime"}),
    "openai-us": frozenset({"whisper-1", "gpt-live-transcribe", "gpt-realtime"}),
}


def board(*faults: ActiveFault, now: datetime = NOON) -> ActiveFaults:
    made = ActiveFaults(lambda: now, HOSTS, MODELS)
    for one in faults:
        made.add(one)
    return made


def hit(
    faults: ActiveFaults, stage: FaultMoment, pathway: str, model: str | None = "whisper-1"
) -> str | None:
    struck = faults.strike(stage, endpoint="azure-sweden", pathway=pathway, models=(model,))
    return struck.fault if struck else None


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"fault": "fialed"}, "did you mean 'failed'"),
        ({"fault": "nothing at all"}, "right are: failed, failed_code"),
        ({}, "fault: missing; right are: failed"),
        ({"fault": 599}, "'599' is unknown"),
        ({"fault": "failed", "from": "08:30", "until": "08:30"}, "until: must be another time"),
        ({"fault": "failed", "delay": 3}, "key of 'failed': 'delay' is unknown"),
        ({"fault": "slow", "dealy": 3}, "did you mean 'delay'"),
        ({"fault": "slow", "delay": "3s"}, "delay: expected seconds, 0 or more"),
        ({"fault": "slow", "delay": True}, "delay: expected seconds"),
        ({"fault": "failed", "share": 0}, "share: expected a number above 0"),
        ({"fault": "failed", "share": 1.5}, "share: expected a number above 0"),
        ({"fault": "refused", "status": 200}, "status: expected an HTTP status"),
        ({"fault": "failed", "code": 5}, "code: expected a text or null"),
        ({"fault": "failed", "endpoint": 5}, "endpoint: expected a name"),
        ({"fault": "failed", "pathway": "realtme"}, "did you mean 'realtime'"),
        ({"fault": "failed", "from": "half past eight"}, "from: 'half past eight' is neither an instant"),
        ({"fault": "failed", "from": "2025-11-17T08:30:00"}, "is neither an instant with offset"),
        ({"fault": "failed", "until": 8.3}, "until: '8.3' is neither"),
        ({"fault": "failed", "from": "08:30", "until": "2025-11-17T08:30:00Z"}, "not one of each"),
        (
            {"fault": "failed", "from": "2025-11-17T08:30:00Z", "until": "2025-11-17T08:30:00Z"},
            "until: must be later than from",
        ),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_the_right_words(table: dict[str, Any], sentence: str) -> None:
    """Each refusal names the key and what would be right."""
    with pytest.raises(FaultError) as refused:
        parse_fault(table)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (fault("failed", endpoint="azure-swede"), "did you mean 'azure-sweden'"),
        (
            fault("failed", pathway="rest"),
            "a fault of realtime, realtime_transcription; for rest take silent, slow",
        ),
        (fault("no_created", model="whisper-1"), "leave model out, or name the host model"),
        (fault("refused", model="whisper-1", pathway="realtime"), "strikes when the session opens"),
    ],
)
def test_a_fault_that_could_never_strike_is_refused(wanted: ActiveFault, sentence: str) -> None:
    """A sentence says why, and what to do instead."""
    with pytest.raises(FaultError) as refused:
        board(wanted)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_strikes_somewhere(name: str) -> None:
    """No name in the list is without effect."""
    faults = board(fault(name))
    assert any(hit(faults, stage, pathway) for stage in FaultMoment for pathway in PATHWAYS)


def test_a_status_may_be_given_as_a_number() -> None:
    """429 without quotes is the same fault as with them; true is no number."""
    assert fault(429) == fault("429")
    with pytest.raises(FaultError, match="'True' is unknown"):
        fault(True)


@pytest.mark.parametrize("given", ["20251117", "T0830", "0830", "08:30+01:00", "8:30", "24:00"])
def test_a_clock_time_has_one_form(given: str) -> None:
    """Hours and minutes, perhaps seconds; nothing is guessed from other digits."""
    with pytest.raises(FaultError, match="nor a clock time of every day in UTC"):
        fault("failed", **{"from": given})


def test_a_clock_time_may_say_that_it_is_utc() -> None:
    """08:30Z is 08:30."""
    assert fault("failed", **{"from": "08:30Z"}) == fault("failed", **{"from": "08:30"})


def test_the_reference_outage_hits_one_model_in_sessions_only() -> None:
    """Other models, uploads and other endpoints go on."""
    faults = board(fault("failed", endpoint="azure-sweden", model="gpt-4o-transcribe", pathway="realtime"))
    assert hit(faults, FaultMoment.COMMIT, "realtime", "gpt-4o-transcribe") == "failed"
    assert hit(faults, FaultMoment.COMMIT, "realtime", "whisper-1") is None
    assert hit(faults, FaultMoment.COMMIT, "realtime_transcription", "gpt-4o-transcribe") is None
    assert hit(faults, FaultMoment.REQUEST, "rest", "gpt-4o-transcribe") is None
    assert hit(faults, FaultMoment.UPGRADE, "realtime", "gpt-4o-transcribe") is None
    elsewhere = faults.strike(
        FaultMoment.COMMIT, endpoint="openai-us", pathway="realtime", models=("gpt-4o-transcribe",)
    )
    assert elsewhere is None


def test_a_status_of_one_model_shows_inside_its_sessions() -> None:
    """The service calls the transcription endpoint itself: a session with that model opens all the same."""
    faults = board(fault("429", model="whisper-1"))
    assert hit(faults, FaultMoment.REQUEST, "rest") == "429"
    assert hit(faults, FaultMoment.UPGRADE, "realtime") is None
    assert hit(faults, FaultMoment.COMMIT, "realtime") == "429"


def test_a_status_of_the_host_model_refuses_the_session() -> None:
    """The host is named when the session opens."""
    faults = board(fault("429", model="gpt-realtime", pathway="realtime"))
    assert hit(faults, FaultMoment.UPGRADE, "realtime", "gpt-realtime") == "429"
    assert hit(faults, FaultMoment.COMMIT, "realtime", "whisper-1") is None


def test_the_latest_fault_wins_and_can_be_removed() -> None:
    """Removing it lets the earlier one show again; removing twice says so."""
    faults = board(fault("failed"))
    second = faults.add(fault("empty"))
    assert hit(faults, FaultMoment.COMMIT, "realtime") == "empty"
    assert faults.remove(second.id)
    assert not faults.remove(second.id)
    assert hit(faults, FaultMoment.COMMIT, "realtime") == "failed"


@given(share=st.floats(0.01, 1), runs=st.integers(1, 200))
def test_a_share_hits_that_part_of_the_runs(share: float, runs: int) -> None:
    """Of n runs the whole part of n × share is hit, whatever n is."""
    faults = board(fault("failed", share=share))
    hits = sum(hit(faults, FaultMoment.COMMIT, "realtime") is not None for _ in range(runs))
    assert abs(hits - runs * share) < 1 + 1e-6


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)))  # noqa: DTZ001
def test_instants_hold_once(now: datetime) -> None:
    """Between two instants, the first included, the last not."""
    wanted = fault("failed", **{"from": "2025-11-17T08:30:00Z", "until": "2025-11-17T16:30:00+01:00"})
    first = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
    assert wanted.is_active(now) is (first <= now < first + timedelta(hours=7))


@given(st.times(), st.dates())
def test_clock_times_hold_every_day(moment: time, day: Any) -> None:
    """Between two clock times on any day, over midnight too."""
    now = datetime.combine(day, moment, tzinfo=UTC)
    by_day = fault("failed", **{"from": "08:30", "until": "15:30"})
    by_night = fault("failed", **{"from": "15:30:00", "until": "08:30:00"})
    assert by_day.is_active(now) is (time(8, 30) <= moment < time(15, 30))
    assert by_night.is_active(now) is not by_day.is_active(now)


def test_half_open_times_hold_on_one_side() -> None:
    """A missing edge is open: for clock times the edge of the day."""
    assert fault("failed", **{"from": "08:30"}).is_active(NOON)
    assert not fault("failed", until="08:30").is_active(NOON)
    assert fault("failed", **{"from": "2025-11-17T08:30:00Z"}).is_active(NOON)
    assert not fault("failed", until="2025-11-17T08:30:00Z").is_active(NOON)


@pytest.mark.parametrize("where", [{}, {"endpoint": "azure-sweden"}])
def test_a_model_that_nobody_serves_is_refused(where: dict[str, str]) -> None:
    """A fault that can never strike says which names would be right; so does one of another endpoint."""
    with pytest.raises(
        FaultError, match=r"model: 'whisper-2' is unknown \(did you mean 'whisper-1'\?\); right are"
    ):
        board(fault("failed", model="whisper-2", **where))
    with pytest.raises(FaultError, match="model: 'stt-prod' is unknown"):
        board(fault("failed", model="stt-prod", endpoint="openai-us"))
    assert board(fault("failed", model="stt-prod"), fault("failed", model="gpt-live-transcribe")).listed()


def test_times_follow_the_clock_that_was_handed_in() -> None:
    """The same board breaks and mends as its clock goes through the day."""
    now = [NOON.replace(hour=8, minute=29, second=59)]
    faults = ActiveFaults(lambda: now[0], HOSTS, MODELS)
    faults.add(fault("failed", **{"from": "08:30", "until": "15:30"}))
    assert hit(faults, FaultMoment.COMMIT, "realtime") is None
    now[0] += timedelta(seconds=1)
    assert hit(faults, FaultMoment.COMMIT, "realtime") == "failed"
    now[0] += timedelta(hours=7)
    assert hit(faults, FaultMoment.COMMIT, "realtime") is None


def test_a_fault_shows_everything_it_was_given() -> None:
    """The JSON of a fault can be sent back as it is, but for its id and state."""
    given_table = {
        "endpoint": "azure-sweden",
        "model": None,
        "pathway": "rest",
        "fault": "slow",
        "from": "2025-11-17T08:30:00Z",
        "until": None,
        "delay": 4,
        "share": 0.5,
    }
    (made,) = board(parse_fault(given_table)).listed()
    assert made.as_json(NOON) == given_table | {"id": "1", "active": True}
