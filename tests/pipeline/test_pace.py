"""When deriving happens: it may wait, and what is stored afterwards is as if it had not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import Phase as Part
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitor.core.incidents.incident import EntryKind
from monitor.core.model import Cell, Failure, Outcome, Verdict
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.marks import Mark
from monitor.core.scheduling.slots import EPOCH
from monitor.pipeline.annotate import append_entry, note_mark
from monitor.pipeline.annotate import pause as enter_pause
from monitor.pipeline.derive import update_all_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.pace import BEAT, Pace
from monitor.pipeline.record import record
from monitor.store.database.engine import Database, open_database
from monitor.store.incidents.incidents import (
    read_entries,
    read_incidents_since,
    read_numbered_incidents,
    read_windows,
)
from monitor.store.incidents.notices import claim_notice, read_notices, settle_notice
from tests.pipeline.test_live_equals_replay import LANES, STRETCHES, lane_run
from tests.support.recorded_minutes import CELLS, FAILING, HOUSE, LETTERS, MINUTE, REST, Stretch, run_of

TURN = timedelta(seconds=2)


def unhurried() -> Pace:
    """A pace by which deriving costs nothing."""
    return Pace(stopwatch=lambda: 0.0)


class Twins(RuleBasedStateMachine):
    """Two services to which the same happens: one derives with every transaction, one when it is due."""

    new_url: Callable[..., str]

    def __init__(self) -> None:
        super().__init__()
        self.databases = [open_database(self.new_url("sqlite")) for _ in range(2)]
        self.paces: list[Pace | None] = [None, unhurried()]
        self.minute = 0
        self.clock = run_of(FAILING, 0, Verdict.PASSED).finished_at
        self.held: list[Outcome] = []
        self._minute([lane_run(cell, 0, Verdict.PASSED) for cell in LANES])

    def teardown(self) -> None:
        """Let the files go."""
        for database in self.databases:
            database.dispose()

    @rule(
        letters=st.sampled_from(STRETCHES),
        cell=st.sampled_from(LANES),
        failure=st.sampled_from((Failure.SERVER, Failure.AUTH, Failure.CONNECT)),
        spooled=st.sampled_from((False, False, False, True)),
    )
    def runs(self, letters: str, cell: Cell, failure: Failure, *, spooled: bool) -> None:
        """One cell's runs, a minute apart, while the others pass; its own may stay in a spool for now."""
        for letter in letters:
            failed = failure if LETTERS[letter] is Verdict.FAILED else None
            own = lane_run(cell, self.minute, LETTERS[letter], failed)
            if spooled:
                self.held.append(own)
            others = [lane_run(other, self.minute, Verdict.PASSED) for other in LANES if other != cell]
            self._minute([*others, *([] if spooled else [own])])

    @rule(minutes=st.sampled_from((1, 4, 16)))
    def silence(self, minutes: int) -> None:
        """No run for a while."""
        for _ in range(minutes):
            self._minute([])

    @precondition(lambda self: self.held)
    @rule()
    def spool_arrives(self) -> None:
        """What was held back comes, long after its time."""
        held, self.held = self.held, []
        self._minute(held)

    @precondition(lambda self: self.held)
    @rule()
    def spool_is_imported(self) -> None:
        """What was held back is stored by another process, of which the service hears nothing."""
        held, self.held = self.held, []
        for database in self.databases:
            items = [Observed(outcome=one, evidence=None) for one in held]
            record(database, items, HOUSE, now=self.clock)

    @rule()
    def delivered(self) -> None:
        """The receivers take what is owed."""
        for database in self.databases:
            while True:
                with database.write() as tx:
                    claimed = claim_notice(tx, self.clock, lease=MINUTE)
                    if claimed is None:
                        break
                    settle_notice(tx, claimed.id, now=self.clock, sent=True)

    @rule()
    def import_elsewhere(self) -> None:
        """Another process derives the whole history."""
        for database in self.databases:
            update_all_incidents(database, HOUSE)

    @rule()
    def restart(self) -> None:
        """Another process goes on with the file."""
        self.paces[1] = unhurried()

    @rule(back=st.sampled_from((0, 5, 30)), cell=st.sampled_from(LANES))
    def planned(self, back: int, cell: Cell) -> None:
        """A person pauses a target, from a while ago on."""
        start = self.clock - back * MINUTE
        plan = Maintenance(
            name="work",
            targets=(cell.target,),
            start=start,
            end=self.clock + 5 * MINUTE,
            author="ana",
            retroactive=True,
        )
        for database in self.databases:
            enter_pause(database, HOUSE, plan, now=self.clock)

    @rule()
    def marked(self) -> None:
        """A person notes what happened."""
        for database in self.databases:
            note_mark(database, HOUSE, Mark(at=self.clock, text="deployed", author="ana"), now=self.clock)

    @rule()
    def acknowledged(self) -> None:
        """A person takes what is open."""
        for database in self.databases:
            with database.read() as tx:
                numbers = [
                    one.number for one in read_incidents_since(tx, self.clock) if one.number is not None
                ]
            for number in numbers:
                append_entry(database, number, "acknowledged", "mine", "ana", now=self.clock)

    def _minute(self, runs: list[Outcome]) -> None:
        """A minute's runs as they come, and turns until the next."""
        self.clock = max([self.clock, *(one.finished_at for one in runs)])
        for one in runs:
            self._both([Observed(outcome=one, evidence=None)])
        end = run_of(FAILING, self.minute + 1, Verdict.PASSED).started_at
        self.minute += 1
        while self.clock + TURN * 5 < end:
            self.clock += TURN * 5
            self._both([])

    def _both(self, items: list[Observed]) -> None:
        for database, pace in zip(self.databases, self.paces, strict=True):
            record(database, items, HOUSE, now=self.clock, pace=pace)

    @invariant()
    def both_have_stored_the_same(self) -> None:
        """Windows, incidents and what was told of them, and when."""
        always, paced = map(told, self.databases)
        assert paced == always


