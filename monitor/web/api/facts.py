"""The same facts as JSON under /api/v1: RFC 3339 instants, durations in seconds, opaque cursors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import WithJsonSchema
from starlette.responses import JSONResponse, Response

from monitor.core.alerting.notice import Notice
from monitor.core.incidents.annotations import Opinion, opinion_of
from monitor.core.incidents.codec import stored_incident_to_json, window_to_json
from monitor.core.incidents.incident import Entry, IncidentKind, StoredIncident
from monitor.core.incidents.response_times import delays_of
from monitor.core.model import Verdict
from monitor.core.outages.uptime import METHOD, Uptime
from monitor.core.outages.windows import Window
from monitor.core.outcome_json import outcome_to_line
from monitor.core.timefmt import rfc3339
from monitor.core.views.cell_state import LastRun
from monitor.core.views.latency import percentile
from monitor.store.incidents.incidents import read_entries, read_numbered_incidents, read_windows
from monitor.store.incidents.incidents import read_incident as stored_incident
from monitor.store.incidents.notices import read_notices
from monitor.store.outcomes.read import read_evidence, read_outcomes_page
from monitor.store.outcomes.read import read_outcome as stored_outcome
from monitor.web.api.shapes import (
    DelaysJson,
    EntryJson,
    IncidentDetailsJson,
    IncidentJson,
    LastRunJson,
    NoticeJson,
    OutcomeJson,
    PageJson,
    PeopleJson,
    TargetJson,
    TargetsPageJson,
    UptimeJson,
    WindowJson,
)
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.context import WebContext
from monitor.web.frame.errors import BadQuery
from monitor.web.frame.query_params import Number, read_bounds, read_cursor, read_range, write_cursor
from monitor.web.frame.read_cells import read_cells

_Item = TypeVar("_Item")

Named = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
From = Annotated[
    Named | None, Query(alias="from", description="start of the range, RFC 3339; a day before 'to'")
]
To = Annotated[Named | None, Query(description="end of the range, RFC 3339; now")]
Since = Annotated[Named | None, Query(alias="from", description="what began then or later, RFC 3339; all")]
Until = Annotated[Named | None, Query(alias="to", description="what began before, RFC 3339; all")]
Limit = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
Cursor = Annotated[str | None, Query(description="'next' of the answer before", max_length=2000)]
Targets = Annotated[list[str] | None, Query(alias="target", description="target keys; repeat for several")]
Verdicts = Annotated[list[Verdict] | None, Query(alias="verdict", description="verdicts; repeat for several")]
Kinds = Annotated[
    Sequence[IncidentKind],
    Query(description="outages; 'blind' and 'unstable' are the owner's; repeat for several"),
]


def _problems(told: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    return {
        code: {"description": text, "content": {"application/problem+json": {}}}
        for code, text in told.items()
    }


PROBLEM = _problems(
    {
        404: "not found",
        421: "the host name is none of ours",
        422: "invalid parameter",
        503: "the database is busy",
    }
)
REFUSAL = _problems(
    {400: "the body cannot be read", 403: "asked by a page of another site", 413: "the body is too long"}
)


class Json(JSONResponse):
    """A JSON answer that is never kept by a cache on the way."""

    def __init__(self, content: Any = None, status_code: int = 200) -> None:
        super().__init__(content, status_code, {"cache-control": "no-cache"})

    def render(self, content: Any) -> bytes:
        """The bytes of any JSON-ready value."""
        return orjson.dumps(content)


def routes(context: WebContext) -> APIRouter:
    """Targets, outcomes, windows and incidents."""
    router = APIRouter(prefix="/api/v1", tags=["facts"], default_response_class=Json, responses=PROBLEM)
    _add_targets(router, context)
    _add_outcomes(router, context)
    _add_windows(router, context)
    _add_incidents(router, context)
    return router


def _add_targets(router: APIRouter, context: WebContext) -> None:
    database, clock = context.database, context.clock

    @router.get(
        "/targets",
        response_model=TargetsPageJson,
        summary="Every target per location: state, newest run, numbers of a range",
    )
    def targets(start: From = None, to: To = None, limit: Limit = 1000, cursor: Cursor = None) -> Response:
        now = clock()
        period = read_range(start, to, now=now)
        with database.read() as tx:
            cells = read_cells(tx, settings=context.settings, period=period, now=now)
        shown, following = _page(cells, limit, cursor)
        items = [cell_to_json(cell) for cell in shown]
        return Json({"items": items, "next": following, "now": rfc3339(now), "method": METHOD})


def _add_outcomes(router: APIRouter, context: WebContext) -> None:
    database = context.database

    @router.get(
        "/outcomes",
        response_model=PageJson[OutcomeJson],
        summary="Outcomes as earwitness.outcome/1 lines, newest first",
    )
    def outcomes(  # each is a parameter of the address
        target: Targets = None,
        verdict: Verdicts = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        start, end = read_bounds(since, until)
        with database.read() as tx:
            try:
                page = read_outcomes_page(
                    tx,
                    targets=target,
                    verdicts=verdict,
                    since=start,
                    until=end,
                    limit=limit,
                    after=cursor,
                )
            except ValueError as error:
                raise BadQuery("cursor", str(error)) from None
        return Json({"items": [outcome_to_line(one) for one in page.outcomes], "next": page.cursor})

    @router.get(
        "/outcomes/{run_id:text}",
        response_model=OutcomeJson,
        summary="One outcome, with the frames of its exchange",
    )
    def outcome(run_id: Annotated[str, Path(description="the run's id")]) -> Response:
        with database.read() as tx:
            found = stored_outcome(tx, run_id)
            return Json(outcome_to_line(found, read_evidence(tx, run_id)))


def _add_windows(router: APIRouter, context: WebContext) -> None:
    database = context.database

    @router.get(
        "/windows",
        response_model=PageJson[WindowJson],
        summary="Windows that touch a range, oldest first, as replay prints them",
    )
    def windows(
        target: Targets = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        start, end = read_bounds(since, until)
        with database.read() as tx:
            found = read_windows(tx, start, end)
        chosen = [window for window in found if target is None or window.cell.target in target]
        shown, following = _page(chosen, limit, cursor)
        return Json({"items": [_window_to_json(window) for window in shown], "next": following})


def _add_incidents(router: APIRouter, context: WebContext) -> None:
    database = context.database

    @router.get(
        "/incidents", response_model=PageJson[IncidentJson], summary="Incidents, the newest number first"
    )
    def incidents(kind: Kinds = (IncidentKind.OUTAGE,), limit: Limit = 50, cursor: Cursor = None) -> Response:
        before = int(read_cursor(cursor, int)[0]) if cursor else None
        with database.read() as tx:
            found = read_numbered_incidents(tx, limit=min(limit, 999) + 1, before=before, kinds=kind)
        shown = found[: min(limit, 999)]
        following = write_cursor(shown[-1].number or 0) if len(found) > len(shown) else None
        return Json({"items": [incident_to_json(one) for one in shown], "next": following})

    @router.get(
        "/incidents/{number}",
        response_model=IncidentDetailsJson,
        summary="One incident with its timeline and its notices",
    )
    def incident(number: Number) -> Response:
        with database.read() as tx:
            found = stored_incident(tx, number)
            entries = read_entries(tx, found.id)
            notices = read_notices(tx, found.id)
        details: IncidentDetailsJson = {
            **incident_to_json(found),
            "entries": [entry_to_json(entry) for entry in entries],
            "notices": [_notice_to_json(notice) for notice in notices],
            "people": _opinion_to_json(opinion_of(entries)),
            "delays": _delays_to_json(found, notices),
        }
        return Json(details)


def _page(items: Sequence[_Item], limit: int, cursor: str | None) -> tuple[Sequence[_Item], str | None]:
    """The items behind the cursor, at most *limit*, and the cursor of what follows."""
    skip = max(0, int(read_cursor(cursor, int)[0])) if cursor is not None else 0
    return items[skip : skip + limit], write_cursor(skip + limit) if len(items) > skip + limit else None


def cell_to_json(cell: CellView) -> TargetJson:
    """One target seen from one location."""
    return {
        "target": cell.cell.target,
        "endpoint": cell.cell.endpoint,
        "provider": cell.provider,
        "region": cell.region,
        "model": cell.cell.model,
        "pathway": cell.cell.pathway,
        "location": cell.cell.location,
        "watched": cell.watched,
        "every_s": cell.every.total_seconds(),
        "state": cell.state,
        "since": _instant(cell.since),
        "last_run": _last_run_to_json(cell.last) if cell.last else None,
        "from": rfc3339(cell.period.start),
        "to": rfc3339(min(cell.period.end, cell.now)),
        "uptime": uptime_to_json(cell.uptime),
        "runs": {**cell.counts._asdict(), "total": cell.counts.total},
        "latency_s": {
            name: _seconds(percentile(cell.histogram, share))
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        },
    }


def _last_run_to_json(run: LastRun) -> LastRunJson:
    return {"id": run.id, "at": rfc3339(run.started_at), "verdict": run.verdict}


def uptime_to_json(uptime: Uptime) -> UptimeJson:
    """The figure with all that it was computed from; durations in seconds."""
    return {
        "share": uptime.share,
        "text": uptime.text(),
        "coverage": uptime.coverage,
        "worst": uptime.worst,
        "best": uptime.best,
        "period_s": uptime.period.total_seconds(),
        "measured_s": uptime.measured.total_seconds(),
        "down_s": uptime.down.total_seconds(),
    }


def incident_to_json(incident: StoredIncident) -> IncidentJson:
    """The object of ``replay --json`` with what only the store knows."""
    lasted = incident.diagnosis.bounds
    whole = {
        **stored_incident_to_json(incident),
        "number": incident.number,
        "id": incident.id,
        "kind": incident.kind.value,
        "phase": incident.phase.value,
        "severity": incident.severity.value,
        "decided_at": _instant(incident.opened_at),
        "recovering_at": _instant(incident.recovering_at),
        "resolved_at": _instant(incident.resolved_at),
        "updated_at": rfc3339(incident.updated_at),
        "least_s": lasted.least.total_seconds(),
        "most_s": None if lasted.most is None else lasted.most.total_seconds(),
        "rule": dict(incident.rule),
        "configurations": list(incident.configurations),
    }
    return cast(IncidentJson, whole)


def _window_to_json(window: Window) -> WindowJson:
    own = {"decided_at": rfc3339(window.decided_at), "closed_at": _instant(window.closed_at)}
    whole = {**window_to_json(window), **own, "first_id": window.first_id, "last_id": window.last_id}
    return cast(WindowJson, whole)


def entry_to_json(entry: Entry) -> EntryJson:
    """One line of a timeline; a person's blame and severity where they are named."""
    whole: EntryJson = {
        "at": rfc3339(entry.at),
        "kind": entry.kind,
        "text": entry.text,
        "author": entry.author,
    }
    if entry.blame:
        whole["blame"] = entry.blame
    if entry.severity:
        whole["severity"] = entry.severity
    return whole


