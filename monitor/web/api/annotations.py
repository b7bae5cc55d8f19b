"""What people may add over HTTP: marks, entries and pauses, as JSON or by a page's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from glob import escape
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.annotations import LONGEST_NOTE
from monitor.core.incidents.incident import Entry
from monitor.core.model import Blame, target_path
from monitor.core.outages.maintenance import MOST_PATTERNS, Maintenance, checked_pause, to_document
from monitor.core.outages.marks import LONGEST_AUTHOR, LONGEST_MARK, Mark, checked_mark
from monitor.core.timefmt import parse_duration, rfc3339
from monitor.pipeline.annotate import append_entry, end_pause, note_mark, pause
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.derivation.marks import read_latest_marks
from monitor.store.incidents.incidents import read_entries, read_incident
from monitor.web.api.facts import (
    PROBLEM,
    REFUSAL,
    Cursor,
    Json,
    Limit,
    Named,
    Since,
    Until,
    entry_to_json,
)
from monitor.web.api.shapes import EntryJson, MarkJson, PageJson, PauseJson
from monitor.web.frame.context import WebContext
from monitor.web.frame.errors import BadQuery
from monitor.web.frame.query_params import Number, read_bounds, read_cursor, read_instant, write_cursor

FORM = "application/x-www-form-urlencoded"


class MarkAsked(BaseModel):
    """The body of a new mark."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(description="what happened, such as 'deployed 4.2'", max_length=LONGEST_MARK)
    at: Named | None = Field(None, description="when, RFC 3339; now")
    author: str = Field("api", description="who says so", max_length=LONGEST_AUTHOR)


class EntryAsked(BaseModel):
    """The body of a new entry; blame and severity belong to kind 'reclassified'."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(description="acknowledged, note or reclassified")
    text: str = Field("", max_length=LONGEST_NOTE)
    author: str = Field(max_length=LONGEST_AUTHOR)
    blame: str | None = Field(None, description=", ".join(Blame))
    severity: str | None = Field(None, description=", ".join(Severity))


RowId = Annotated[int, Path(ge=1, le=2**63 - 1, description="the maintenance's id")]


_LONGEST = timedelta(days=366)


class PauseAsked(BaseModel):
    """The body of a new pause."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    name: str = Field(description="why, such as 'moving to another region'", max_length=LONGEST_MARK)
    targets: list[str] = Field(
        [], description="keys or patterns of keys; none: all", max_length=MOST_PATTERNS
    )
    start: Named | None = Field(None, alias="from", description="from when, RFC 3339; now")
    until: Named = Field(description="until when, RFC 3339")
    retroactive: bool = Field(default=False, description="reach back before it was entered")
    author: str = Field(description="who says so", max_length=LONGEST_AUTHOR)


def routes(context: WebContext) -> APIRouter:
    """The routes that people and their tools write to, and what they wrote."""
    router = APIRouter()
    api = APIRouter(prefix="/api/v1", tags=["people"], default_response_class=Json, responses=PROBLEM)
    _add_marks(api, context)
    _add_entries(api, context)
    _add_maintenance(api, context)
    _add_forms(router, context)
    router.include_router(api)
    return router


