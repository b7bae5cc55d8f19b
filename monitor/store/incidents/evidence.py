"""Reads what a report needs about one incident, and how its cells stand now; it judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, and_, func, select

from monitor.core.alerting.wording import Latest
from monitor.core.clock_offset import Offset, agreed, offset_in
from monitor.core.diagnosis.diagnose import Control
from monitor.core.evidence.bundle_facts import (
    Baseline,
    BundleFacts,
    ClipFacts,
    Observer,
    Period,
    QuotedRun,
    Role,
)
from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.intervals import Span, clip, length, subtract
from monitor.core.model import Cell, Outcome, Target, Verdict
from monitor.core.outages.history import History
from monitor.core.outages.maintenance import covered
from monitor.core.outages.masking import pause
from monitor.core.outages.unmeasured import read_unmeasured
from monitor.core.outages.windows import Window
from monitor.core.views.cell_state import unseen_of
from monitor.store.database.tables import contexts, outcomes
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.incidents import read_entries, read_incident
from monitor.store.outcomes.cells import cell_rows
from monitor.store.outcomes.read import (
    read_evidence,
    read_first_pass_after,
    read_last_pass_before,
    read_some_outcomes,
    stream_outcomes,
)

_DAY = timedelta(days=1)
_MOMENT = timedelta(milliseconds=1)  # what instants are kept to
_DEFAULT_EVERY = timedelta(minutes=5)
_MOST_SIGNATURES = 8
_CANDIDATES = 8  # healthy neighbours that are looked at for a control with evidence, or told in a text
_GOOD = (Verdict.PASSED.value, Verdict.DEGRADED.value)
_CONCLUSIVE = (*_GOOD, Verdict.FAILED.value)


def read_dossier(
    tx: Connection,
    number: int,
    *,
    targets: Mapping[str, Target],
    recordings: Mapping[str, ClipFacts],
    client: str,
    now: datetime,
    egress: str | None = None,
) -> BundleFacts:
    """Everything about incident *number*; its `outcomes` can be read while the transaction lasts.

    *targets* are the configured ones by key, *recordings* the clips by name, *egress* the
    address that providers see. Raises NotFound.
    """
    incident = read_incident(tx, number)
    history = StoreHistory(tx, {key: target.every for key, target in targets.items()})
    exhibits = _exhibits(tx, incident)
    every = _every(exhibits, targets)
    wanted = {*incident.diagnosis.affected, *(near.cell.target for near in incident.diagnosis.unaffected)}
    cells = _affected_cells(incident)
    newest = history.newest() or now
    return BundleFacts(
        incident=incident,
        entries=read_entries(tx, incident.id),
        targets={key: target for key, target in targets.items() if key in wanted},
        exhibits=exhibits,
        baselines=_baselines(tx, incident, incident.configurations, cells, min(now, newest + _MOMENT)),
        coverage=_coverage(tx, history, cells, Span(incident.start, incident.end or now), now),
        recordings=recordings,
        observer=Observer(
            locations=sorted({cell.location for cell in cells}),
            client=client,
            egress=egress,
            clock_offset=_clock_offset(exhibits),
        ),
        outcomes=partial(_runs_around, tx, incident, sorted(wanted), every),
    )


def read_background(
    tx: Connection, incident: StoredIncident, *, now: datetime
) -> tuple[Mapping[Role, QuotedRun], Sequence[Baseline]]:
    """The first failed run and the last passed one before it, and how often its cells passed otherwise."""
    first = min(incident.diagnosis.leading, key=lambda window: (window.start, window.cell), default=None)
    if first is None:
        return {}, ()
    chosen = {
        Role.FIRST_FAILED: first.first_id,
        Role.LAST_PASSED: read_last_pass_before(tx, first.cell, first.start),
    }
    found = read_some_outcomes(tx, [uid for uid in chosen.values() if uid])
    exhibits = {
        role: QuotedRun(role=role, outcome=found[uid], evidence=read_evidence(tx, uid))
        for role, uid in chosen.items()
        if uid in found
    }
    return exhibits, _baselines(tx, incident, incident.configurations, _affected_cells(incident), now)


def read_latest(tx: Connection, incident: StoredIncident, now: datetime) -> dict[Cell, Latest]:
    """How the affected cells and the nearest controls stand: last pass, newest run, runs since the end.

    What is dated ahead of *now* says nothing of it.
    """
    cells = [*_affected_cells(incident), *(near.cell for near in incident.diagnosis.unaffected[:_CANDIDATES])]
    ids = cell_rows(tx, {cell.target for cell in cells})
    return {cell: _latest(tx, ids[cell], incident, now) for cell in cells if cell in ids}


def _latest(tx: Connection, cell_id: int, incident: StoredIncident, now: datetime) -> Latest:
    here = and_(outcomes.c.cell_id == cell_id, outcomes.c.started_at <= now)
    mine = and_(here, outcomes.c.verdict.in_(_CONCLUSIVE))
    latest_first = (outcomes.c.started_at.desc(), outcomes.c.uid.desc())
    newest = select(outcomes.c.verdict, outcomes.c.started_at).where(mine).order_by(*latest_first)
    passed = and_(here, outcomes.c.verdict == Verdict.PASSED.value)
    last = select(outcomes.c.started_at).where(passed).order_by(*latest_first)
    good, total = (0, 0) if incident.end is None else _counts(tx, [cell_id], incident.end, None, None)
    verdict, at = tx.execute(newest.limit(1)).one_or_none() or (None, None)
    return Latest(
        last_pass=tx.execute(last.limit(1)).scalar(),
        healthy=verdict in _GOOD and at is not None and at >= incident.start,
        passed=good,
        total=total,
    )


def _clock_offset(exhibits: Iterable[QuotedRun]) -> Offset | None:
    found = (offset_in(shown.evidence) for shown in exhibits if shown.evidence)
    return agreed(offset for offset in found if offset is not None)


def _affected_cells(incident: StoredIncident) -> list[Cell]:
    return sorted({window.cell for window in incident.diagnosis.windows})


def _every(exhibits: Sequence[QuotedRun], targets: Mapping[str, Target]) -> timedelta:
    """The interval that the first failed run was made at, else the watch's, else the usual one."""
    for exhibit in exhibits:
        if exhibit.outcome.every_s:
            return timedelta(seconds=exhibit.outcome.every_s)
    known = [targets[shown.outcome.target].every for shown in exhibits if shown.outcome.target in targets]
    return known[0] if known else _DEFAULT_EVERY


