"""Whose fault? The first blame of a failed run, refined by the cell's history and its neighbours.

A generic `server` or `silent` failure looks the same for an outage at the provider, a deployment that
was never made and an account in trouble; what passed before and beside it tells them apart. An
explicit code is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.core.classification.causes import quoted_status
from monitor.core.diagnosis.observed_runs import ObservedRuns
from monitor.core.model import Blame, Cell, Failure, Verdict
from monitor.core.outages.blind_spans import BELOW_PROTOCOL, controls_of, is_unreachable
from monitor.core.outages.history import INSTANT, StoredRun, until_after
from monitor.core.outages.marks import Mark, mark_words
from monitor.core.outages.windows import Window
from monitor.core.pathways import CONTROL_PATHWAY
from monitor.core.timefmt import rfc3339

RECENT = timedelta(hours=24)
FIRST_BLAME: Mapping[Failure, Blame] = {
    Failure.AUTH: Blame.ACCOUNT,
    Failure.QUOTA: Blame.ACCOUNT,
    Failure.CONFIG: Blame.ACCOUNT,
    Failure.SERVER: Blame.PROVIDER,
    Failure.CAPACITY: Blame.PROVIDER,
    Failure.SILENT: Blame.PROVIDER,
    Failure.CONTENT: Blame.PROVIDER,
    Failure.QUALITY: Blame.PROVIDER,
    Failure.AUDIO: Blame.MONITOR,
    Failure.LIFECYCLE: Blame.MONITOR,
    Failure.MONITOR: Blame.MONITOR,
}
_GENERIC = frozenset({Failure.SERVER, Failure.SILENT})
# What says no more than that something went wrong: 500 and its twin among the close codes.
_SAYS_NOTHING = (None, 500)
_NAMING_CLOSES = frozenset({1012, 1013, 1014})  # restart, too much load, a gateway: IANA's registry
_OURS = frozenset({Blame.ACCOUNT, Blame.MONITOR})
_RANK = {blame: rank for rank, blame in enumerate(Blame)}


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A blame, the sentence that explains it, and whether no change is known that could have caused it."""

    blame: Blame
    sentence: str
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class IncidentBlame:
    """The blame of an incident: `main`, and the other side's where enough of the `total` runs are its."""

    main: Reasoned
    other: Reasoned | None = None
    counts: Mapping[Blame, int] = field(default_factory=dict)
    total: int = 0

    def words(self, marks: Sequence[Mark]) -> str:
        """The reasons, with the marks near the start in place of the word that there is no change."""
        near = mark_words(marks)
        said = "; ".join(self._of(one, marked=bool(marks)) for one in (self.main, self.other) if one)
        return f"{said}; {near}" if near else said

    def _of(self, one: Reasoned, *, marked: bool) -> str:
        reason = f"{one.sentence}; no change recorded" if one.unchanged and not marked else one.sentence
        if self.other is None:
            return reason
        return f"{one.blame} in {self.counts[one.blame]:,} of {self.total:,} failed runs ({reason})"


def judge(scene: ObservedRuns, window: Window) -> list[tuple[StoredRun, Reasoned]]:
    """The refined blame of every failed run in the window; of its degraded runs where none failed."""
    known: dict[tuple[Failure | None, str | None, str | None, Blame | None], Reasoned] = {}
    judged = []
    for run in scene.telling(window):
        key = (run.failure, _named(run), run.code, run.blame)
        if key not in known:
            known[key] = _judge_run(scene, window, run)
        judged.append((run, known[key]))
    return judged


def most_frequent(judged: Iterable[Reasoned]) -> Reasoned:
    """The blame of most of them, with its most frequent reason; unknown where there are none.

    Ties go to the blame that stands first in the list of blames, and to the reason that comes first.
    """
    votes = list(judged)
    if not votes:
        return Reasoned(Blame.UNKNOWN, "no failed run says why")
    counts = Counter(vote.blame for vote in votes)
    blame = min(counts, key=lambda blame: (-counts[blame], _RANK[blame]))
    return Counter(vote for vote in votes if vote.blame is blame).most_common(1)[0][0]


def both(judged: Iterable[tuple[StoredRun, Reasoned]]) -> IncidentBlame:
    """The most frequent blame, and the other side's where account and provider are mixed.

    The other side counts where a fifth of the runs is its, or three of five that follow each other: a
    quota that was spent for hours must not hide the outage that began meanwhile, and a stray error among
    hundreds is none. Both reasons are said, with their shares.
    """
    runs = sorted(judged, key=lambda pair: (pair[0].started_at, pair[0].id))
    votes = [reasoned for _, reasoned in runs]
    main = most_frequent(votes)
    across = [(vote.blame in _OURS) is not (main.blame in _OURS) for vote in votes]
    if not _weighs(across):
        return IncidentBlame(main)
    other = most_frequent(vote for vote, beyond in zip(votes, across, strict=True) if beyond)
    return IncidentBlame(main, other, Counter(vote.blame for vote in votes), len(votes))


def _weighs(marked: Sequence[bool]) -> bool:
    """Whether a fifth of them is marked, or three of five in a row."""
    total = sum(marked)
    if not total or 5 * total >= len(marked):
        return total > 0
    return any(sum(marked[index : index + 5]) >= 3 for index in range(len(marked) - 4))


def _named(run: StoredRun) -> str | None:
    """What names a failure beyond its kind: a code, a status, a close code, or a cause that is quoted."""
    if run.code:
        return run.code
    quoted = quoted_status((run.message or "").lower(), run.http_status)
    if (run.http_status or 0) >= 400 and run.http_status not in _SAYS_NOTHING:
        return f"HTTP {run.http_status}"
    if run.close_code in _NAMING_CLOSES:
        return f"close {run.close_code}"
    return None if quoted in _SAYS_NOTHING else f"HTTP {quoted}"


