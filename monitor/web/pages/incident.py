"""The page of one incident: sentence, windows with both edges, what was fine, errors, lanes, timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.alerting.notice import Notice
from monitor.core.alerting.wording import headline
from monitor.core.evidence.bundle_facts import Baseline, QuotedRun, Role
from monitor.core.evidence.first_failure import EdgeContrast, contrast
from monitor.core.incidents.annotations import Opinion, as_told, entry_words, opinion_of
from monitor.core.incidents.incident import Entry, Severity, StoredIncident
from monitor.core.incidents.response_times import Delays, delays_of
from monitor.core.intervals import Span
from monitor.core.model import Blame
from monitor.core.timefmt import duration_words, with_clocks
from monitor.store.database.engine import Transaction
from monitor.store.incidents.evidence import read_background
from monitor.store.incidents.incidents import read_entries, read_incident
from monitor.store.incidents.notices import read_notices
from monitor.store.overview import read_newest_run
from monitor.web.frame.answer import answer_page
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis
from monitor.web.frame.components import Freshness, LaneRow, freshness
from monitor.web.frame.context import WebContext
from monitor.web.frame.query_params import Number
from monitor.web.frame.read_cells import read_cells

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
class IncidentPage:
    """Everything on the page of an incident.

    `lines` is its headline as it is told, with what people say of it (`opinion`). `good` and `bad` are the
    last good and the first failed run, `edge` what they were answered. Entries stand with their text,
    notices with what became of them.
    """

    title: str
    fresh: Freshness
    incident: StoredIncident
    opinion: Opinion
    lines: Sequence[str]
    delays: Delays | None
    good: QuotedRun | None
    bad: QuotedRun | None
    edge: EdgeContrast | None
    baselines: Sequence[Baseline]
    entries: Sequence[tuple[Entry, str]]
    notices: Sequence[tuple[Notice, str]]
    lanes: Sequence[LaneRow]
    axis: Markup
    period: Span
    blames: Sequence[str] = tuple(Blame)
    severities: Sequence[str] = tuple(Severity)


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
    entries, notices = read_entries(tx, incident.id), read_notices(tx, incident.id)
    exhibits, baselines = read_background(tx, incident, now=now)
    good, bad = exhibits.get(Role.LAST_PASSED), exhibits.get(Role.FIRST_FAILED)
    period, bucket = span_around(incident.start, incident.end or max(now, incident.start))
    cells = read_cells(tx, settings=context.settings, period=period, bucket=bucket, now=now)
    opinion = opinion_of(entries)
    told_at = min((notice.sent_at for notice in notices if notice.sent_at), default=None)
    lines = headline(as_told(incident, opinion)).splitlines()
    return IncidentPage(
        title=f"Incident {incident.number}",
        fresh=freshness(context, tx, now, read_newest_run(tx, now)),
        incident=incident,
        opinion=opinion,
        lines=lines if incident.diagnosis.windows else (incident.title,),
        delays=delays_of(incident, told_at=told_at),
        good=good,
        bad=bad,
        edge=contrast(good, bad) if good and bad else None,
        baselines=[one for one in baselines if one.total],
        entries=[(entry, _text(entry)) for entry in entries],
        notices=[(notice, _fate(notice)) for notice in notices],
        lanes=_lanes(cells, incident),
        axis=draw_axis(period, now),
        period=period,
    )


def _text(entry: Entry) -> str:
    """What an entry says; times in what was computed are told by the clock."""
    words = entry_words(entry)
    return with_clocks(words, on=entry.at) if entry.author == _OURSELVES else words


def _fate(notice: Notice) -> str:
    """What became of a notice."""
    attempts = f"{notice.attempts} attempt{'s' * (notice.attempts != 1)}"
    if notice.sent_at:
        return f"sent after {duration_words(notice.sent_at - notice.created_at)}"
    if notice.gave_up_at:
        return f"given up after {attempts}: {notice.last_reply or 'no reply'}"
    if notice.attempts:
        return f"not accepted in {attempts}, will be tried again: {notice.last_reply or 'no reply'}"
    return "waiting to be sent"


def _lanes(cells: Sequence[CellView], incident: StoredIncident) -> Sequence[LaneRow]:
    """Affected cells first, then the controls, nearest first."""
    found = incident.diagnosis
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
