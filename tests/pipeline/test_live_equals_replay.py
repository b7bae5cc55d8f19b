"""The live path against a replay of everything, driven at random: runs, late ones, restarts, new rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import Phase as Part
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitor.core.incidents.compare import compare, difference_lines
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Phase
from monitor.core.model import Cell, Failure, Outcome, Verdict
from monitor.core.outages.masking import pause
from monitor.core.outages.rule import Rule, Threshold
from monitor.core.scheduling.slots import EPOCH
from monitor.pipeline.derive import update_all_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import open_database
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.incidents import read_incidents_since, read_windows
from monitor.store.outcomes.add import Added
from tests.support.recorded_minutes import FAILING, HOUSE, LETTERS, MINUTE, REST, run_of

FAR = FAILING._replace(endpoint="openai-us")
STRETCHES = (
    "xxx",
    "x.x.x",
    "xxxx...........",
    "xxx......xx.",
    "dddd..",
    "d.d.xd.d",
    "?x?xx?",
    "............",
    "??x.",
)
LANES = (FAILING, REST, FAR)
OTHER = Rule(
    down=Threshold(bad=2, of=4, span=timedelta(0), good=3, merge=timedelta(minutes=5), merge_intervals=2),
    degraded=Threshold(bad=3, of=8, span=timedelta(0), good=4, merge=timedelta(minutes=6), merge_intervals=3),
)


def lane_run(
    cell: Cell,
    minute: int,
    verdict: Verdict,
    failure: Failure | None = None,
    configuration: str = "9f2c",
) -> Outcome:
    """The run of any cell, of another endpoint and location too."""
    run = run_of(cell, minute, verdict)
    name = f"{cell.endpoint}-{cell.location}-{run.id}"
    return replace(run, id=name, endpoint=cell.endpoint, failure=failure, configuration=configuration)


class LivePath(RuleBasedStateMachine):
    """A service whose database is compared, after whatever happened to it, with a replay."""

    new_url: Callable[..., str]

    def __init__(self) -> None:
        super().__init__()
        self.url = self.new_url("sqlite")
        self.database = open_database(self.url)
        self.house = HOUSE
        self.minute = 0
        self.clock = run_of(FAILING, 0, Verdict.PASSED).finished_at
        self.held: list[Outcome] = []
        self.numbers: dict[str, int] = {}
        self.mixed = False  # incidents of another rule are kept as that rule made them

    @initialize(letters=st.sampled_from(("xxxx", "xxxx......", "dddddd")), cell=st.sampled_from(LANES))
    def trouble(self, letters: str, cell: Cell) -> None:
        """What passes is worth no comparison: every example begins with a window."""
        self.all_passes(6)
        self.runs(letters, cell, Failure.SERVER, "9f2c", spooled=False, portion=3)

    def teardown(self) -> None:
        """Let the file go."""
        self.database.dispose()

    @rule(
        letters=st.sampled_from(STRETCHES),
        cell=st.sampled_from(LANES),
        failure=st.sampled_from((Failure.SERVER, Failure.AUTH, Failure.CONNECT)),
        configuration=st.sampled_from(("9f2c", "9f2c", "9f2c", "01ab")),
        spooled=st.sampled_from((False, False, True)),
        portion=st.sampled_from((3, 20)),
    )
    def runs(
        self, letters: str, cell: Cell, failure: Failure, configuration: str, *, spooled: bool, portion: int
    ) -> None:
        """One cell's runs, a minute apart, while the others pass; its own may stay in a spool for now."""
        waiting: list[Outcome] = []
        for letter in letters:
            failed = failure if LETTERS[letter] is Verdict.FAILED else None
            own = lane_run(cell, self.minute, LETTERS[letter], failed, configuration)
            waiting += [lane_run(other, self.minute, Verdict.PASSED) for other in LANES if other != cell]
            (self.held if spooled else waiting).append(own)
            self.minute += 1
            if self.minute % portion == 0:
                self._record(waiting)
                waiting = []
        self._record(waiting)

    @rule(minutes=st.sampled_from((1, 8, 200)))
    def silence(self, minutes: int) -> None:
        """No run for a while; the service takes its turn."""
        self.minute += minutes
        self.clock += minutes * MINUTE
        record(self.database, [], self.house, now=self.clock)

    @precondition(lambda self: self.held)
    @rule(minutes=st.sampled_from((0, 200)))
    def spool_arrives(self, minutes: int) -> None:
        """What was held back comes, at once or hours late."""
        if minutes:
            self.silence(minutes)
        held, self.held = self.held, []
        self._record(held)

    @rule(minutes=st.sampled_from((1, 4, 6, 12)))
    def all_passes(self, minutes: int) -> None:
        """Nothing bad comes, one transaction a minute: the usual case."""
        for _ in range(minutes):
            self._record([lane_run(cell, self.minute, Verdict.PASSED) for cell in LANES])
            self.minute += 1

    @rule(judged_anew=st.booleans(), new=st.sampled_from((None, None, Rule(), OTHER)))
    def restart(self, judged_anew: bool, new: Rule | None) -> None:  # noqa: FBT001 - drawn by name
        """Another process opens the same file, perhaps with another rule, perhaps after an import."""
        self.database.dispose()
        self.database = open_database(self.url)
        if new is not None and new != self.house.rule:
            self.house = replace(self.house, rule=new)
            self.mixed = True
        if judged_anew:
            update_all_incidents(self.database, self.house)
            self.mixed = False
        elif self.mixed:  # the new rule has its say with the next news
            self.runs("x", FAILING, Failure.SERVER, "9f2c", spooled=False, portion=1)

    def _record(self, runs: list[Outcome]) -> None:
        self.clock = max([self.clock, *(one.finished_at for one in runs)])
        done = record(
            self.database,
            [Observed(outcome=one, evidence=None) for one in runs],
            self.house,
            now=self.clock,
        )
        assert {result.added for result in done.results} <= {Added.ADDED}

    @invariant()
    def what_is_stored_is_what_a_replay_says(self) -> None:
        """Windows and incidents; from now back as far as anything reaches, where rules are mixed."""
        with self.database.read() as tx:
            history = pause(StoreHistory(tx, self.house.every), read_maintenance(tx))
            if history.newest() is None:
                return
            since = self.clock if self.mixed else None
            derived = derive(history, self.house.rule, now=self.clock, since=since)
            stored = read_incidents_since(tx, EPOCH)
            difference = compare(read_windows(tx), stored, derived, now=self.clock)
            assert not difference, "\n".join(difference_lines(difference))

    @invariant()
    def a_number_stays_with_its_incident(self) -> None:
        """No number is given twice, changes or is taken back."""
        with self.database.read() as tx:
            numbered = [one for one in read_incidents_since(tx, EPOCH) if one.number is not None]
        found = {one.id: one.number for one in numbered if one.number is not None}
        standing = [one.number for one in numbered if one.phase is not Phase.DISMISSED]
        assert len(standing) == len(set(standing))
        assert all(found.get(key, number) == number for key, number in self.numbers.items())
        self.numbers |= found


def test_the_live_path_and_a_replay_always_agree(new_url: Callable[..., str]) -> None:
    """Whatever comes in whatever order, what is stored is what a replay of the whole history says."""

    class Here(LivePath):
        pass

    Here.new_url = staticmethod(new_url)
    # To shrink a failing example takes longer than a test may; the difference itself says enough.
    searching = settings(
        max_examples=12, stateful_step_count=10, deadline=None, phases=[Part.reuse, Part.generate]
    )
    run_state_machine_as_test(Here, settings=searching)
