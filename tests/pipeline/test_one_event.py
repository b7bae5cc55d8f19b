"""One event gives one alert: outages of many targets, run by run as a scheduler would ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.incidents.compare import compare, difference_lines
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Phase
from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.scheduling.attention import CONFIRM_EVERY
from monitor.core.scheduling.slots import EPOCH, offset_of
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.incidents.incidents import read_incidents_since, read_unresolved_incidents, read_windows
from monitor.store.incidents.notices import claim_notice, read_notices, settle_notice
from tests.support.stored_outcomes import DAY, make

HOUSE = DerivationSettings(location="berlin", policies=[Policy(channel="oncall")])
REGIONS = ("swedencentral", "westeurope", "eastus", "japaneast")
PATHWAYS = ("rest", "rest_stream", "realtime", "realtime_transcription")
CELLS = tuple(
    Cell(f"azure-{region}", f"model-{model}", pathway, "berlin")
    for region in REGIONS
    for model in range(5)
    for pathway in PATHWAYS
)
START = DAY + timedelta(hours=8, seconds=17)
MINUTE = timedelta(minutes=1)
STEP = timedelta(seconds=4)
LASTS = timedelta(milliseconds=1200)  # a run


@dataclass(slots=True, kw_only=True)
class Fleet:
    """Targets that are asked every so often, then closer, at most so often a minute for each deployment."""

    database: Database
    every: timedelta
    failing: Callable[[Cell, datetime], bool]
    cells: tuple[Cell, ...] = CELLS
    house: DerivationSettings = HOUSE
    quota: int = 3
    now: datetime = START
    due: dict[Cell, datetime] = field(default_factory=dict)
    bad: dict[Cell, list[datetime]] = field(default_factory=dict)
    starts: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    first_bad: datetime | None = None
    made: int = 0

    def __post_init__(self) -> None:
        past = [
            Observed(
                outcome=self._run(cell, self._slot(cell) - back * self.every, Verdict.PASSED), evidence=None
            )
            for cell in self.cells
            for back in (3, 2, 1)
        ]
        record(self.database, past, self.house, now=START)
        self.due = {cell: self._slot(cell) for cell in self.cells}

    def _slot(self, cell: Cell) -> datetime:
        return START + offset_of(str(cell), self.every)

    def _run(self, cell: Cell, at: datetime, verdict: Verdict) -> Outcome:
        self.made += 1
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        return make(
            0,
            verdict,
            id=f"run-{self.made:06d}",
            endpoint=cell.endpoint,
            region=cell.endpoint.removeprefix("azure-"),
            model=cell.model,
            pathway=cell.pathway,
            location=cell.location,
            every_s=self.every.total_seconds(),
            slot=at,
            started_at=at,
            finished_at=at + LASTS,
        )

    def live(self, lasting: timedelta, *, deliver: bool = True) -> None:
        """Go on for so long, in steps as long as a few turns of the service."""
        until = self.now + lasting
        while self.now < until:
            self.now += STEP
            runs = list(self._come_due())
            record(self.database, runs, self.house, now=self.now)
            if deliver:
                self._deliver()

    def _come_due(self) -> Iterable[Observed]:
        limit = self.now - LASTS
        while (ready := min(self.due, key=lambda cell: (self.due[cell], cell))) and self.due[ready] <= limit:
            at = self.due[ready]
            mine = self.starts.setdefault((ready.endpoint, ready.model), [])
            recent = [start for start in mine if start > at - MINUTE]
            if len(recent) >= self.quota:
                self.due[ready] = at + timedelta(seconds=5)
                continue
            mine.append(at)
            failed = self.failing(ready, at)
            self._plan(ready, at, failed=failed)
            verdict = Verdict.FAILED if failed else Verdict.PASSED
            yield Observed(outcome=self._run(ready, at, verdict), evidence=None)

    def _plan(self, cell: Cell, at: datetime, *, failed: bool) -> None:
        """When it runs next; its first bad run brings its neighbours."""
        bad = self.bad.setdefault(cell, [])
        if not failed:
            self.due[cell] = at + self.every
            return
        self.first_bad = self.first_bad or at
        if not bad:
            for other in self.cells:
                near = other.model == cell.model or other.pathway == cell.pathway
                if other != cell and other.endpoint == cell.endpoint and near and not self.bad.get(other):
                    self.due[other] = min(self.due[other], at + timedelta(milliseconds=100))
        bad.append(at)
        open_ = len(bad) >= 3 and at - bad[0] >= MINUTE
        self.due[cell] = at + (min(self.every, MINUTE) if open_ else CONFIRM_EVERY)

    def _deliver(self) -> None:
        with self.database.write() as tx:
            while notice := claim_notice(tx, self.now, MINUTE):
                settle_notice(tx, notice.id, now=self.now, sent=True)

    def notices(self) -> list[Notice]:
        """All of them, in order."""
        with self.database.read() as tx:
            return list(read_notices(tx))

    def opened(self) -> list[Notice]:
        """The notices that wake people."""
        return [notice for notice in self.notices() if notice.kind is NoticeKind.OPENED]

    def differences(self) -> list[str]:
        """What a replay says otherwise than what is stored."""
        with self.database.read() as tx:
            history = StoreHistory(tx, self.house.every)
            derivation = derive(history, self.house.rule, now=self.now)
            found = compare(read_windows(tx), read_incidents_since(tx, EPOCH), derivation, now=self.now)
        return list(difference_lines(found))


@pytest.mark.parametrize("every", [MINUTE, 5 * MINUTE])
def test_a_provider_wide_outage_is_one_alert(sqlite_database: Database, every: timedelta) -> None:
    """Eighty targets in four regions: one opening, none withdrawn, within the rule's time and a minute."""
    fleet = Fleet(database=sqlite_database, every=every, failing=lambda _cell, _at: True)
    fleet.live(timedelta(minutes=4))
    (opened,) = fleet.opened()
    assert fleet.first_bad is not None
    assert opened.created_at - fleet.first_bad <= timedelta(seconds=150)
    assert "Withdrawn" not in {notice.body["data"]["title"].split(":")[0] for notice in fleet.notices()}
    assert len({notice.incident_id for notice in fleet.notices()}) == 1
    assert len(fleet.notices()) <= 4
    assert fleet.differences() == ["equal: what is stored is what the replay says"]


