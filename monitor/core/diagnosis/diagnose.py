"""Windows with neighbours and history give a diagnosis: incidents with scope, controls and blame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from monitor.core.diagnosis.blame import IncidentBlame, Reasoned, both, judge, most_frequent
from monitor.core.diagnosis.nearby_changes import NearbyChanges, find_nearby_changes
from monitor.core.diagnosis.observed_runs import ObservedRuns
from monitor.core.diagnosis.scope import FACETS, Conjunction, Facets, Scope, covers, fewest, find_scope
from monitor.core.diagnosis.signatures import Signature, signatures
from monitor.core.diagnosis.title import cell_name, subject_of, title_of
from monitor.core.model import Blame, Cell, State, Verdict
from monitor.core.outages.history import StoredRun, until_after
from monitor.core.outages.windows import Window, overlaps

__all__ = [
    "FACETS",
    "Beside",
    "Conjunction",
    "Control",
    "Incident",
    "Scope",
    "Severity",
    "Signature",
    "diagnose",
    "span_of",
]

_DAY = timedelta(days=1)


class Severity(StrEnum):
    """How bad, by the table of the domain, the worst first; `notice` goes to the owner only."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A healthy cell inside an incident's span; `passed` counts degraded runs too."""

    cell: Cell
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The other cells of an incident without a control, those with a run in the day before: how many

    had a window in its span (`failing`), and of how many it is `unknown` whether they were healthy.
    """

    failing: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A derived incident: windows with one explanation. `number` is 0 until it has one.

    `blame_reason` is the sentence that explains the blame after refinement; `also_blamed` is the other side
    where some runs are the account's or the monitor's and some are not: then both are said.
    """

    number: int
    start: datetime
    end: datetime | None
    open: bool
    blame: Blame
    blame_reason: str
    scope: Scope
    affected: tuple[str, ...]
    unaffected: tuple[Control, ...]
    subject: str
    title: str
    windows: tuple[Window, ...]
    signatures: tuple[Signature, ...]
    severity: Severity = Severity.MAJOR
    configurations: tuple[str, ...] = ()
    nearby: NearbyChanges = field(default_factory=NearbyChanges)
    beside: Beside | None = None  # only where there is no control
    also_blamed: Blame | None = None


Span = tuple[datetime, datetime | None]


def diagnose(scene: ObservedRuns, windows: Sequence[Window]) -> tuple[Incident, ...]:
    """The incidents of these windows, numbered by start, then title.

    Windows that share time are one story, but those blamed on the account, on the monitor and on
    anything else are told apart; each story is split into the fewest parts with one conjunction each.
    """
    if not windows:
        return ()
    bench = _Diagnoser(scene=scene, windows=windows)
    kinds: dict[Blame | None, list[Window]] = {}
    for window in windows:
        kinds.setdefault(_kind(bench.blame(window)), []).append(window)
    stories = chain.from_iterable(_stories(alike, scene.now) for alike in kinds.values())
    incidents = [bench.incident(part) for story in stories for part in bench.split(story)]
    incidents.sort(key=lambda incident: (incident.start, incident.title, incident.affected))
    return tuple(replace(incident, number=number) for number, incident in enumerate(incidents, 1))


def _kind(blame: Blame) -> Blame | None:
    return blame if blame in (Blame.ACCOUNT, Blame.MONITOR) else None


def _blamed(judged: Collection[tuple[StoredRun, Reasoned]]) -> IncidentBlame:
    """The blame of an incident: that of its failed runs; degraded ones have a say where none failed."""
    return both([pair for pair in judged if pair[0].verdict is Verdict.FAILED] or judged)


def _stories(windows: Iterable[Window], now: datetime) -> list[list[Window]]:
    """The windows joined as long as they share time."""
    stories: list[list[Window]] = []
    reach = None
    for window in sorted(windows, key=_window_order):
        end = window.end or until_after(now)
        if reach is not None and window.start < reach:
            stories[-1].append(window)
            reach = max(reach, end)
        else:
            stories.append([window])
            reach = end
    return stories


def _window_order(window: Window) -> tuple[datetime, Cell, State]:
    return window.start, window.cell, window.state


def span_of(windows: Iterable[Window]) -> Span:
    """The earliest start and the latest end; None where one has not ended."""
    starts, ends = zip(*((window.start, window.end) for window in windows), strict=True)
    known = [end for end in ends if end is not None]
    return min(starts), max(known) if len(known) == len(ends) else None


