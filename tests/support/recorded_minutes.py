"""A database that a stretch of minutes is recorded into, one run per cell and minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import Notice
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import EntryKind, IncidentKind, Phase, StoredIncident
from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.masking import pause
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import Recorded, record
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.incidents import (
    read_entries,
    read_numbered_incidents,
    read_unresolved_incidents,
    read_windows,
)
from monitor.store.incidents.notices import read_notices
from tests.support.stored_outcomes import make

MINUTE = timedelta(minutes=1)
FAILING = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
REST = FAILING._replace(pathway="rest")
WHISPER = FAILING._replace(model="whisper-1")
CELLS = (FAILING, REST, WHISPER)
HOUSE = DerivationSettings(location="berlin", policies=[Policy(channel="oncall")])
LETTERS = {".": Verdict.PASSED, "x": Verdict.FAILED, "d": Verdict.DEGRADED, "?": Verdict.INCONCLUSIVE}


def run_of(cell: Cell, minute: int, verdict: Verdict) -> Outcome:
    """The run of a cell in a minute of the day."""
    name = f"{cell.model}-{cell.pathway}-{minute:04d}"
    return make(minute, verdict, id=name, model=cell.model, pathway=cell.pathway, location=cell.location)


@dataclass(slots=True)
class Stretch:
    """Minutes recorded one after the other; the clock stands 4 s after the runs' slots."""

    database: Database
    house: DerivationSettings = HOUSE
    minute: int = 0
    recorded: list[Recorded] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """When the minute's runs are recorded."""
        return make(self.minute).slot + timedelta(seconds=4)

    def record(self, lanes: Mapping[Cell, str]) -> Recorded:
        """Record a letter a minute for each cell, one transaction per minute; the last one's result."""
        for letters in zip(*lanes.values(), strict=True):
            runs = [
                Observed(outcome=run_of(cell, self.minute, LETTERS[letter]), evidence=None)
                for cell, letter in zip(lanes, letters, strict=True)
            ]
            self.recorded.append(record(self.database, runs, self.house, now=self.now))
            self.minute += 1
        return self.recorded[-1]

    def fail(self, letters: str) -> Recorded:
        """Letters for the cell of the reference outage, while its neighbours pass."""
        return self.record({FAILING: letters, REST: "." * len(letters), WHISPER: "." * len(letters)})

    def turn(self, **parts: float) -> Recorded:
        """A pass without runs, so much after the last minute's."""
        now = self.now - MINUTE + timedelta(**parts)
        self.recorded.append(record(self.database, [], self.house, now=now))
        return self.recorded[-1]

    def incidents(self) -> Sequence[StoredIncident]:
        """The numbered incidents, the newest first."""
        with self.database.read() as tx:
            return read_numbered_incidents(tx)

    def incident(self) -> StoredIncident:
        """The only one."""
        (found,) = self.incidents()
        return found

    def phases(self) -> Sequence[Phase]:
        """The phases of the numbered incidents, the newest first."""
        return [one.phase for one in self.incidents()]

    def entries(self) -> Sequence[EntryKind]:
        """What the timeline of the only incident says, in order."""
        with self.database.read() as tx:
            return [entry.kind for entry in read_entries(tx, self.incident().id)]

    def notices(self) -> Sequence[Notice]:
        """What is owed or was sent, in order."""
        with self.database.read() as tx:
            return read_notices(tx)

    def check_agreement(self, now: datetime) -> None:
        """What is stored is what deriving the whole history afresh gives."""
        with self.database.read() as tx:
            whole = pause(StoreHistory(tx, self.house.every), read_maintenance(tx))
            derived = derive(whole, self.house.rule, now=now)
            assert read_windows(tx) == derived.windows
            settling = [one for one in read_unresolved_incidents(tx) if one.phase is Phase.SUSPECTED]
        outages = [one for one in self.incidents() if one.kind is IncidentKind.OUTAGE]
        outages += [one for one in settling if one.diagnosis.windows]
        stored = sorted(outages, key=lambda one: (one.start, one.title))
        assert [(one.title, one.start, one.end, one.blame) for one in stored] == [
            (one.title, one.start, one.end, one.blame) for one in derived.incidents
        ]
