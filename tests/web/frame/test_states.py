"""Pages, API, advice and `replay` say the same of a cell, for any moment and any range."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from starlette.testclient import TestClient

from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Derivation
from monitor.core.intervals import Span, clip, length, subtract
from monitor.core.model import Cell, Failure, Outcome, State, Verdict
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.masking import pause
from monitor.core.outages.unmeasured import find_unmeasured
from monitor.core.outages.uptime import down_spans
from monitor.core.views.lanes import Counts
from monitor.store.database.engine import Database
from monitor.store.derivation.maintenance import add_maintenance
from monitor.store.incidents.incidents import replace_windows
from monitor.store.outcomes.add import add_outcomes
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.read_cells import read_cells
from tests.support.filled_database import RULE, SETTINGS, TARGETS, Dial, app_over, fill, run_of
from tests.support.memory_history import MemoryHistory
from tests.support.random_runs import random_runs
from tests.support.stored_outcomes import DAY, MINUTE, any_example, rolled_back

PAUSE = Maintenance(
    name="move", targets=("sweden/*",), start=DAY + 50 * MINUTE, end=DAY + 70 * MINUTE,
    retroactive=True, entered_at=DAY, author="ann",
)  # fmt: skip


def stored(tx: Connection, runs: list[Outcome], plans: list[Maintenance], now: datetime) -> Derivation:
    """The runs and the windows that follow from them; what `replay` would say."""
    add_outcomes(tx, [(run, None) for run in runs])
    for plan in plans:
        add_maintenance(tx, plan, DAY)
    found = derive(pause(MemoryHistory(runs), plans), RULE, now=now)
    replace_windows(tx, None, [(window, None) for window in found.windows])
    return found


def views(tx: Connection, period: Span, now: datetime) -> Mapping[Cell, CellView]:
    """What is read of each cell."""
    return {one.cell: one for one in read_cells(tx, settings=SETTINGS, period=period, now=now) if one.last}


def expected_counts(runs: list[Outcome], plans: list[Maintenance], period: Span, now: datetime) -> Any:
    """The runs of a period, counted one by one: what is masked or paused, by the whole history."""
    history = pause(MemoryHistory(runs), plans)
    notable = {cell: history.not_passed(cell, None, now) for cell in history.cells()}
    masked = find_unmeasured(history, notable, since=None, now=now).masked
    out = {run.id for of_cell in masked.values() for run in of_cell}
    found: dict[Cell, Counts] = {}
    for run in runs:
        if period.start <= run.started_at < period.end:
            paused = any(
                plan.concerns(run.target) and plan.start <= run.started_at < plan.end  # type: ignore[operator]
                for plan in plans
            )
            verdict = Verdict.INCONCLUSIVE if paused or run.id in out else run.verdict
            known = found.get(run.cell, Counts())
            found[run.cell] = known._replace(**{verdict.value: getattr(known, verdict.value) + 1})
    return found


seconds = st.integers(0, 13_000)
PLANS = st.sampled_from([[], [PAUSE]])


@settings(any_example, max_examples=25)
@given(st.integers(0, 10**9), seconds, seconds, seconds, PLANS)
def test_any_range_says_what_the_whole_history_says(
    database: Database, seed: int, one: int, two: int, past: int, plans: list[Maintenance]
) -> None:
    """Runs, unmeasured time, down time and windows of a range are those that `replay` would give it."""
    start, end = sorted((one, two))
    period = Span(DAY + timedelta(seconds=start), DAY + timedelta(seconds=end))
    now = max(DAY + timedelta(seconds=past), period.end)
    runs = [run for run in random_runs(seed) if run.started_at <= now]
    with rolled_back(database) as tx:
        replayed = stored(tx, runs, plans, now)
        counts = expected_counts(runs, plans, period, now)
        for cell, view in views(tx, period, now).items():
            assert view.counts == counts.get(cell, Counts())
            windows = [window for window in replayed.windows if window.cell == cell]
            assert list(view.windows) == [
                window
                for window in windows
                if window.start < period.end and (window.end is None or window.end >= period.start)
            ]
            first = min(run.started_at for run in runs if run.cell == cell)
            unseen = [Span(DAY - MINUTE, first)]
            unseen += [Span(gap.start, gap.end) for gap in replayed.gaps if gap.cell == cell]
            unseen += [
                Span(span.start, span.end)
                for span in replayed.unmeasured
                if span.location == cell.location and span.cell in (None, cell)
            ]
            unseen += [
                Span(plan.start, plan.end)  # type: ignore[arg-type]
                for plan in plans
                if plan.concerns(cell.target)
            ]
            measured = subtract([period], unseen)
            down = clip(down_spans(windows, now), period)
            assert view.uptime.measured == length(measured)
            assert view.uptime.down == length(subtract(measured, subtract(measured, down)))


@settings(any_example, max_examples=25)
@given(st.integers(0, 10**9), seconds, seconds, seconds, PLANS)
def test_the_parts_of_a_range_add_up(
    database: Database, seed: int, one: int, two: int, three: int, plans: list[Maintenance]
) -> None:
    """Runs, latencies, measured and down time of two ranges that touch are those of both together."""
    first, middle, last = (DAY + timedelta(seconds=some) for some in sorted((one, two, three)))
    runs = [run for run in random_runs(seed) if run.started_at <= last]
    with rolled_back(database) as tx:
        stored(tx, runs, plans, last)
        whole = views(tx, Span(first, last), last)
        parts = views(tx, Span(first, middle), last), views(tx, Span(middle, last), last)
    for cell, view in whole.items():
        left, right = parts[0][cell], parts[1][cell]
        assert view.counts == Counts.of([left.counts, right.counts])
        assert view.uptime.measured == left.uptime.measured + right.uptime.measured
        assert view.uptime.down == left.uptime.down + right.uptime.down
        assert sum(view.histogram) == sum(left.histogram) + sum(right.histogram)
        assert view.state is left.state is right.state
        assert view.since == left.since == right.since


def client_of(database: Database, runs: list[Outcome], now: datetime) -> TestClient:
    fill(database, [(run, None) for run in runs], now)
    return TestClient(app_over(database, Dial(now=now)), base_url="http://localhost")


def test_the_last_hour_is_an_hour_and_not_the_clocks(sqlite_database: Database) -> None:
    """Five seconds past the full hour advice still counts sixty minutes of runs."""
    runs = [run_of(TARGETS[0], minute, 0) for minute in range(120)]
    client = client_of(sqlite_database, runs, DAY + 120 * MINUTE + timedelta(seconds=5))
    (told,) = client.get("/api/v1/advice", params={"need": "rest", "model": TARGETS[0].model}).json()[
        "pathways"
    ]
    assert "60/60 passed in the last hour" in told["reason"]


def test_percentiles_are_those_of_the_range(sqlite_database: Database) -> None:
    """Slow runs of the same hour, outside the range that is asked for, are not in them."""
    slow = [run_of(TARGETS[0], minute, 0, timings_ms={"final": 9150.0}) for minute in range(40)]
    fast = [run_of(TARGETS[0], minute, 0, timings_ms={"final": 3000.0}) for minute in range(40, 60)]
    client = client_of(sqlite_database, slow + fast, DAY + 60 * MINUTE)
    asked = {"from": "2025-11-17T00:40:00Z", "to": "2025-11-17T01:00:00Z"}
    told = client.get("/api/v1/targets", params=asked).json()["items"][0]
    assert 2.7 < told["latency_s"]["p50"] < 3.3
    assert (told["runs"]["total"], told["from"], told["to"]) == (20, asked["from"], asked["to"])


def test_an_open_outage_is_down_again_with_the_first_run_after_a_blind_stretch(
    sqlite_database: Database,
) -> None:
    """Unknown while nothing can be measured; page, API, advice and metrics then say down at once."""
    blind: dict[str, Any] = {"verdict": Verdict.INCONCLUSIVE, "failure": Failure.MONITOR}
    runs = [run_of(TARGETS[0], minute, 0, failed=minute >= 10) for minute in range(20)]
    runs += [run_of(TARGETS[0], minute, 0, **blind) for minute in range(20, 30)]
    client = client_of(sqlite_database, runs, DAY + 30 * MINUTE)

    def state() -> str:
        (one,) = [item for item in client.get("/api/v1/targets").json()["items"] if item["last_run"]]
        found: str = one["state"]
        return found

    assert state() == State.UNKNOWN
    client = client_of(sqlite_database, [run_of(TARGETS[0], 30, 0, failed=True)], DAY + 31 * MINUTE)
    assert state() == State.DOWN
    assert "1 down" in client.get("/", headers={"accept": "text/html"}).text
    advice = client.get("/api/v1/advice", params={"need": "rest", "model": TARGETS[0].model}).json()
    assert advice["pathways"][0]["health"] == "down"
    assert f'target="{TARGETS[0].key}"}} 1.0' in "".join(
        line for line in client.get("/metrics").text.splitlines() if 'state="down"' in line
    ).replace('location="berlin",state="down",', "")


def test_a_page_of_a_past_day_tells_the_state_of_now(sqlite_database: Database) -> None:
    """The numbers are those of the day; the state, and since when, do not depend on it."""
    blind: dict[str, Any] = {"verdict": Verdict.INCONCLUSIVE, "failure": Failure.MONITOR}
    runs = [run_of(TARGETS[0], minute, 0) for minute in range(60)]
    runs += [run_of(TARGETS[0], minute, 0, **blind) for minute in range(60, 70)]
    client = client_of(sqlite_database, runs, DAY + 70 * MINUTE)
    asked = {"from": "2025-11-17T00:00:00Z", "to": "2025-11-17T00:30:00Z"}
    past = client.get("/api/v1/targets", params=asked).json()["items"][0]
    today = client.get("/api/v1/targets").json()["items"][0]
    assert (
        (past["state"], past["since"])
        == (today["state"], today["since"])
        == ("unknown", runs[-1].started_at.isoformat().replace("+00:00", "Z"))
    )
    assert past["runs"]["total"] == 30