def _judge_run(scene: ObservedRuns, window: Window, run: StoredRun) -> Reasoned:
    if run.failure is None:
        return Reasoned(run.blame or Blame.UNKNOWN, "as the outcomes say; they name no failure")
    if run.failure in BELOW_PROTOCOL:
        return _by_reach(scene, window, run.failure)
    if run.failure in _GENERIC and _named(run) is None:
        return _by_history(scene, window, scene.first_configuration(window))
    return Reasoned(FIRST_BLAME.get(run.failure, Blame.UNKNOWN), _explicit(run))


def _explicit(run: StoredRun) -> str:
    named = _named(run) if run.failure in _GENERIC else run.code
    said = f"{run.failure}: {named}" if named else f"{run.failure}"
    return f"the answer says {said}"


def _by_reach(scene: ObservedRuns, window: Window, failure: Failure) -> Reasoned:
    """Is it us? What else was reachable from here, and what reached it from elsewhere."""
    cell = window.cell
    reached = {other: _reached(scene, other, window) for other in scene.runs}
    elsewhere: dict[str, bool] = {}
    for other, seen in reached.items():
        if other.endpoint == cell.endpoint and other.location != cell.location and seen is not None:
            elsewhere[other.location] = elsewhere.get(other.location, False) or seen
    if elsewhere and all(elsewhere.values()):
        names = ", ".join(sorted(elsewhere))
        return Reasoned(Blame.NETWORK, f"{failure} failed from {cell.location} only; reached from {names}")
    asked = {run.host or cell.endpoint for run in scene.telling(window)} | {cell.endpoint}
    beside = sorted(
        {
            other.endpoint
            for other, seen in reached.items()
            if seen and other.location == cell.location and scene.host(other) not in asked
        }
        | _controls_reached(scene, window)
    )
    if beside:
        reason = f"{failure} failed while {', '.join(beside)} was reachable: its edge or the route to it"
        return Reasoned(Blame.PROVIDER, reason)
    return Reasoned(Blame.UNKNOWN, f"{failure} failed and there is nothing to compare it with")


def _controls_reached(scene: ObservedRuns, window: Window) -> set[str]:
    """The control hosts that answered while the window's runs reached nothing."""
    dark = [run.started_at for run in scene.telling(window) if is_unreachable(run)]
    if not dark:
        return set()
    here = window.cell.location
    controls = controls_of(scene.history, here, min(dark), max(dark), now=scene.now)
    return {host for at in dark for host in controls.reached(at)}


def _reached(scene: ObservedRuns, cell: Cell, window: Window) -> bool | None:
    """Whether at least half of the cell's runs reached its endpoint meanwhile; None without runs."""
    total = scene.total(cell, window.start, _meanwhile(window))
    if not total:
        return None
    notable = scene.not_passed(cell, window.start, _meanwhile(window))
    return total >= 2 * sum(is_unreachable(run) for run in notable)


def _meanwhile(window: Window) -> datetime:
    """Up to where runs say something of the window: one after its last bad run may see it over."""
    return until_after(window.end_after)


def _by_history(scene: ObservedRuns, window: Window, configuration: str | None) -> Reasoned:
    cell, start = window.cell, window.start
    last = scene.history.last_pass(cell, configuration, start)
    if last is None:
        return _never_passed(scene, window)
    if start - last > RECENT:
        at = rfc3339(last)
        return Reasoned(Blame.UNKNOWN, f"same configuration last passed at {at}, more than 24 h before")
    return _baseline(scene, cell, configuration, start)


def _never_passed(scene: ObservedRuns, window: Window) -> Reasoned:
    beside = window.cell._replace(pathway=CONTROL_PATHWAY)
    if beside != window.cell and beside in scene.runs and _passes(scene, beside, window):
        reason = (
            f"this configuration never passed before, yet {CONTROL_PATHWAY} of the same deployment passes"
        )
        return Reasoned(Blame.UNKNOWN, reason)
    return Reasoned(Blame.ACCOUNT, "this configuration never passed before: suspected configuration")


def _passes(scene: ObservedRuns, cell: Cell, window: Window) -> bool:
    failed = scene.failed(cell, window.start, _meanwhile(window))
    return scene.total(cell, window.start, _meanwhile(window)) > len(failed)


def _baseline(scene: ObservedRuns, cell: Cell, configuration: str | None, start: datetime) -> Reasoned:
    """How the same configuration did in the 24 h before; from its last change where one lies inside.

    Runs that blind spans mask count here as they are, since how far masks are known depends on reading.
    """
    since, changed = start - RECENT, False
    before = scene.whole.not_passed(cell, since, start)
    for run in before:
        if run.started_at < start and run.configuration == configuration and _changes(scene, cell, run):
            since, changed = run.started_at, True
    inside = [run for run in before if since <= run.started_at < start]
    failed = sum(run.verdict is Verdict.FAILED for run in inside)
    total = scene.whole.count(cell, since, start)
    passed = f"{total - failed:,}/{total:,}"
    if changed:
        said = f"same configuration passed {passed} since its change at {rfc3339(since)}"
        return Reasoned(Blame.PROVIDER, said)
    return Reasoned(Blame.PROVIDER, f"same configuration passed {passed} in 24 h", unchanged=True)


def _changes(scene: ObservedRuns, cell: Cell, run: StoredRun) -> bool:
    """Whether the run is the first after another configuration."""
    if not run.may_reset_lookback:
        return False
    if run.gap_since is None:
        return scene.whole.last_run(cell, run.started_at - INSTANT) is not None
    before = scene.whole.last_run(cell, run.gap_since)
    return before is not None and before.configuration != run.configuration
