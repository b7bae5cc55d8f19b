"""The page of one incident: sentence, windows with both edges, what was fine, errors, lanes, timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.wording import headline
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.diagnosis.nearby_changes import change_words
from monitor.core.incidents.annotations import Opinion, as_told, entry_words, opinion_of
from monitor.core.incidents.incident import Diagnosis, Entry, IncidentKind, StoredIncident
from monitor.core.intervals import Span
from monitor.core.model import Blame, State, target_path
from monitor.core.outages.marks import Mark
from monitor.core.outages.uptime import bounds
from monitor.core.outages.windows import Window
from monitor.core.timefmt import duration_words, with_clocks
from monitor.store.database.engine import Transaction
from monitor.store.incidents.evidence import read_background
from monitor.store.incidents.incidents import read_entries, read_incident
from monitor.store.incidents.notices import read_notices
from monitor.store.overview import read_newest_run
from monitor.web.frame.answer import answer_page
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis
from monitor.web.frame.components import Freshness, LaneRow, Link, freshness, run_href
from monitor.web.frame.context import WebContext
from monitor.web.frame.query_params import Number
from monitor.web.frame.read_cells import read_cells
from monitor.web.pages.incident_background import Background, background

_WIDTHS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 480, 1440, 10_080, 43_200)
)
_MOST_BUCKETS = 120
_OURSELVES = "earwitness"  # the author of what was computed


def span_around(start: datetime, end: datetime) -> tuple[Span, timedelta]:
    """The period that the lanes of an incident show, on whole buckets, and the width of a bucket."""
    margin = max((end - start) / 10, timedelta(minutes=15))
    start, end = start - margin, end + margin
    width = next((width for width in _WIDTHS if (end - start) / width < _MOST_BUCKETS), _WIDTHS[-1])
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return Span(epoch + (start - epoch) // width * width, epoch - (epoch - end) // width * width), width


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """One window of the incident."""

    target: str
    href: str
    location: str
    state: State
    start: datetime
    start_after: datetime | None
    end: datetime | None
    end_after: datetime
    lasted: str
    failed: str
    decided: datetime | None
    first_href: str
    last_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    """One healthy neighbour with its counts."""

    target: str
    href: str
    location: str
    runs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """Failed runs that say the same."""

    failure: str
    stage: str
    type: str
    code: str
    message: str
    count: int
    first_href: str
    last_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One line of the timeline."""

    at: datetime
    kind: str
    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One notice and what became of it."""

    created: datetime
    channel: str
    kind: str
    sequence: int
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """Everything on the page of an incident, worded."""

    title: str
    number: int
    for_owner: bool
    phase: str
    severity: str
    state: str
    lines: Sequence[str]
    start: datetime
    end: datetime | None
    lasted: str
    decided: datetime | None
    background: Background
    blame: str
    blame_reason: str
    said: str
    acknowledged: str
    marks: Sequence[Mark]
    changes: str
    blames: Sequence[str]
    severities: Sequence[str]
    scope: Sequence[str]
    ambiguous: Sequence[str]
    rule: str
    configurations: Sequence[str]
    windows: Sequence[WindowRow]
    controls: Sequence[ControlRow]
    signatures: Sequence[SignatureRow]
    runs: Sequence[Link]
    entries: Sequence[EntryRow]
    notices: Sequence[NoticeRow]
    lanes: Sequence[LaneRow]
    axis: Markup
    period: Span
    day: Link
    fresh: Freshness


def routes(context: WebContext) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/incidents/{number}")
    def incident(request: Request, number: Number) -> Response:
        def make(tx: Transaction, now: datetime) -> tuple[str, IncidentPage]:
            return "pages/incident.html", _read(tx, context, now, number)

        return answer_page(context, request, make)

    return router


def _read(tx: Transaction, context: WebContext, now: datetime, number: int) -> IncidentPage:
    """The page of a numbered incident; NotFound where there is none."""
    incident = read_incident(tx, number)
    found = incident.diagnosis
    entries, notices = read_entries(tx, incident.id), read_notices(tx, incident.id)
    exhibits, baselines = read_background(tx, incident, now=now)
    period, bucket = span_around(incident.start, incident.end or max(now, incident.start))
    cells = read_cells(tx, settings=context.settings, period=period, bucket=bucket, now=now)
    windows = tuple(_window_row(window, found) for window in found.windows)
    opinion = opinion_of(entries)
    return IncidentPage(
        title=f"Incident {incident.number}",
        number=incident.number or 0,
        for_owner=incident.kind is not IncidentKind.OUTAGE,
        phase=incident.phase.value,
        severity=((opinion.rated and opinion.rated.severity) or incident.severity).value,
        state=incident.state.value,
        lines=headline(as_told(incident, opinion)).splitlines() if found.windows else (incident.title,),
        start=incident.start,
        end=incident.end,
        lasted=found.bounds.text() if found.leading else "",
        decided=incident.opened_at,
        background=background(incident, notices, exhibits, baselines),
        blame=incident.blame.value,
        blame_reason=found.blame_reason,
        said=_said(opinion, incident),
        acknowledged=opinion.acknowledged.author if opinion.acknowledged else "",
        marks=found.nearby.marks,
        changes=change_words(found.nearby.shifts),
        blames=tuple(Blame),
        severities=tuple(Severity),
        scope=tuple(_conjunction(part) for part in found.scope.conjunctions),
        ambiguous=tuple(_conjunction(part) for part in found.scope.alternatives),
        rule=_rule_words(incident.rule),
        configurations=tuple(incident.configurations),
        windows=windows,
        controls=_control_rows(found),
        signatures=_signature_rows(found),
        runs=_telling_runs(windows),
        entries=tuple(_entry_row(entry) for entry in entries),
        notices=tuple(_notice_row(notice) for notice in notices),
        lanes=_lanes(cells, found),
        axis=draw_axis(period, now),
        period=period,
        day=_day_link(incident.start),
        fresh=freshness(context, tx, now, read_newest_run(tx)),
    )


def _said(opinion: Opinion, incident: StoredIncident) -> str:
    """What people say in place of what was computed, and what that was."""
    parts = []
    if opinion.blamed:
        parts.append(f"blame {opinion.blamed.blame} by {opinion.blamed.author}")
    if opinion.rated:
        rated = f"severity {opinion.rated.severity} by {opinion.rated.author}"
        parts.append(f"{rated} (computed: {incident.severity})")
    return "; ".join(parts)


def _lanes(cells: Sequence[CellView], found: Diagnosis) -> Sequence[LaneRow]:
    """Affected cells first, then the controls, nearest first."""
    wanted = [window.cell for window in found.windows] + [near.cell for near in found.unaffected]
    rank = {cell: number for number, cell in reversed(list(enumerate(wanted)))}
    shown = sorted((one for one in cells if one.cell in rank), key=lambda one: rank[one.cell])
    several = len({one.cell.location for one in shown}) > 1
    endpoints = len({one.cell.endpoint for one in shown}) > 1
    return tuple(
        LaneRow(
            target=one.cell.target,
            name=one.cell.model,
            pathway=one.cell.pathway,
            place=" ".join(
                part for part in (one.cell.endpoint * endpoints, one.cell.location * several) if part
            ),
            lane=one.lane,
            figure=f"{one.counts.failed}/{one.counts.total}",
        )
        for one in shown
    )


def _window_row(window: Window, found: Diagnosis) -> WindowRow:
    return WindowRow(
        target=window.cell.target,
        href=target_path(window.cell.target),
        location=window.cell.location,
        state=window.state,
        start=window.start,
        start_after=window.start_after,
        end=window.end,
        end_after=window.end_after,
        lasted=bounds([window], found.unmeasured).text(),
        failed=f"{window.failed}/{window.total}",
        decided=window.decided_at,
        first_href=run_href(window.first_id),
        last_href=run_href(window.last_id),
    )


def _control_rows(found: Diagnosis) -> tuple[ControlRow, ...]:
    return tuple(
        ControlRow(
            target=near.cell.target,
            href=target_path(near.cell.target),
            location=near.cell.location,
            runs=f"{near.passed}/{near.total}",
        )
        for near in found.unaffected
    )


def _signature_rows(found: Diagnosis) -> tuple[SignatureRow, ...]:
    return tuple(
        SignatureRow(
            failure=symptom.failure or "–",
            stage=symptom.stage or "–",
            type=symptom.type or "null",
            code=symptom.code or "null",
            message=symptom.message or "",
            count=symptom.count,
            first_href=run_href(symptom.first_id) if symptom.first_id else "",
            last_href=run_href(symptom.last_id) if symptom.last_id else "",
        )
        for symptom in found.signatures
    )


def _telling_runs(windows: Sequence[WindowRow]) -> tuple[Link, ...]:
    """The first failing run of the earliest window and the last of the latest."""
    firsts = [window for window in windows if window.first_href]
    if not firsts:
        return ()
    first = min(firsts, key=lambda window: window.start)
    last = max(firsts, key=lambda window: (window.end is None, window.end))
    return (
        Link(text="first failing run", href=first.first_href),
        Link(text="last failing run", href=last.last_href),
    )


def _conjunction(part: Mapping[str, Any]) -> str:
    return " · ".join(f"{facet} {value}" for facet, value in part.items())


def _rule_words(rule: Mapping[str, Any]) -> str:
    down = rule.get("down")
    if not isinstance(down, Mapping) or "bad" not in down:
        return ""
    opens = f"down: {down['bad']} of the last {down.get('of')} runs failed"
    return f"{opens}; over after {down.get('good')} good in a row"


def _entry_row(entry: Entry) -> EntryRow:
    words = entry_words(entry)
    text = with_clocks(words, on=entry.at) if entry.author == _OURSELVES else words
    return EntryRow(at=entry.at, kind=entry.kind.value, text=text, author=entry.author)


def _attempts(notice: Notice) -> str:
    return f"{notice.attempts} attempt{'s' * (notice.attempts != 1)}"


def _notice_row(notice: Notice) -> NoticeRow:
    if notice.sent_at:
        fate = f"sent after {duration_words(notice.sent_at - notice.created_at)}"
    elif notice.gave_up_at:
        fate = f"given up after {_attempts(notice)}: {notice.last_reply or 'no reply'}"
    elif notice.attempts:
        fate = f"not accepted in {_attempts(notice)}, will be tried again: {notice.last_reply or 'no reply'}"
    else:
        fate = "waiting to be sent"
    return NoticeRow(
        created=notice.created_at,
        channel=notice.channel,
        kind=notice.kind.value,
        sequence=notice.sequence,
        fate=fate,
    )


def _day_link(start: datetime) -> Link:
    day = start.astimezone(UTC).date().isoformat()
    return Link(text=f"all lanes of {day}", href=f"/?day={day}")