def _add_marks(api: APIRouter, context: WebContext) -> None:
    @api.get("/marks", response_model=PageJson[MarkJson], summary="Marks of outside events, the newest first")
    def marks(
        since: Since = None, until: Until = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        start, end = read_bounds(since, until)
        skip = max(0, int(read_cursor(cursor, int)[0])) if cursor is not None else 0
        with context.database.read() as tx:
            found = read_latest_marks(tx, since=start, until=end, skip=skip, limit=limit + 1)
        following = write_cursor(skip + limit) if len(found) > limit else None
        return Json({"items": [mark_to_json(mark) for mark in found[:limit]], "next": following})

    @api.post(
        "/marks",
        response_model=MarkJson,
        summary="Note an outside event, such as a deployment",
        status_code=201,
        responses=REFUSAL,
    )
    def add_mark(asked: Annotated[MarkAsked, Body()]) -> Response:
        return Json(mark_to_json(_mark(context, asked)), 201)


def _add_entries(api: APIRouter, context: WebContext) -> None:
    @api.post(
        "/incidents/{number}/entries",
        response_model=EntryJson,
        summary="Acknowledge, annotate or reclassify",
        status_code=201,
        responses=REFUSAL,
    )
    def add_entry(number: Number, asked: Annotated[EntryAsked, Body()]) -> Response:
        return Json(entry_to_json(_append(context, number, asked)), 201)

    @api.get(
        "/incidents/{number}/entries",
        response_model=PageJson[EntryJson],
        summary="The timeline of an incident, in order",
    )
    def entries(number: Number) -> Response:
        with context.database.read() as tx:
            found = read_entries(tx, read_incident(tx, number).id)
        return Json({"items": [entry_to_json(entry) for entry in found], "next": None})


def _add_maintenance(api: APIRouter, context: WebContext) -> None:
    @api.get(
        "/maintenance",
        response_model=PageJson[PauseJson],
        summary="Planned maintenance and pauses, in the order in which they were entered",
    )
    def maintenance() -> Response:
        with context.database.read() as tx:
            found = read_maintenance(tx)
        return Json({"items": [_to_json(one) for one in found], "next": None})

    @api.post(
        "/maintenance",
        response_model=PauseJson,
        summary="Pause targets: runs inside count for neither side",
        status_code=201,
        responses=REFUSAL,
    )
    def add(asked: Annotated[PauseAsked, Body()]) -> Response:
        return Json(_to_json(_enter(context, asked)), 201)

    @api.post(
        "/maintenance/{row_id}/withdraw",
        response_model=PauseJson,
        summary="End a pause now; what it took out stays out",
        responses=REFUSAL,
    )
    def withdraw(row_id: RowId) -> Response:
        return Json(_to_json(_end(context, row_id)))


def _add_forms(router: APIRouter, context: WebContext) -> None:
    @router.get("/incidents/{number}/entries", include_in_schema=False)
    def timeline(number: Number) -> Response:
        return RedirectResponse(f"/incidents/{number}#timeline", 303)

    @router.post("/incidents/{number}/entries", include_in_schema=False)
    async def fill_in(request: Request, number: Number) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        await run_in_threadpool(_append, context, number, _entry_of(fields))
        return RedirectResponse(f"/incidents/{number}#timeline", 303)

    @router.post("/pauses", include_in_schema=False)
    async def enter(request: Request) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        target = fields.get("target", "")
        await run_in_threadpool(_enter, context, _of_form(fields, target, context))
        return RedirectResponse(target_path(target), 303)

    @router.post("/pauses/{row_id}/withdraw", include_in_schema=False)
    async def end(request: Request, row_id: RowId) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        await run_in_threadpool(_end, context, row_id)
        return RedirectResponse(target_path(fields.get("target", "")), 303)


def _mark(context: WebContext, asked: MarkAsked) -> Mark:
    """Store a mark; BadQuery where it says nothing."""
    now = context.clock()
    at = now if asked.at is None else read_instant("at", asked.at)
    try:
        mark = checked_mark(at, asked.text, asked.author)
    except ValueError as error:
        raise BadQuery("text", str(error)) from None
    return note_mark(context.database, context.derivation, mark, now=now)


def _append(context: WebContext, number: int, asked: EntryAsked) -> Entry:
    """Append an entry; BadQuery where it cannot be appended as it is, NotFound without the incident."""
    try:
        return append_entry(
            context.database,
            number,
            asked.kind,
            asked.text,
            asked.author,
            now=context.clock(),
            blame=asked.blame,
            severity=asked.severity,
        )
    except ValueError as error:
        raise BadQuery("entry", str(error)) from None


def read_fields(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form that a page sends; BadQuery for whatever is none. *kind* is its content type."""
    if kind.partition(";")[0].strip().lower() != FORM:
        raise BadQuery("form", f"the form is sent as {FORM}; programs use /api/v1")
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=20))
    except ValueError:
        raise BadQuery("form", "the form cannot be read") from None


def _entry_of(fields: Mapping[str, str]) -> EntryAsked:
    """The entry that the page's form sends; fields left empty are as good as absent."""
    return EntryAsked.model_construct(
        kind=fields.get("kind", ""),
        text=fields.get("text", ""),
        author=fields.get("author", ""),
        blame=fields.get("blame"),
        severity=fields.get("severity"),
    )


def mark_to_json(mark: Mark) -> MarkJson:
    """A mark as the API tells it."""
    return {"id": mark.id or 0, "at": rfc3339(mark.at), "text": mark.text, "author": mark.author}


def _end(context: WebContext, row_id: int) -> Maintenance:
    try:
        return end_pause(context.database, row_id, now=context.clock())
    except ValueError as error:
        raise BadQuery("id", str(error)) from None


def _enter(context: WebContext, asked: PauseAsked) -> Maintenance:
    now = context.clock()
    start = None if asked.start is None else read_instant("from", asked.start)
    try:
        plan = checked_pause(
            asked.name,
            asked.targets,
            asked.author,
            start=start,
            end=read_instant("until", asked.until),
            now=now,
            retroactive=asked.retroactive,
        )
    except ValueError as error:
        raise BadQuery("pause", str(error)) from None
    return pause(context.database, context.derivation, plan, now=now)


def _of_form(fields: dict[str, str], target: str, context: WebContext) -> PauseAsked:
    """What the page's form asks: one target, from now on, for a time like ``2h``."""
    if not target:
        raise BadQuery("target", "the form names the target that is paused")
    try:
        lasting = parse_duration(fields.get("for", ""))
    except ValueError as error:
        raise BadQuery("for", str(error)) from None
    if lasting > _LONGEST:
        raise BadQuery("for", "a pause by the form lasts a year at most")
    return PauseAsked.model_construct(
        name=fields.get("name", ""),
        targets=[escape(target)],
        until=rfc3339(context.clock() + lasting),
        author=fields.get("author", ""),
    )


def _to_json(plan: Maintenance) -> PauseJson:
    document = to_document(plan)
    return {
        "id": plan.id,
        "name": plan.name,
        "targets": document["targets"],
        "from": document["start"],
        "until": document["end"],
        "every": document["every"],
        "weekday": document["weekday"],
        "at": document["at"],
        "duration_s": document["duration_s"],
        "zone": document["zone"],
        "retroactive": document["retroactive"],
        "author": plan.author,
        "entered_at": rfc3339(plan.entered_at) if plan.entered_at else None,
        "withdrawn_at": rfc3339(plan.withdrawn_at) if plan.withdrawn_at else None,
    }
