"""What people may add over HTTP: marks and entries, as JSON or by the form of an incident's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitor.core.diagnose import Severity
from monitor.core.incidents import Entry
from monitor.core.marks import LONGEST_AUTHOR, LONGEST_MARK, Mark, checked_mark
from monitor.core.model import Blame
from monitor.core.opinion import LONGEST_NOTE
from monitor.core.times import rfc3339
from monitor.pipeline.remarks import append_entry, note_mark
from monitor.pipeline.verdict import House
from monitor.store.engine import Database
from monitor.store.incidents import incident, incident_entries
from monitor.store.marks import latest_marks
from monitor.web.api import PROBLEM, REFUSAL, Cursor, Json, Limit, Named, Number, Since, Until, entry_to_json
from monitor.web.problems import BadQuery
from monitor.web.queries import read_bounds, read_cursor, read_instant, write_cursor

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What every route here works with."""

    database: Database
    clock: Callable[[], datetime]
    house: House

    def add_mark(self, asked: MarkAsked) -> Mark:
        """Store a mark; BadQuery where it says nothing."""
        now = self.clock()
        at = now if asked.at is None else read_instant("at", asked.at)
        try:
            mark = checked_mark(at, asked.text, asked.author)
        except ValueError as error:
            raise BadQuery("text", str(error)) from None
        return note_mark(self.database, self.house, mark, now=now)

    def add_entry(self, number: int, asked: EntryAsked) -> Entry:
        """Append an entry; BadQuery where it cannot be appended as it is, NotFound without the incident."""
        try:
            return append_entry(
                self.database,
                number,
                asked.kind,
                asked.text,
                asked.author,
                now=self.clock(),
                blame=asked.blame,
                severity=asked.severity,
            )
        except ValueError as error:
            raise BadQuery("entry", str(error)) from None


def remark_routes(inbox: Inbox) -> APIRouter:
    """The routes that people and their tools write to, and the list of marks."""
    router = APIRouter()
    api = APIRouter(prefix="/api/v1", tags=["people"], default_response_class=Json, responses=PROBLEM)

    @api.get("/marks", summary="Marks of outside events, the newest first")
    def marks(
        since: Since = None, until: Until = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        start, end = read_bounds(since, until)
        skip = max(0, int(read_cursor(cursor, int)[0])) if cursor is not None else 0
        with inbox.database.read() as tx:
            found = latest_marks(tx, since=start, until=end, skip=skip, limit=limit + 1)
        following = write_cursor(skip + limit) if len(found) > limit else None
        return Json({"items": [mark_to_json(mark) for mark in found[:limit]], "next": following})

    @api.post(
        "/marks", summary="Note an outside event, such as a deployment", status_code=201, responses=REFUSAL
    )
    def add_mark(asked: Annotated[MarkAsked, Body()]) -> Response:
        return Json(mark_to_json(inbox.add_mark(asked)), 201)

    @api.post(
        "/incidents/{number}/entries",
        summary="Acknowledge, annotate or reclassify",
        status_code=201,
        responses=REFUSAL,
    )
    def add_entry(number: Number, asked: Annotated[EntryAsked, Body()]) -> Response:
        return Json(entry_to_json(inbox.add_entry(number, asked)), 201)

    @api.get("/incidents/{number}/entries", summary="The timeline of an incident, in order")
    def entries(number: Number) -> Response:
        with inbox.database.read() as tx:
            found = incident_entries(tx, incident(tx, number).id)
        return Json({"items": [entry_to_json(entry) for entry in found], "next": None})

    @router.get("/incidents/{number}/entries", include_in_schema=False)
    def timeline(number: Number) -> Response:
        return RedirectResponse(f"/incidents/{number}#timeline", 303)

    @router.post("/incidents/{number}/entries", include_in_schema=False)
    async def fill_in(request: Request, number: Number) -> Response:
        fields = read_fields(request.headers.get("content-type", ""), await request.body())
        await run_in_threadpool(inbox.add_entry, number, _entry_of(fields))
        return RedirectResponse(f"/incidents/{number}#timeline", 303)

    router.include_router(api)
    return router


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


def mark_to_json(mark: Mark) -> dict[str, Any]:
    """A mark as the API tells it."""
    return {"id": mark.id, "at": rfc3339(mark.at), "text": mark.text, "author": mark.author}