def told(database: Database) -> Mapping[str, Any]:
    """What is stored, but for random ids and what only says when it was written."""
    with database.read() as tx:
        known = read_numbered_incidents(tx)
        waiting = [one for one in read_incidents_since(tx, EPOCH) if one.number is None]
        lines = [read_entries(tx, one.id) for one in known]
        names = {one.id: one.number for one in known}
        notices = read_notices(tx)
        windows = read_windows(tx)
    return {
        "windows": windows,
        "incidents": [(one.phase, one.severity, one.resolved_at) for one in known],
        "diagnoses": [replace(one.diagnosis, gaps=()) for one in (*known, *waiting)],
        "entries": [[(line.kind, line.text) for line in own] for own in lines],
        "turns": [[line.at for line in own if line.kind in _TURNS] for own in lines],
        "notices": [(names[one.incident_id or ""], one.kind, one.sequence) for one in notices],
    }


_TURNS = frozenset({EntryKind.OPENED, EntryKind.RECOVERING, EntryKind.RELAPSED, EntryKind.RESOLVED})


def test_what_waits_for_its_time_misses_nothing(new_url: Callable[..., str]) -> None:
    """Whatever comes in whatever order, deriving when it is due stores what deriving always does."""

    class Here(Twins):
        pass

    Here.new_url = staticmethod(new_url)
    searching = settings(
        max_examples=8, stateful_step_count=8, deadline=None, phases=[Part.reuse, Part.generate]
    )
    run_state_machine_as_test(Here, settings=searching)


