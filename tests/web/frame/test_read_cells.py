"""What pages know of each cell: gaps, blind spans, several locations, suspicions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.model import Blame, Failure, State, Verdict
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.core.views.lanes import GAP, NO_RUN, ZOOMS, period_of
from monitor.store.database.engine import Database
from monitor.store.derivation.self_observations import add_self_observations
from monitor.store.incidents.incidents import save_incident
from monitor.web.frame.read_cells import read_cells, read_states
from tests.support.filled_database import DAY, MINUTE, NOW, SETTINGS, TARGETS, Dial, app_over, fill, run_of


def test_gaps_are_unseen_and_lower_the_coverage_only(filled_database: Database) -> None:
    """The target that began at 05:00 and paused from 07:00 to 08:00 was up whenever it was seen."""
    zoom = ZOOMS["24h"]
    period = period_of(zoom, NOW)
    with filled_database.read() as tx:
        cells = read_cells(tx, settings=SETTINGS, period=period, bucket=zoom.bucket, now=NOW)
    cell = next(one for one in cells if one.cell.endpoint == "openai-us")
    assert [hole.reason for hole in cell.unseen] == [NO_RUN, GAP]
    gap = cell.unseen[1]
    assert gap.end - gap.start == timedelta(minutes=61)
    uptime = cell.uptime
    assert uptime.share == 1
    assert uptime.measured < timedelta(hours=11)
    assert cell.since == DAY + timedelta(hours=8, seconds=18)


def test_a_gap_that_covers_the_whole_period_is_seen(filled_database: Database) -> None:
    """A lane of the day after is not up, and has no uptime."""
    zoom, later = ZOOMS["24h"], NOW + timedelta(days=3)
    period = period_of(zoom, later)
    with filled_database.read() as tx:
        cells = read_cells(tx, settings=SETTINGS, period=period, bucket=zoom.bucket, now=later)
    for cell in cells:
        assert {bucket.state for bucket in cell.lane.buckets} <= {
            State.UNKNOWN,
            None,
        }
        assert cell.uptime.share is None
        assert cell.state is State.UNKNOWN


def test_a_stretch_that_could_not_be_measured_is_neither_up_nor_down(sqlite_database: Database) -> None:
    """Inconclusive runs hatch the lane, and the state is unknown while they last."""
    blind: dict[str, Any] = {
        "verdict": Verdict.INCONCLUSIVE,
        "failure": Failure.MONITOR,
        "message": "the clock was stepped",
    }
    runs = [run_of(TARGETS[0], minute, 0, **(blind if minute >= 20 else {})) for minute in range(30)]
    now = DAY + 30 * MINUTE
    fill(sqlite_database, [(run, None) for run in runs], now)
    with sqlite_database.read() as tx:
        (cell,) = (one for one in read_states(tx, SETTINGS, now) if one.last)
    assert cell.state is State.UNKNOWN
    words = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost").get("/").text
    assert "hatch" in words


def test_locations_stand_beside_each_other(sqlite_database: Database) -> None:
    """Two locations have a row each; the matrix shows the worse of them."""
    here = [run_of(TARGETS[0], minute, 0) for minute in range(10)]
    there = [
        replace(run_of(TARGETS[0], minute, 0, failed=True), id=f"there-{minute}", location="dublin")
        for minute in range(10)
    ]
    now = DAY + 10 * MINUTE
    fill(sqlite_database, [(run, None) for run in (*here, *there)], now)
    client = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost")
    overview = client.get("/").text
    assert overview.count('class="lane-row"') == 2 + len(TARGETS) - 1
    assert "cell cell-down" in overview
    assert "dublin" in overview
    target = client.get(f"/targets/{TARGETS[0].key}").text
    assert target.count('<svg class="lane"') == 2


def test_a_suspicion_is_shown_before_it_has_a_number(sqlite_database: Database) -> None:
    """What is not decided yet stands on the overview without a link."""
    now = DAY + MINUTE
    fill(sqlite_database, [(run_of(TARGETS[0], 0, 0, failed=True), None)], now)
    suspicion = StoredIncident(
        id="s1",
        number=None,
        phase=Phase.SUSPECTED,
        severity=Severity.MAJOR,
        blame=Blame.UNKNOWN,
        title="gpt-4o-transcribe · rest: 1 failed run",
        start=DAY,
        end=None,
        opened_at=None,
        recovering_at=None,
        resolved_at=None,
        updated_at=now,
        rule={},
        configurations=[],
    )
    with sqlite_database.write() as tx:
        save_incident(tx, suspicion)
    page = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost").get("/").text
    assert "suspected" in page
    assert "gpt-4o-transcribe · rest: 1 failed run" in page


def test_a_stretch_in_which_the_monitor_was_unfit_is_shown_on_every_lane(sqlite_database: Database) -> None:
    """Its reason stands on all lanes of its location, and the time counts as not measured."""
    runs = [
        replace(run_of(TARGETS[0], minute, 0), id=f"{place}-{minute}", location=place)
        for minute in range(30)
        for place in ("berlin", "dublin")
    ]
    now, own = DAY + 30 * MINUTE, (DAY + 5 * MINUTE, DAY + 9 * MINUTE)
    fill(sqlite_database, [(run, None) for run in runs], now)
    with sqlite_database.write() as tx:
        add_self_observations(
            tx, [SelfObservation("berlin", SelfObservationKind.OWN, "clock", False, *own, "asleep")]
        )
    with sqlite_database.read() as tx:
        here, there = (one for one in read_states(tx, SETTINGS, now) if one.last)
    assert [(hole.start, hole.end) for hole in here.unseen if hole.reason == "asleep"] == [own]
    assert "asleep" not in {hole.reason for hole in there.unseen}


def test_a_target_that_was_never_run_is_unknown_and_counted(sqlite_database: Database) -> None:
    """One target passed, four were not run yet: the page does not call that all."""
    now = DAY + MINUTE
    fill(sqlite_database, [(run_of(TARGETS[0], 0, 0), None)], now)
    page = TestClient(app_over(sqlite_database, Dial(now=now)), base_url="http://localhost").get("/").text
    assert "All up" not in page
    assert f"1 of {len(TARGETS)} up" in page
    assert f"{len(TARGETS) - 1} unknown" in page
