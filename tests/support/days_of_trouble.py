"""A small language for whole days of trouble: a matrix of cells, what was planned, and what is expected.

A day is 3 endpoints × 3 models × 2 pathways × 2 locations. Times are written ``10:30``, hours past 24
lie on the next day. Where several troubles hit the same run the last one decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import product
from random import Random

from monitor.core.model import Blame, Cell, Failure, Outcome, Verdict
from tests.support.memory_history import MemoryHistory, run_of

MIDNIGHT = datetime(2025, 11, 17, tzinfo=UTC)
MODELS = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "whisper-1")
PATHWAYS = ("realtime", "rest")
LOCATIONS = ("berlin", "oslo")
PLAIN = {
    "sweden": ("azure_openai", "swedencentral"),
    "virginia": ("azure_openai", "eastus2"),
    "openai": ("openai", None),
}
REGIONAL = {
    "sweden": ("azure_openai", "swedencentral"),
    "sweden-two": ("azure_openai", "swedencentral"),
    "virginia": ("azure_openai", "eastus2"),
}
MARKS: Mapping[str, tuple[Verdict, Failure | None, Blame | None]] = {
    ".": (Verdict.PASSED, None, None),
    "slow": (Verdict.DEGRADED, None, Blame.PROVIDER),
    "half wrong": (Verdict.DEGRADED, Failure.QUALITY, Blame.PROVIDER),
    "server": (Verdict.FAILED, Failure.SERVER, Blame.PROVIDER),
    "silent": (Verdict.FAILED, Failure.SILENT, Blame.PROVIDER),
    "capacity": (Verdict.FAILED, Failure.CAPACITY, Blame.PROVIDER),
    "wrong": (Verdict.FAILED, Failure.QUALITY, Blame.PROVIDER),
    "connect": (Verdict.FAILED, Failure.CONNECT, Blame.UNKNOWN),
    "dns": (Verdict.FAILED, Failure.DNS, Blame.UNKNOWN),
    "auth": (Verdict.FAILED, Failure.AUTH, Blame.ACCOUNT),
    "quota": (Verdict.FAILED, Failure.QUOTA, Blame.ACCOUNT),
    "unmeasured": (Verdict.INCONCLUSIVE, Failure.MONITOR, Blame.MONITOR),
}

Where = Mapping[str, str]
EVERYWHERE: Where = {}


@cache
def at(clock: str) -> datetime:
    """The instant of a time of day."""
    hours, _, minutes = clock.partition(":")
    return MIDNIGHT + timedelta(hours=int(hours), minutes=int(minutes))


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some cells for some time; without `until` to the end of the day."""

    where: Where
    since: str
    until: str | None = None

    def holds(self, facets: Mapping[str, str | None], instant: datetime) -> bool:
        """Whether a run of a cell with these facets that began then lies in it."""
        late = self.until is not None and instant >= at(self.until)
        return at(self.since) <= instant and not late and covers(self.where, facets)


@dataclass(frozen=True, kw_only=True)
class Trouble(Stretch):
    """What runs gave: a mark, of all of them or a *share*, or of *bad* minutes in every *period*."""

    mark: str = "server"
    share: float = 1.0
    bad: float = 1.0
    period: float = 1.0

    def hits(self, instant: datetime, random: Random) -> bool:
        """Whether this run is hit."""
        minute = (instant - at(self.since)) / timedelta(minutes=1)
        drawn = random.random()  # always drawn, so that one trouble does not move the others
        return minute % self.period < self.bad and drawn < self.share


@dataclass(frozen=True, kw_only=True)
class Silence(Stretch):
    """No runs at all: the monitor was off, or the target was not watched."""


@dataclass(frozen=True, kw_only=True)
class Late(Stretch):
    """Runs that arrive together, at an instant after their stretch."""

    arrives: str


@dataclass(frozen=True, kw_only=True)
class Changed(Stretch):
    """Runs with another configuration."""

    configuration: str