def derived(stretch: Stretch, pace: Pace, seconds: int) -> int:
    """How many of the turns of so many seconds derive anything."""
    at = stretch.now - MINUTE
    turns = [at + turn * TURN for turn in range(1, seconds // 2 + 1)]
    done = [record(stretch.database, [], HOUSE, now=turn, pace=pace) for turn in turns]
    return sum(one.judged.outlook.at > EPOCH for one in done)


def test_turns_without_news_derive_nothing(database: Database) -> None:
    """While an outage only lasts, two turns of thirty look at it, as long as it is not young."""
    stretch = Stretch(database)
    stretch.fail("...." + "x" * 6)
    pace = unhurried()
    assert derived(stretch, pace, 60) == 2


def test_a_failing_target_fails_again_without_a_derivation_of_its_own(database: Database) -> None:
    """More of the same is derived together: a bad run of what is down, a passed one of what is well."""
    stretch = Stretch(database)
    stretch.fail("...." + "x" * 6)
    pace = unhurried()
    record(database, [], HOUSE, now=stretch.now, pace=pace)
    at = stretch.now + TURN
    for cell, later, verdict, due in (
        (FAILING, 0, Verdict.FAILED, False),
        (REST, 0, Verdict.PASSED, False),
        (REST, 1, Verdict.FAILED, True),
    ):
        run = run_of(cell, stretch.minute + later, verdict)
        done = record(database, [Observed(outcome=run, evidence=None)], HOUSE, now=at, pace=pace)
        assert (done.judged.outlook.at == at) is due
    (window,) = stored_of(database)
    assert (window.failed, window.total) == (7, 7)


def stored_of(database: Database) -> tuple[Any, ...]:
    """The stored windows."""
    with database.read() as tx:
        return read_windows(tx)


def test_a_recovery_is_seen_at_once(database: Database) -> None:
    """A passed run of a target that is down is news: the closing streak is watched closely."""
    stretch = Stretch(database)
    stretch.fail("...." + "x" * 6)
    pace = unhurried()
    derived(stretch, pace, 2)
    run = run_of(FAILING, stretch.minute, Verdict.PASSED)
    done = record(database, [Observed(outcome=run, evidence=None)], HOUSE, now=stretch.now, pace=pace)
    assert [one.attention.value for one in done.judged.watchings if one.cell == FAILING] == ["closing"]


def test_deriving_takes_a_share_of_the_time_at_most(database: Database) -> None:
    """Where deriving is dear the next one rests in proportion, and what came meanwhile is not lost."""
    worked = iter(range(0, 10_000, 9))  # nine seconds for each derivation
    pace = Pace(stopwatch=lambda: float(next(worked)))
    cells = dict.fromkeys(CELLS, ".")
    stretch = Stretch(database)
    stretch.record(cells)
    at, found = stretch.now, []
    for number in range(60):
        run = run_of(FAILING, stretch.minute + number, Verdict.FAILED)
        now = at + number * MINUTE
        done = record(database, [Observed(outcome=run, evidence=None)], HOUSE, now=now, pace=pace)
        found.append(done.judged.outlook.at > EPOCH)
    assert [number for number, one in enumerate(found) if one] == [0, 3, *range(7, 60, 4)]
    record(database, [], HOUSE, now=at + 68 * MINUTE, pace=pace)
    (window,) = stored_of(database)
    assert window.failed == 60


def test_what_a_killed_process_had_not_judged_is_judged_by_the_next(database: Database) -> None:
    """Runs that waited when a process died are found, though everything passes since."""
    stretch = Stretch(database)
    stretch.record(dict.fromkeys(CELLS, "...."))
    hurried = Pace(stopwatch=lambda: 0.0)
    record(database, [], HOUSE, now=stretch.now, pace=hurried)
    patient = Pace(stopwatch=iter((0.0, 60.0)).__next__)
    record(database, [], HOUSE, now=stretch.now, pace=patient)
    for _ in range(4):
        run = run_of(FAILING, stretch.minute, Verdict.FAILED)
        record(database, [Observed(outcome=run, evidence=None)], HOUSE, now=stretch.now, pace=patient)
        stretch.minute += 1
    assert stored_of(database) == ()
    record(database, [], HOUSE, now=stretch.now, pace=Pace())
    (window,) = stored_of(database)
    assert (window.cell, window.failed) == (FAILING, 4)


def test_a_clock_that_is_set_back_makes_nothing_wait(database: Database) -> None:
    """The next turn derives, whatever was due by the clock before."""
    stretch = Stretch(database)
    stretch.fail("...." + "x" * 6)
    pace = unhurried()
    derived(stretch, pace, 2)
    back = record(database, [], HOUSE, now=stretch.now - 10 * MINUTE, pace=pace)
    assert back.judged.outlook.at == stretch.now - 10 * MINUTE
    assert pace.is_due(stretch.now + BEAT * 60)