def _runs_around(
    tx: Connection, incident: StoredIncident, targets: Sequence[str], every: timedelta
) -> Iterator[Outcome]:
    """The runs of affected targets and controls, with one interval before and one after."""
    until = None if incident.end is None else incident.end + every + timedelta(milliseconds=1)
    yield from stream_outcomes(tx, targets=targets, since=_earliest(incident) - every, until=until)


def _earliest(incident: StoredIncident) -> datetime:
    return min((window.start for window in incident.diagnosis.windows), default=incident.start)


def _exhibits(tx: Connection, incident: StoredIncident) -> list[QuotedRun]:
    """The chosen runs, each with its evidence while that is kept."""
    chosen = list(_chosen(tx, incident))
    found = read_some_outcomes(tx, [uid for _, uid in chosen])
    return [
        QuotedRun(role=role, outcome=found[uid], evidence=read_evidence(tx, uid))
        for role, uid in chosen
        if uid in found
    ]


def _chosen(tx: Connection, incident: StoredIncident) -> Iterator[tuple[Role, str]]:
    windows = incident.diagnosis.leading
    if not windows:
        return
    first = min(windows, key=lambda window: (window.start, window.cell))
    last = max(windows, key=lambda window: (window.end_after, window.cell))
    yield from _failed(incident, first, last)
    before = read_last_pass_before(tx, first.cell, first.start)
    if before:
        yield Role.LAST_PASSED, before
    over = last.end is not None and incident.phase is not Phase.OPEN
    after = read_first_pass_after(tx, last.cell, last.end) if over and last.end else None
    if after:
        yield Role.FIRST_PASSED, after
    control = _control(tx, incident, first)
    if control:
        yield Role.CONTROL, control