Event = Trouble | Silence | Late | Changed


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An incident that must be found, and nothing but it.

    `parts` are the cells it covers, each for as long as it was in trouble. `loose` is how far, in
    intervals, an edge may lie from the planned one.
    """

    scope: tuple[Where, ...]
    parts: tuple[Stretch, ...]
    blame: Blame = Blame.PROVIDER
    severity: str = "major"
    states: tuple[str, ...] = ("down",)
    open: bool = False
    loose: float = 1.0


def planned(scope: Where, since: str, until: str | None = None, **more: object) -> Planned:
    """One incident of all cells of a scope for the same time."""
    part = Stretch(where=scope, since=since, until=until)
    return Planned(scope=(scope,), parts=(part,), open=until is None, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A day: what happened, and what must be found."""

    name: str
    events: tuple[Event, ...]
    expected: tuple[Planned, ...] = ()
    endpoints: Mapping[str, tuple[str, str | None]] = field(default_factory=lambda: PLAIN)
    every: int = 300
    begins: str = "0:00"
    ends: str = "24:00"
    gaps: int = 0
    blind: int = 0
    portion: int = 15  # minutes of runs that arrive together

    @cached_property
    def facets(self) -> dict[Cell, dict[str, str | None]]:
        """Every cell of the matrix with its facets."""
        found: dict[Cell, dict[str, str | None]] = {}
        for endpoint, model, pathway, location in product(self.endpoints, MODELS, PATHWAYS, LOCATIONS):
            provider, region = self.endpoints[endpoint]
            found[Cell(endpoint, model, pathway, location)] = {
                "endpoint": endpoint,
                "region": region,
                "provider": provider,
                "model": model,
                "pathway": pathway,
                "location": location,
            }
        return found

    @property
    def interval(self) -> timedelta:
        """How far apart a cell's runs are."""
        return timedelta(seconds=self.every)

    @property
    def now(self) -> datetime:
        """When the day is over."""
        return at(self.ends)

    @cached_property
    def arrivals(self) -> dict[str, datetime]:
        """When each run arrived that came late, by id."""
        late = [event for event in self.events if isinstance(event, Late)]
        return {
            run.id: at(event.arrives)
            for run in self.outcomes
            for event in late
            if event.holds(self.facets[run.cell], run.started_at)
        }

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """The runs of the day."""
        return [run for index, cell in enumerate(self.facets) for run in self._row(index, cell)]

    def _row(self, index: int, cell: Cell) -> Iterator[Outcome]:
        begin = at(self.begins) + timedelta(seconds=round(index * 0.7 * self.every / len(self.facets)))
        random = Random(f"{self.name} {index}")
        for slot in range(int((self.now - begin) / self.interval) + 1):
            instant = begin + slot * self.interval
            run = self._run(cell, instant, random)
            if run is not None and instant < self.now:
                yield run

    def _run(self, cell: Cell, instant: datetime, random: Random) -> Outcome | None:
        facets = self.facets[cell]
        mark, configuration = ".", "c1"
        for event in self.events:
            holds = event.holds(facets, instant)
            if isinstance(event, Silence) and holds:
                return None
            if isinstance(event, Changed) and holds:
                configuration = event.configuration
            if isinstance(event, Trouble) and event.hits(instant, random) and holds:
                mark = event.mark
        verdict, failure, blame = MARKS[mark]
        return Outcome(
            id=f"{instant:%d%H%M%S}-{cell.endpoint}-{cell.model}-{cell.pathway}-{cell.location}",
            endpoint=cell.endpoint,
            provider=facets["provider"],
            region=facets["region"],
            model=cell.model,
            pathway=cell.pathway,
            location=cell.location,
            every_s=self.every,
            configuration=configuration,
            verdict=verdict,
            failure=failure,
            blame=blame,
            slot=instant,
            started_at=instant,
            finished_at=instant + timedelta(seconds=2),
        )

    def batches(self) -> Iterator[tuple[datetime, list[Outcome]]]:
        """The runs as they arrive, portion by portion, with the instant at which each is recorded."""
        portions: dict[int, list[Outcome]] = {}
        length = timedelta(minutes=self.portion)
        for run in self.outcomes:
            arrived = self.arrivals.get(run.id, run.started_at)
            portions.setdefault((arrived - MIDNIGHT) // length, []).append(run)
        for number, runs in sorted(portions.items()):
            runs.sort(key=lambda run: (run.started_at, run.id))
            yield min(MIDNIGHT + (number + 1) * length, self.now), runs


def covers(where: Where, facets: Mapping[str, str | None]) -> bool:
    """Whether a cell has every value."""
    return all(facets[facet] == value for facet, value in where.items())


class GrowingHistory(MemoryHistory):
    """A history in memory that runs are added to; only the cells they belong to are read anew.

    Every run must have its `every_s`, so that no median moves.
    """

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in some more runs; those later than all of their cell cost no more than themselves."""
        for outcome in sorted(outcomes, key=lambda run: (run.started_at, run.id)):
            known = self._outcomes.setdefault(outcome.cell, [])
            key = (outcome.started_at, outcome.id)
            if known and key < (known[-1].started_at, known[-1].id):
                self._insert(outcome)
            else:
                self._append(outcome, known)

    def _append(self, outcome: Outcome, known: list[Outcome]) -> None:
        cell = outcome.cell
        conclusive = self._conclusive.setdefault(cell, [])
        if outcome.verdict is not Verdict.INCONCLUSIVE:
            conclusive.append(outcome.started_at)
        run = run_of(outcome, known[-1] if known else None, len(conclusive), None)
        known.append(outcome)
        self._runs.setdefault(cell, []).append(run)
        notable = self._notable.setdefault(cell, [])
        if run.verdict is not Verdict.PASSED or run.may_reset_lookback:
            notable.append(run)

    def _insert(self, outcome: Outcome) -> None:
        cell = outcome.cell
        whole = MemoryHistory([*self._outcomes[cell], outcome])
        self._outcomes[cell] = whole._outcomes[cell]
        self._runs[cell] = whole._runs[cell]
        self._notable[cell] = whole._notable[cell]
        self._conclusive[cell] = whole._conclusive[cell]