@dataclass(slots=True, kw_only=True)
class _Diagnoser:
    """One diagnosis: what was judged, counted and looked up so far."""

    scene: ObservedRuns
    windows: Sequence[Window]
    facets: Mapping[Cell, Facets] = field(init=False)
    by_cell: dict[Cell, list[Window]] = field(init=False)
    _judged: dict[Window, list[tuple[StoredRun, Reasoned]]] = field(default_factory=dict)
    _healthy: dict[tuple[Cell, Span], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.facets = {cell: self.scene.history.facets(cell) for cell in self.scene.runs}
        self.by_cell = {}
        for window in self.windows:
            self.by_cell.setdefault(window.cell, []).append(window)

    def judged(self, window: Window) -> list[tuple[StoredRun, Reasoned]]:
        if window not in self._judged:
            self._judged[window] = judge(self.scene, window)
        return self._judged[window]

    def blame(self, window: Window) -> Blame:
        return most_frequent(reasoned for _, reasoned in self.judged(window)).blame

    def is_healthy(self, cell: Cell, span: Span) -> bool:
        """A control of the span without a window in it.

        A cell that failed last is not yet decided: it is neither healthy nor failing, and narrows no scope.
        """
        known = self._healthy.get((cell, span))
        if known is None:
            ill = any(overlaps(window, *span) for window in self.by_cell.get(cell, ()))
            known = not ill and self.scene.is_control(cell, *span)
            self._healthy[cell, span] = known
        return known

    def split(self, story: Sequence[Window]) -> list[list[Window]]:
        """The fewest groups of windows that one conjunction each explains."""

        def fits(conjunction: Conjunction, covered: frozenset[int]) -> bool:
            span = span_of(story[index] for index in covered)
            return not any(
                covers(conjunction, facets) and self.is_healthy(cell, span)
                for cell, facets in self.facets.items()
            )

        cells = {index: self.facets[window.cell] for index, window in enumerate(story)}
        return [[story[index] for index in sorted(part)] for _, part in fewest(cells, fits)]

    def incident(self, windows: Sequence[Window]) -> Incident:
        """The incident of one group of windows."""
        span = span_of(windows)
        failing = sorted({window.cell for window in windows})
        healthy = [cell for cell in self.facets if self.is_healthy(cell, span)]
        affected = [self.facets[cell] for cell in failing]
        scope = find_scope(affected, [self.facets[cell] for cell in healthy])
        controls = self._controls(failing, healthy, span)
        subject = subject_of(scope, affected, [self.facets[one.cell] for one in controls])
        judged = {run.id: (run, reasoned) for window in windows for run, reasoned in self.judged(window)}
        blamed = _blamed(judged.values())
        nearby = find_nearby_changes(self.scene, windows)
        return Incident(
            number=0,
            start=span[0],
            end=span[1],
            open=any(window.open for window in windows),
            blame=blamed.main.blame,
            blame_reason=blamed.words(nearby.marks),
            also_blamed=blamed.other.blame if blamed.other else None,
            scope=scope,
            affected=tuple(sorted({cell.target for cell in failing})),
            unaffected=controls,
            subject=subject,
            title=self._title(subject, failing, controls, windows),
            windows=tuple(windows),
            signatures=signatures(run for run, _ in judged.values()),
            severity=self._severity(blamed, windows, span),
            configurations=tuple(
                sorted({run.configuration for run, _ in judged.values() if run.configuration})
            ),
            nearby=nearby,
            beside=None if controls else self._beside(set(failing), span),
        )

    def _beside(self, failing: set[Cell], span: Span) -> Beside:
        """What is known of the other cells where none is a control."""
        ill = unknown = 0
        for cell in self.facets.keys() - failing:
            if any(overlaps(window, *span) for window in self.by_cell.get(cell, ())):
                ill += 1
            elif self.scene.total(cell, span[0] - _DAY, span[1]):
                unknown += 1
        return Beside(failing=ill, unknown=unknown)

    def _controls(self, failing: Sequence[Cell], healthy: Iterable[Cell], span: Span) -> tuple[Control, ...]:
        """The healthy cells, nearest first: fewest differing facets, and those as late as can be."""

        def distance(cell: Cell) -> tuple[int, tuple[bool, ...]]:
            differences = (
                tuple(self.facets[cell][facet] != self.facets[other][facet] for facet in FACETS)
                for other in failing
            )
            return min((sum(differing), differing) for differing in differences)

        controls = []
        for cell in sorted(healthy, key=lambda cell: (distance(cell), cell)):
            total = self.scene.total(cell, *span)
            controls.append(
                Control(cell=cell, passed=total - len(self.scene.failed(cell, *span)), total=total)
            )
        return tuple(controls)

    def _title(
        self, subject: str, failing: Sequence[Cell], controls: Sequence[Control], windows: Sequence[Window]
    ) -> str:
        down = [window for window in windows if window.state is State.DOWN]
        named = [(cell_name(one.cell, failing), one.passed, one.total) for one in controls[:2]]
        state = State.DOWN if down else State.DEGRADED
        return title_of(subject, state, span_of(down or windows), named, now=self.scene.now)

    def _severity(self, blamed: IncidentBlame, windows: Iterable[Window], span: Span) -> Severity:
        if _kind(blamed.main.blame) and (blamed.other is None or _kind(blamed.other.blame)):
            return Severity.NOTICE
        if all(window.state is State.DEGRADED for window in windows):
            return Severity.MINOR
        return (
            Severity.CRITICAL
            if self._whole_region({window.cell for window in windows}, span)
            else Severity.MAJOR
        )

    def _whole_region(self, failing: set[Cell], span: Span) -> bool:
        """Whether every target of a region with several is down, from two locations where it has two.

        Only regions of the *failing* cells count, and only what has runs or windows in the span.
        """
        down = {
            window.cell for window in self.windows if window.state is State.DOWN and overlaps(window, *span)
        }
        measured = [cell for cell in self.facets if self.scene.total(cell, *span)]
        regions: dict[tuple[str | None, str | None], dict[str, set[Cell]]] = {}
        for cell in measured:
            regions.setdefault(self._region(cell), {}).setdefault(cell.target, set()).add(cell)
        return any(
            len(targets) > 1 and all(len(cells & down) >= min(2, len(cells)) for cells in targets.values())
            for targets in (regions[self._region(cell)] for cell in failing)
        )

    def _region(self, cell: Cell) -> tuple[str | None, str | None]:
        facets = self.facets[cell]
        return facets["provider"], facets["region"] or cell.endpoint
