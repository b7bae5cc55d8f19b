"""The page of one incident: sentence, windows with both edges, what was fine, errors, lanes, timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup

from monitor.core.alerting.decide import Notice
from monitor.core.alerting.wording import headline, with_clocks
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.diagnosis.nearby_changes import change_words
from monitor.core.evidence.bundle_facts import Baseline, QuotedRun, Role
from monitor.core.incidents.annotations import Opinion, as_told, entry_words, opinion_of
from monitor.core.incidents.codec import Story, Stretch, read_story, unmeasured
from monitor.core.incidents.incident import Entry, IncidentKind, StoredIncident
from monitor.core.intervals import Span
from monitor.core.model import Blame, State
from monitor.core.outages.uptime import METHOD, bounds
from monitor.core.timefmt import duration_words, parse_instant
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis
from monitor.web.frame.components import (
    Figure,
    Freshness,
    LaneRow,
    Link,
    MarkRow,
    freshness,
    lane_row,
    period_text,
    run_href,
    target_href,
)
from monitor.web.frame.context import DisplaySettings
from monitor.web.frame.time_format import Moment, TimeFormatter
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
class IncidentReading:
    """What the page knows: the incident, its entries and notices, and its cells around the span."""

    incident: StoredIncident
    entries: Sequence[Entry]
    notices: Sequence[Notice]
    exhibits: Mapping[Role, QuotedRun]
    baselines: Sequence[Baseline]
    cells: Sequence[CellView]
    period: Span
    bucket: timedelta
    now: datetime
    newest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge of a window: printed instant, and the two runs between which it lies."""

    at: Moment
    earliest: Moment | None
    latest: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """One window of the incident."""

    target: str
    href: str
    location: str
    state: State
    start: Edge
    end: Edge | None
    lasted: str
    failed: str
    decided: Moment | None
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

    at: Moment
    kind: str
    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One notice and what became of it."""

    created: Moment
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
    start: Moment
    end: Moment | None
    lasted: str
    decided: Moment | None
    background: Background
    blame: str
    blame_reason: str
    said: str
    acknowledged: str
    marks: Sequence[MarkRow]
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
    period: str
    day: Link
    fresh: Freshness
    method: str


def incident_page(
    reading: IncidentReading, *, settings: DisplaySettings, face: TimeFormatter
) -> IncidentPage:
    """The page of a numbered incident."""
    incident, story = reading.incident, read_story(reading.incident)
    document = incident.document
    windows = _window_rows(story, document, face)
    opinion = opinion_of(reading.entries)
    return IncidentPage(
        title=f"Incident {incident.number}",
        number=incident.number or 0,
        for_owner=incident.kind is not IncidentKind.OUTAGE,
        phase=incident.phase.value,
        severity=((opinion.rated and opinion.rated.severity) or incident.severity).value,
        state=story.state.value,
        lines=headline(as_told(story, opinion)).splitlines() if story.windows else (incident.title,),
        start=face(incident.start),
        end=face(incident.end) if incident.end else None,
        lasted=story.bounds.text() if story.leading else "",
        decided=face(incident.opened_at) if incident.opened_at else None,
        background=background(story, reading.notices, reading.exhibits, reading.baselines),
        blame=incident.blame.value,
        blame_reason=story.blame_reason,
        said=_said(opinion, incident),
        acknowledged=opinion.acknowledged.author if opinion.acknowledged else "",
        marks=tuple(_mark_row(mark, face) for mark in document.get("marks") or ()),
        changes=change_words(story.changes),
        blames=tuple(Blame),
        severities=tuple(Severity),
        scope=tuple(_conjunction(part) for part in story.scope),
        ambiguous=tuple(_conjunction(part) for part in document.get("alternatives") or ()),
        rule=_rule_words(incident.rule),
        configurations=tuple(incident.configurations),
        windows=windows,
        controls=_control_rows(story),
        signatures=_signature_rows(story),
        runs=_telling_runs(windows),
        entries=tuple(_entry_row(entry, face) for entry in reading.entries),
        notices=tuple(_notice_row(notice, face) for notice in reading.notices),
        lanes=_lanes(reading, story, face),
        axis=draw_axis(reading.period, reading.now),
        period=period_text(reading.period),
        day=_day_link(incident.start),
        fresh=freshness(reading.now, reading.newest, settings, face),
        method=METHOD,
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


def _mark_row(mark: Mapping[str, Any], face: TimeFormatter) -> MarkRow:
    return MarkRow(at=face(parse_instant(mark["at"])), text=mark["text"], author=mark["author"])


def _lanes(reading: IncidentReading, story: Story, face: TimeFormatter) -> Sequence[LaneRow]:
    """Affected cells first, then the controls, nearest first."""
    wanted = [window.cell for window in story.windows] + [near.cell for near in story.unaffected]
    rank = {cell: number for number, cell in reversed(list(enumerate(wanted)))}
    shown = sorted((one for one in reading.cells if one.cell in rank), key=lambda one: rank[one.cell])
    several = len({one.cell.location for one in shown}) > 1
    endpoints = len({one.cell.endpoint for one in shown}) > 1
    return tuple(
        lane_row(
            one.lane(reading.period, reading.bucket, reading.now),
            target=one.cell.target,
            model=one.cell.model,
            pathway=one.cell.pathway,
            place=" ".join(
                part for part in (one.cell.endpoint * endpoints, one.cell.location * several) if part
            ),
            state=None,
            figure=Figure(f"{one.totals.failed}/{one.totals.total}"),
            face=face,
        )
        for one in shown
    )


def _window_rows(story: Story, document: Mapping[str, Any], face: TimeFormatter) -> tuple[WindowRow, ...]:
    told = zip(story.windows, document.get("windows") or (), strict=True)
    return tuple(_window_row(window, one, unmeasured(document, window.cell), face) for window, one in told)


def _window_row(
    window: Stretch, document: Mapping[str, Any], gaps: Sequence[Span], face: TimeFormatter
) -> WindowRow:
    decided = document.get("decided_at")
    ids = [document.get(key) for key in ("first_id", "last_id")]
    return WindowRow(
        target=window.cell.target,
        href=target_href(window.cell.target),
        location=window.cell.location,
        state=window.state,
        start=edge(window.start, window.start_after, face),
        end=edge(window.end, window.end_after, face) if window.end else None,
        lasted=bounds([window], gaps).text(),
        failed=f"{window.failed}/{window.total}",
        decided=face(parse_instant(decided)) if decided else None,
        first_href=run_href(str(ids[0])) if ids[0] else "",
        last_href=run_href(str(ids[1])) if ids[1] else "",
    )


def edge(at: datetime, after: datetime | None, face: TimeFormatter) -> Edge:
    """An edge that lies between *after* and *at*."""
    return Edge(at=face(at), earliest=face(after) if after else None, latest=face(at))


def _control_rows(story: Story) -> tuple[ControlRow, ...]:
    return tuple(
        ControlRow(
            target=near.cell.target,
            href=target_href(near.cell.target),
            location=near.cell.location,
            runs=f"{near.passed}/{near.total}",
        )
        for near in story.unaffected
    )


def _signature_rows(story: Story) -> tuple[SignatureRow, ...]:
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
        for symptom in story.symptoms
    )


def _telling_runs(windows: Sequence[WindowRow]) -> tuple[Link, ...]:
    """The first failing run of the earliest window and the last of the latest."""
    firsts = [window for window in windows if window.first_href]
    if not firsts:
        return ()
    first = min(firsts, key=lambda window: window.start.at.iso)
    last = max(firsts, key=lambda window: window.end.at.iso if window.end else "~")
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


def _entry_row(entry: Entry, face: TimeFormatter) -> EntryRow:
    words = entry_words(entry)
    text = with_clocks(words, on=entry.at) if entry.author == _OURSELVES else words
    return EntryRow(at=face(entry.at), kind=entry.kind.value, text=text, author=entry.author)


def _attempts(notice: Notice) -> str:
    return f"{notice.attempts} attempt{'s' * (notice.attempts != 1)}"


def _notice_row(notice: Notice, face: TimeFormatter) -> NoticeRow:
    if notice.sent_at:
        fate = f"sent after {duration_words(notice.sent_at - notice.created_at)}"
    elif notice.gave_up_at:
        fate = f"given up after {_attempts(notice)}: {notice.last_reply or 'no reply'}"
    elif notice.attempts:
        fate = f"not accepted in {_attempts(notice)}, will be tried again: {notice.last_reply or 'no reply'}"
    else:
        fate = "waiting to be sent"
    return NoticeRow(
        created=face(notice.created_at),
        channel=notice.channel,
        kind=notice.kind.value,
        sequence=notice.sequence,
        fate=fate,
    )


def _day_link(start: datetime) -> Link:
    day = start.astimezone(UTC).date().isoformat()
    return Link(text=f"all lanes of {day}", href=f"/?day={day}")
