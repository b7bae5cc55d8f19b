"""One transaction: what came, what follows from it, and nothing where it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from monitor.core.errors import DatabaseBusy
from monitor.core.incidents.incident import Change, IncidentKind
from monitor.core.model import Failure, Verdict
from monitor.core.outages.reading_start import Clearings
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.core.scheduling.attention import Slots
from monitor.pipeline.derive import judge_what_was_left
from monitor.pipeline.observe import Observed, observe
from monitor.pipeline.pace import Pace
from monitor.pipeline.record import Skipped, record
from monitor.store.database.engine import Database, open_database
from monitor.store.derivation.history import StoreHistory
from monitor.store.heartbeats import read_last_beat
from monitor.store.incidents.incidents import read_incidents_since
from monitor.store.outcomes.add import Added
from monitor.store.outcomes.read import read_evidence, stream_outcomes
from tests.pipeline.test_observe import due
from tests.support.fakes import FakeClock
from tests.support.recorded_minutes import FAILING, HOUSE, MINUTE, Stretch, run_of
from tests.support.scripted_transport import ScriptedTransport, broken, target
from tests.support.skipped_slots import read_skipped_slots
from tests.support.stored_outcomes import DAY


def test_outcomes_evidence_skips_and_the_sign_of_life_share_a_transaction(database: Database) -> None:
    """All of it is stored by one call, on either kind of database."""
    run = run_of(FAILING, 0, Verdict.PASSED)
    skip = Skipped(cell=FAILING, slots=Slots(first=DAY + MINUTE), reason="busy: the run before has not ended")
    now = DAY + timedelta(seconds=4)
    done = record(database, [Observed(outcome=run, evidence={"frames": [1]}), skip], HOUSE, now=now)
    assert [result.added for result in done.results] == [Added.ADDED]
    with database.read() as tx:
        assert list(stream_outcomes(tx)) == [run]
        assert read_evidence(tx, run.id) == {"frames": [1]}
        assert read_skipped_slots(tx, DAY, DAY + 2 * MINUTE) == ((FAILING, skip.slots, skip.reason),)
        assert read_last_beat(tx, location="berlin") == now


def test_the_same_run_again_changes_nothing(sqlite_database: Database) -> None:
    """A batch that was stored and is handed over once more is a duplicate, its verdict the same."""
    stretch = Stretch(sqlite_database)
    stretch.fail("...xxx")
    before = stretch.incident()
    again = [Observed(outcome=run_of(FAILING, 5, Verdict.FAILED), evidence=None)]
    done = record(sqlite_database, again, HOUSE, now=stretch.now)
    assert [result.added for result in done.results] == [Added.DUPLICATE]
    assert stretch.incident() == before


def test_a_run_that_conflicts_is_refused_and_the_rest_is_stored(sqlite_database: Database) -> None:
    """One refused outcome, with its reason, costs none of those beside it."""
    first = Observed(outcome=run_of(FAILING, 0, Verdict.PASSED), evidence=None)
    other = Observed(outcome=run_of(FAILING, 1, Verdict.PASSED), evidence=None)
    changed = Observed(outcome=run_of(FAILING, 0, Verdict.DEGRADED), evidence=None)
    record(sqlite_database, [first], HOUSE, now=DAY)
    done = record(sqlite_database, [changed, other], HOUSE, now=DAY + MINUTE)
    assert [result.added for result in done.results] == [Added.CONFLICT, Added.ADDED]
    assert done.results[0].reason == f"id '{first.outcome.id}' is stored already with other content"


def test_a_locked_database_stores_nothing_and_the_same_call_may_be_made_again(
    new_url: Callable[..., str],
) -> None:
    """After DatabaseBusy there is no half of a batch, and nothing remembered that was rolled back."""
    url = new_url("sqlite")
    other, ours = open_database(url), open_database(url, busy_timeout_s=0.05)
    items = [Observed(outcome=run_of(FAILING, 0, Verdict.FAILED), evidence={"frames": []})]
    with other.write(), pytest.raises(DatabaseBusy, match="is locked by another process"):
        record(ours, items, HOUSE, now=DAY)
    with ours.read() as tx:
        assert not list(stream_outcomes(tx))
    assert [result.added for result in record(ours, items, HOUSE, now=DAY).results] == [Added.ADDED]
    ours.dispose()
    other.dispose()


async def test_the_spine_from_slot_to_incident(database: Database) -> None:
    """Three runs of the reference outage, really held, judged and recorded, are one incident."""
    clock = FakeClock(DAY)
    transport = ScriptedTransport(broken, clock)
    changes: list[Change] = []
    for _ in range(3):
        seen = await observe(replace(due(), slot=clock()), transport, now=clock())
        changes += record(database, [seen], HOUSE, now=clock.advance(seconds=3)).judged.changes
        clock.advance(seconds=57)
    stretch = Stretch(database)
    assert changes[-1].incident.number == stretch.incident().number == 1
    assert stretch.incident().diagnosis.affected == (target().key,)
    assert stretch.incident().start == DAY


def test_a_look_at_a_control_host_is_stored_before_the_run_that_is_read_in_its_light(
    sqlite_database: Database,
) -> None:
    """Endpoint and host out of reach: no outage, and what is stored is what a replay says."""
    stretch = Stretch(sqlite_database)
    stretch.fail("...")
    for minute in range(3, 9):
        lost = replace(run_of(FAILING, minute, Verdict.FAILED), failure=Failure.CONNECT, type=None)
        at = lost.finished_at
        look = SelfObservation(
            "berlin", SelfObservationKind.CONTROL, "example.com:443", good=False, start=at, end=at
        )
        record(sqlite_database, [Observed(outcome=lost, evidence=None), look], HOUSE, now=at + MINUTE / 10)
    assert stretch.incident().kind is IncidentKind.BLIND
    stretch.check_agreement(DAY + 9 * MINUTE)


class Failing(Pace):
    """A pace with which deriving fails, as a fault of ours would let it."""

    def clearings(self, stored: StoreHistory, rests_on: object) -> Clearings:  # noqa: ARG002
        """Fails."""
        raise ZeroDivisionError


def test_outcomes_are_stored_although_they_cannot_be_judged_and_are_judged_later(database: Database) -> None:
    """A fault in the derivation costs no outcome; the next start derives what was left."""
    runs = [run_of(FAILING, minute, Verdict.FAILED) for minute in range(4)]
    items = [Observed(outcome=run, evidence=None) for run in runs]
    with capture_logs() as logs:
        record(database, items, HOUSE, now=DAY + 4 * MINUTE, pace=Failing())
    assert [entry["event"] for entry in logs] == ["what is stored could not be judged"]
    with database.read() as tx:
        assert list(stream_outcomes(tx)) == runs
        assert not read_incidents_since(tx, DAY)
    assert judge_what_was_left(database, HOUSE)
    with database.read() as tx:
        assert [one.number for one in read_incidents_since(tx, DAY)] == [1]
    assert not judge_what_was_left(database, HOUSE)
