from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.model import Endpoint, State, Target
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import derive_windows
from monitor.planning.detection_time import estimate_detection_time, quota_of
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import row

ENDPOINT = Endpoint(name="azure", provider="azure_openai", url="https://contoso.openai.azure.com")
RULE = Rule()


def target(model: str = "whisper-1", pathway: str = "rest", **changes: object) -> Target:
    plain = Target(endpoint=ENDPOINT, model=model, pathway=pathway)
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests' own keywords


def seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def test_confirming_runs_make_the_default_notice_within_six_minutes() -> None:
    """At most 5 min until the next run, and 60 s of confirming; 15 min by the regular runs alone."""
    found = estimate_detection_time(target(), [target()], RULE)
    assert seconds(found.confirmed) == 360
    assert seconds(found.unconfirmed) == 900


def test_runs_that_end_by_their_timeout_come_further_apart() -> None:
    """A silent provider holds each run, and the next begins only after it."""
    slow = target(timeout=timedelta(seconds=45))
    assert seconds(estimate_detection_time(slow, [slow], RULE).silent) == 300 + 90


def test_neighbours_of_the_same_deployment_use_its_quota() -> None:
    """With three pathways on one deployment of three runs a minute, confirming waits for the next minute."""
    family = [target(pathway=pathway) for pathway in ("rest", "realtime", "realtime_transcription")]
    assert seconds(estimate_detection_time(family[0], family, RULE).confirmed) == 300 + 80


@pytest.mark.parametrize(("quota", "expected"), [(1, 420), (2, 360), (3, 360), (60, 360)])
def test_a_small_quota_delays(quota: int, expected: int) -> None:
    """Confirming runs never exceed the quota of any minute."""
    one = target(max_per_minute=quota)
    assert seconds(estimate_detection_time(one, [one], RULE).confirmed) == expected


def test_a_narrow_rule_takes_as_many_runs_as_span_a_minute() -> None:
    """Three runs 20 s apart do not span a minute: the fourth one decides."""
    narrow = replace(RULE, down=replace(RULE.down, bad=3, of=3))
    found = estimate_detection_time(target(), [target()], narrow)
    assert seconds(found.confirmed) == 360
    assert seconds(found.unconfirmed) == 900


@pytest.mark.parametrize("every", [1, 5, 10, 13, 20, 60, 300])
def test_what_is_promised_is_what_the_rule_does(every: int) -> None:
    """An outage between two regular runs, told by these alone, opens when `validate` says."""
    often = target(every=timedelta(seconds=every), max_per_minute=600)
    promised = estimate_detection_time(often, [often], RULE).unconfirmed
    runs = row("." * 70 + "F" * 70, step=every, every_s=every)
    history = MemoryHistory(runs)
    (cell,) = history.cells()
    now = runs[-1].started_at
    (window, *_), _ = derive_windows(history, cell, history.not_passed(cell, None, now), RULE, now=now)
    assert window.state is State.DOWN
    assert timedelta(seconds=every) + window.decided_at - window.start == promised


def test_a_rule_of_one_notices_with_the_first_run() -> None:
    """One bad run opens at once."""
    eager = replace(RULE, down=replace(RULE.down, bad=1, of=1, span=timedelta(0)))
    assert seconds(estimate_detection_time(target(), [target()], eager).confirmed) == 300


def test_frequent_runs_are_confirmed_at_their_own_pace() -> None:
    """A target that runs every 5 s is not slowed down to one run in 20 s."""
    often = target(every=timedelta(seconds=5), timeout=timedelta(seconds=4), max_per_minute=60)
    found = estimate_detection_time(
        often, [often], replace(RULE, down=replace(RULE.down, span=timedelta(seconds=10)))
    )
    assert found.confirmed == found.unconfirmed == timedelta(seconds=15)


def test_the_default_watch_fits_its_own_quota() -> None:
    """Every 5 minutes, three a minute: REST and realtime of one deployment share it and fit."""
    family = [target(pathway=pathway) for pathway in ("rest", "realtime", "realtime_transcription")]
    quota = quota_of(family)
    assert (quota.quiet, quota.down, quota.wanted, quota.max_per_minute) == (3, 3, 7, 3)
    assert quota.fits


def test_runs_every_ten_seconds_do_not_fit_three_a_minute() -> None:
    """Six slots a minute, three runs allowed."""
    often = target(every=timedelta(seconds=10))
    quota = quota_of([often])
    assert (quota.quiet, quota.down, quota.wanted, quota.fits) == (6, 6, 6, False)
    assert quota.targets == ("azure/whisper-1/rest",)