def _failed(incident: StoredIncident, first: Window, last: Window) -> Iterator[tuple[Role, str]]:
    if first.first_id:
        yield Role.FIRST_FAILED, first.first_id
    if last.last_id:
        yield Role.LAST_FAILED, last.last_id
    for symptom in incident.diagnosis.signatures[1 : 1 + _MOST_SIGNATURES]:
        if symptom.first_id and symptom.first_id not in (first.first_id, last.last_id):
            yield Role.SIGNATURE, symptom.first_id


def _control(tx: Connection, incident: StoredIncident, first: Window) -> str | None:
    """A pass of the nearest control on the same pathway, else of the nearest; with evidence if any has."""
    ranked = sorted(incident.diagnosis.unaffected[:_CANDIDATES], key=lambda near: _distance(near, first.cell))
    found = [uid for near in ranked if (uid := _beside(tx, near.cell, first.start, incident.end))]
    kept = (uid for uid in found if read_evidence(tx, uid) is not None)
    return next(kept, found[0] if found else None)


def _distance(near: Control, failing: Cell) -> tuple[bool, bool]:
    return near.cell.endpoint != failing.endpoint, near.cell.pathway != failing.pathway


def _beside(tx: Connection, cell: Cell, start: datetime, end: datetime | None) -> str | None:
    """The first pass of the cell inside the incident; a pass outside of it would be no control."""
    uid = read_first_pass_after(tx, cell, start)
    inside = read_some_outcomes(tx, [uid]) if uid else {}
    return next((key for key, run in inside.items() if end is None or run.started_at < end), None)


def _baselines(
    tx: Connection,
    incident: StoredIncident,
    configurations: Sequence[str],
    cells: Sequence[Cell],
    known_to: datetime,
) -> list[Baseline]:
    ids = cell_rows(tx, {cell.target for cell in cells})
    mine = [ids[cell] for cell in cells if cell in ids]
    start = incident.start
    spans = [
        (Period.DAY_BEFORE, start - _DAY, start),
        (Period.WEEK_BEFORE, start - 7 * _DAY, start),
        (Period.MONTH_BEFORE, start - 30 * _DAY, start),
    ]
    if incident.end is not None and incident.phase is not Phase.OPEN:
        spans.append((Period.SINCE, incident.end, max(incident.end, known_to)))
    baselines = []
    for period, since, until in spans:
        passed, total = _counts(tx, mine, since, until, configurations)
        baselines.append(Baseline(period=period, since=since, until=until, passed=passed, total=total))
    return baselines


def _counts(
    tx: Connection,
    cell_ids: Sequence[int],
    since: datetime,
    until: datetime | None,
    configurations: Sequence[str] | None,
) -> tuple[int, int]:
    """Good and all conclusive runs of the cells, where given of these configurations; none = unnamed."""
    wanted = [outcomes.c.cell_id.in_(cell_ids), outcomes.c.started_at >= since]
    wanted += [outcomes.c.verdict.in_(_CONCLUSIVE)]
    wanted += [] if until is None else [outcomes.c.started_at < until]
    counted = select(outcomes.c.verdict, func.count()).where(*wanted).group_by(outcomes.c.verdict)
    if configurations is not None:
        name = func.coalesce(contexts.c.configuration, "")
        counted = counted.join_from(outcomes, contexts, outcomes.c.context_id == contexts.c.id)
        counted = counted.where(name.in_(list(configurations) or [""]))
    by_verdict: dict[str, int] = {row[0]: row[1] for row in tx.execute(counted)}
    return sum(by_verdict.get(verdict, 0) for verdict in _GOOD), sum(by_verdict.values())


def _coverage(
    tx: Connection, history: History, cells: Sequence[Cell], span: Span, now: datetime
) -> float | None:
    """The share of the incident's time, less planned maintenance, in which its cells were measured."""
    plans = read_maintenance(tx)
    found = read_unmeasured(pause(history, plans), span, now=now)
    measured = meant = timedelta(0)
    for cell in (cell for cell in cells if cell in history.cells()):
        unseen = unseen_of(cell, found, plans, period=span, first_at=span.start, now=now)
        meant += span.length - length(clip(covered(plans, cell.target, *span), span))
        measured += length(subtract([span], (Span(hole.start, hole.end) for hole in unseen)))
    return measured / meant if meant else None
