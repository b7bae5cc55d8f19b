"""What is usual for a target and a clip, by what was stored of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.core.model import Outcome, Verdict
from monitor.store.database.columns import to_ms
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.usual import LEAST, read_usual_latency
from tests.support.stored_outcomes import DAY, make

STEP = timedelta(minutes=30)


def runs(
    days: float, *, since: float = 0, final: float = 500.0, verdict: str = "passed", **more: object
) -> list[Outcome]:
    """Runs of so many days, every half an hour, from a day on."""
    begun = DAY + timedelta(days=since)
    return [
        make(
            number + int(since * 1000),
            started_at=begun + number * STEP,
            slot=begun + number * STEP,
            finished_at=begun + number * STEP + timedelta(seconds=3),
            verdict=Verdict(verdict),
            timings_ms={"final": final},
            **more,
        )
        for number in range(int(days * 48))
    ]


def usual(database: Database, outcomes: list[Outcome], days: float) -> dict[str, float]:
    """What is usual by clip after so many days, of the one cell that there is."""
    with database.write() as tx:
        add_outcomes(tx, [(one, None) for one in outcomes])
    with database.read() as tx:
        return dict(
            read_usual_latency(tx, cell_rows(tx)[outcomes[0].cell], to_ms(DAY + timedelta(days=days)))
        )


def test_what_is_usual_needs_enough_runs(database: Database) -> None:
    """Below a certain count a median says nothing."""
    few = runs(1)[: LEAST - 1]
    assert usual(database, few, 1) == {}
    assert usual(database, runs(1)[LEAST - 1 : LEAST], 1) == {few[0].clip or "": 500.0}


@pytest.mark.parametrize("days", [4, 8, 40])
def test_a_slowdown_that_lasts_does_not_become_the_usual(database: Database, days: int) -> None:
    """What was too slow is degraded and does not count, for however many days."""
    slow = runs(days, since=8, final=2000.0, verdict="degraded", every_s=1800.0)
    clip = slow[0].clip or ""
    assert usual(database, runs(8, every_s=1800.0) + slow, 8 + days)[clip] == 500.0


def test_some_lucky_runs_in_a_slowdown_do_not_empty_it(database: Database) -> None:
    """Days with hardly a pass are passed over; those with some have the latencies of what passed."""
    slow = [run for run in runs(20, since=8, final=2000.0, verdict="degraded") if run.started_at.hour != 7]
    lucky = [run for run in runs(20, since=8, final=600.0) if run.started_at.hour == 7]
    clip = slow[0].clip or ""
    assert usual(database, runs(8) + sorted(slow + lucky, key=lambda run: run.slot), 28)[clip] == 500.0


def test_a_change_that_passes_becomes_the_usual_in_four_days(database: Database) -> None:
    """Twice as slow is within three times: it passes, and counts."""
    clip = runs(1)[0].clip or ""
    assert usual(database, runs(8), 8)[clip] == 500.0
    assert usual(database, runs(3, since=8, final=1000.0), 11)[clip] == 500.0
    assert usual(database, runs(2, since=11, final=1000.0), 13)[clip] == 1000.0


def test_clips_of_different_length_have_their_own(database: Database) -> None:
    """A long recording takes longer, which is no slowdown."""
    mixed = [
        make(
            number,
            started_at=run.started_at,
            slot=run.slot,
            finished_at=run.finished_at,
            verdict=Verdict.PASSED,
            clip="long" if number % 4 == 3 else "short",
            timings_ms={"final": 9000.0 if number % 4 == 3 else 500.0},
        )
        for number, run in enumerate(runs(8))
    ]
    assert usual(database, mixed, 8) == {"short": 500.0, "long": 9000.0}
