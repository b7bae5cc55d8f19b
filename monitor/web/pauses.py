"""Pauses that people enter over HTTP: maintenance at once, by JSON or by the form of a target's page."""

from __future__ import annotations

from datetime import timedelta
from glob import escape
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitor.core.maintenance import MOST_PATTERNS, Maintenance, checked_pause, to_document
from monitor.core.marks import LONGEST_AUTHOR, LONGEST_MARK
from monitor.core.times import parse_duration, rfc3339
from monitor.pipeline.remarks import end_pause, pause
from monitor.store.maintenance import stored_maintenance
from monitor.web.api import PROBLEM, REFUSAL, Json, Named
from monitor.web.common import target_href
from monitor.web.problems import BadQuery
from monitor.web.queries import read_instant
from monitor.web.remarks import Inbox, read_fields

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


def pause_routes(inbox: Inbox) -> APIRouter:
    """What is planned and paused, new pauses, and their end."""
    router = APIRouter()
    api = APIRouter(prefix="/api/v1", tags=["people"], default_response_class=Json, responses=PROBLEM)

    @api.get(
        "/maintenance", summary="Planned maintenance and pauses, in the order in which they were entered"
    )
    def maintenance() -> Response:
        with inbox.database.read() as tx:
            found = stored_maintenance(tx)
        return Json({"items": [_to_json(one) for one in found], "next": None})

    @api.post(
        "/maintenance",
        summary="Pause targets: runs inside count for neither side",
        status_code=201,
        responses=REFUSAL,
    )
    def add(asked: Annotated[PauseAsked, Body()]) -> Response:
        return Json(_to_json(_enter(inbox, asked)), 201)

    @api.post(
        "/maintenance/{row_id}/withdraw",
        summary="End a pause now; what it took out stays out",
        responses=REFUSAL,
    )
    def withdraw(row_id: RowId) -> Response:
        return Json(_to_json(_end(inbox, row_id)))

    @router.post("/pauses", include_in_schema=False)
    async def fill_in(request: Request) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        target = fields.get("target", "")
        await run_in_threadpool(_enter, inbox, _of_form(fields, target, inbox))
        return RedirectResponse(target_href(target), 303)

    @router.post("/pauses/{row_id}/withdraw", include_in_schema=False)
    async def end(request: Request, row_id: RowId) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        await run_in_threadpool(_end, inbox, row_id)
        return RedirectResponse(target_href(fields.get("target", "")), 303)

    router.include_router(api)
    return router


def _end(inbox: Inbox, row_id: int) -> Maintenance:
    try:
        return end_pause(inbox.database, row_id, now=inbox.clock())
    except ValueError as error:
        raise BadQuery("id", str(error)) from None


def _enter(inbox: Inbox, asked: PauseAsked) -> Maintenance:
    now = inbox.clock()
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
    return pause(inbox.database, inbox.house, plan, now=now)


def _of_form(fields: dict[str, str], target: str, inbox: Inbox) -> PauseAsked:
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
        until=rfc3339(inbox.clock() + lasting),
        author=fields.get("author", ""),
    )


def _to_json(plan: Maintenance) -> dict[str, Any]:
    document = to_document(plan)
    return {
        "id": plan.id,
        "name": plan.name,
        "targets": document["targets"],
        "from": document["start"],
        "until": document["end"],
        **{key: document[key] for key in ("every", "weekday", "at", "duration_s", "zone", "retroactive")},
        "author": plan.author,
        "entered_at": plan.entered_at and rfc3339(plan.entered_at),
        "withdrawn_at": plan.withdrawn_at and rfc3339(plan.withdrawn_at),
    }
