from __future__ import annotations

from datetime import timedelta

from monitor.core.model import Verdict
from monitor.core.views.latency import histogram, percentile
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.rollups import read_daily_rollups, read_hourly_rollups, read_latencies
from tests.support.stored_outcomes import DAY, make

HOUR = timedelta(hours=1)


def fill(database: Database) -> None:
    """A day and a minute, every minute one run; the ninth hour fails."""
    runs = [make(n, Verdict.FAILED if n // 60 == 8 else Verdict.PASSED) for n in range(24 * 60 + 1)]
    with database.write() as tx:
        add_outcomes(tx, [(run, None) for run in reversed(runs)])


def test_hours_and_days_count_by_verdict(database: Database) -> None:
    """Each hour and each day of UTC counts its runs by verdict; the end of the range is not in it."""
    fill(database)
    with database.read() as tx:
        hours = read_hourly_rollups(tx, DAY + 7 * HOUR, DAY + 10 * HOUR)
        days = read_daily_rollups(tx, DAY, DAY + 48 * HOUR, [make(0).cell])
    assert [(hour.start, hour.passed, hour.failed) for hour in hours] == [
        (DAY + 7 * HOUR, 60, 0),
        (DAY + 8 * HOUR, 0, 60),
        (DAY + 9 * HOUR, 60, 0),
    ]
    assert [
        (day.start, day.cell, day.passed, day.degraded, day.failed, day.inconclusive) for day in days
    ] == [
        (DAY, make(0).cell, 1380, 0, 60, 0),
        (DAY + 24 * HOUR, make(0).cell, 1, 0, 0, 0),
    ]


def test_latencies_merge_over_hours(database: Database) -> None:
    """Percentiles come from the sum of the hours; runs that gave no words add nothing."""
    runs = [make(n, timings_ms={"final": 100.0 * (n % 60 + 1)}) for n in range(180)]
    lost = make(200, Verdict.FAILED, timings_ms={"final": 1.0})
    with database.write() as tx:
        add_outcomes(tx, [(run, None) for run in (*runs, lost)])
    with database.read() as tx:
        merged = read_latencies(tx, DAY, DAY + 24 * HOUR)[make(0).cell]
        (day,) = read_daily_rollups(tx, DAY, DAY + 24 * HOUR)
    expected = histogram(100.0 * (n % 60 + 1) for n in range(180))
    assert merged == day.latencies == expected
    assert percentile(merged, 0.5) == percentile(expected, 0.5)


def test_days_merge_whatever_came_when(database: Database) -> None:
    """A day's latencies are those of all its runs, and of several days the sum, in any number of commits."""
    runs = [make(n, timings_ms={"final": 3.0 ** (n % 12)}) for n in range(0, 3 * 24 * 60, 60)]
    for batch in (runs[1::2], runs[0:1], runs[2::2]):
        with database.write() as tx:
            add_outcomes(tx, [(run, None) for run in batch])
    with database.read() as tx:
        days = read_daily_rollups(tx, DAY, DAY + 72 * HOUR)
        merged = read_latencies(tx, DAY, DAY + 72 * HOUR, by_day=True)[make(0).cell]
    assert [day.latencies for day in days] == [
        histogram(run.timings_ms["final"] or 0 for run in runs[first : first + 24]) for first in (0, 24, 48)
    ]
    assert merged == histogram(run.timings_ms["final"] or 0 for run in runs)


def test_cells_without_runs_have_no_rollups(database: Database) -> None:
    """Asking for cells that nobody has seen gives nothing."""
    fill(database)
    with database.read() as tx:
        assert read_hourly_rollups(tx, DAY, DAY + 48 * HOUR, [make(0, location="oslo").cell]) == ()