def _delays_to_json(incident: StoredIncident, notices: Sequence[Notice]) -> DelaysJson | None:
    """How soon it was detected and told; null while it is not decided."""
    told_at = min((notice.sent_at for notice in notices if notice.sent_at), default=None)
    found = delays_of(incident, told_at=told_at)
    if found is None:
        return None
    return {
        "detect_least_s": found.detect.least.total_seconds(),
        "detect_most_s": None if found.detect.most is None else found.detect.most.total_seconds(),
        "notify_s": None if found.notify is None else found.notify.total_seconds(),
    }


def _opinion_to_json(opinion: Opinion) -> PeopleJson:
    """What people say of the incident as it stands; what was computed stays in its own place."""
    return {
        "acknowledged": entry_to_json(opinion.acknowledged) if opinion.acknowledged else None,
        "blame": entry_to_json(opinion.blamed) if opinion.blamed else None,
        "severity": entry_to_json(opinion.rated) if opinion.rated else None,
    }


def _notice_to_json(notice: Notice) -> NoticeJson:
    return {
        "id": notice.id,
        "channel": notice.channel,
        "type": notice.kind.value,
        "sequence": notice.sequence,
        "created_at": rfc3339(notice.created_at),
        "attempts": notice.attempts,
        "sent_at": _instant(notice.sent_at),
        "gave_up_at": _instant(notice.gave_up_at),
    }


def _instant(instant: datetime | None) -> str | None:
    return rfc3339(instant) if instant else None


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 4)