def test_two_causes_at_once_are_two_alerts(sqlite_database: Database) -> None:
    """A model at one endpoint and a pathway at another fail in the same seconds: two, each with its scope."""

    def failing(cell: Cell, _at: datetime) -> bool:
        model = cell.endpoint == "azure-eastus" and cell.model == "model-2"
        return model or (cell.endpoint == "azure-japaneast" and cell.pathway == "rest")

    fleet = Fleet(database=sqlite_database, every=MINUTE, failing=failing)
    fleet.live(timedelta(minutes=4))
    scopes = [notice.body["data"]["scope"] for notice in fleet.opened()]
    assert len({notice.incident_id for notice in fleet.notices()}) == 2
    assert sorted(sorted(part.values()) for (part,) in scopes) == [
        ["azure-eastus", "model-2"],
        ["azure-japaneast", "rest"],
    ]
    assert fleet.differences() == ["equal: what is stored is what the replay says"]


def test_a_single_target_waits_for_nobody(sqlite_database: Database) -> None:
    """With nothing else under decision it is told with the run that opens its window."""
    fleet = Fleet(
        database=sqlite_database, every=5 * MINUTE, failing=lambda cell, _at: cell == CELLS[7], quota=9
    )
    fleet.due[CELLS[7]] = START
    fleet.live(timedelta(minutes=2))
    (opened,) = fleet.opened()
    assert fleet.first_bad is not None
    assert opened.created_at - fleet.first_bad <= timedelta(seconds=66)


def test_what_settles_has_no_number_and_a_turn_of_the_clock_gives_it_one(sqlite_database: Database) -> None:
    """While another cell is under decision it stays a suspicion, across a restart; at most a minute."""
    mine, other = CELLS[0], CELLS[45]
    fleet = Fleet(
        database=sqlite_database,
        every=5 * MINUTE,
        failing=lambda cell, _at: cell in (mine, other),
        cells=(mine, other, CELLS[60]),
        quota=9,
    )
    fleet.due = {mine: START, other: START + 50 * timedelta(seconds=1), CELLS[60]: START + timedelta(hours=1)}
    fleet.live(timedelta(seconds=64))
    with sqlite_database.read() as tx:
        (settling,) = [one for one in read_unresolved_incidents(tx) if one.diagnosis.windows]
    assert (settling.phase, settling.number) == (Phase.SUSPECTED, None)
    assert not fleet.notices()
    again = replace(fleet, due=dict.fromkeys(fleet.cells, START + timedelta(days=1)))
    record(sqlite_database, [], HOUSE, now=START + timedelta(seconds=119))
    assert not again.notices()
    record(sqlite_database, [], HOUSE, now=START + timedelta(seconds=122))
    (opened,) = again.opened()
    assert opened.body["data"]["incident"] == 1
