"""``/api/v1/advice``: which pathways are healthy now, ranked; and the same as a stream of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from monitor.core.incidents.incident import Phase, StoredIncident
from monitor.core.incidents.reconcile import cells_of
from monitor.core.model import Cell
from monitor.core.outages.uptime import BADNESS
from monitor.core.timefmt import rfc3339
from monitor.core.views.latency import percentile
from monitor.core.views.routing_advice import NEEDS, Advice, TargetState, advise, to_json
from monitor.store.incidents.incidents import read_unresolved_incidents
from monitor.web.api.facts import PROBLEM, Json
from monitor.web.api.shapes import AdviceJson, PathwayJson
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.context import WebContext
from monitor.web.frame.errors import BadQuery, problem_response
from monitor.web.frame.read_cells import read_states
from monitor.web.ops.events import Streams

Need = Annotated[str | None, Query(description=f"what is needed: {', '.join(NEEDS)}", max_length=100)]
Name = Annotated[str | None, Query(max_length=200)]
MaxAge = Annotated[
    float | None,
    Query(
        alias="max-age",
        ge=0.001,
        le=86_400,
        allow_inf_nan=False,
        description="evidence older than so many seconds is unknown",
    ),
]


def routes(context: WebContext) -> APIRouter:
    """The answer and its stream; streams end once the service is no longer alive."""
    router = APIRouter(prefix="/api/v1/advice", tags=["advice"])
    streams = Streams(lambda: "", alive=context.is_alive)

    @router.get(
        "", response_model=AdviceJson, summary="Which pathways are healthy now, best first", responses=PROBLEM
    )
    def advice(
        need: Need = None, endpoint: Name = None, model: Name = None, max_age: MaxAge = None
    ) -> Response:
        ranked, now = _ranked(context, need, {"endpoint": endpoint, "model": model}, max_age)
        answer = Json(_body(ranked, need, now))
        answer.headers["cache-control"] = "no-store"  # a cache would repeat "healthy" through an outage
        return answer

    @router.get(
        "/events",
        summary="Server-sent events: the ranking, whenever the order or the health of a pathway changes",
        response_class=Response,
        responses={**PROBLEM, 200: {"content": {"text/event-stream": {}}}},
    )
    async def events(
        request: Request,
        need: Need = None,
        endpoint: Name = None,
        model: Name = None,
        max_age: MaxAge = None,
    ) -> Response:
        if streams.is_full():
            return problem_response(503, "Too many live streams are open; ask again instead.")

        def ranking() -> str:
            ranked, _ = _ranked(context, need, {"endpoint": endpoint, "model": model}, max_age)
            return orjson.dumps([_in_brief(one) for one in ranked]).decode()

        await asyncio.to_thread(ranking)  # an unknown need is refused before the stream begins
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            streams.follow(request, ranking, (need, endpoint, model, max_age)),
            media_type="text/event-stream",
            headers=headers,
        )

    return router


def _ranked(
    context: WebContext, need: str | None, wanted: Mapping[str, str | None], max_age: float | None
) -> tuple[Sequence[Advice], datetime]:
    """The pathways that serve *need*, best first, and the moment of it; BadQuery for an unknown need."""
    now = context.clock()
    with context.database.read() as tx:
        cells = [one for one in read_states(tx, context.settings, now) if one.watched]
        concerns = read_unresolved_incidents(tx)
    bound = None if max_age is None else timedelta(seconds=max_age)
    standings = _standings(cells, concerns, bound)
    try:
        return advise([one for one in standings if _fits(one, wanted)], need, now), now
    except ValueError as error:
        raise BadQuery("need", str(error)) from None


def _in_brief(one: Advice) -> dict[str, Any]:
    """What a change is about: no ages, which change all the time."""
    full = to_json(one)
    return {key: full[key] for key in ("rank", "target", "health", "healthy", "incident")}


def _fits(one: TargetState, wanted: Mapping[str, str | None]) -> bool:
    return all(value is None or getattr(one, name) == value for name, value in wanted.items())


def _body(ranked: Sequence[Advice], need: str | None, now: datetime) -> AdviceJson:
    pathways = [cast(PathwayJson, to_json(one)) for one in ranked]
    healthy = any(one["healthy"] for one in pathways)
    return {"at": rfc3339(now), "need": need, "healthy": healthy, "pathways": pathways}


def _standings(
    cells: Iterable[CellView],
    concerns: Iterable[StoredIncident],
    bound: timedelta | None,
) -> list[TargetState]:
    """One standing for each target; its worst location speaks for it."""
    held = _held(concerns)
    groups: dict[str, list[CellView]] = {}
    for cell in cells:
        groups.setdefault(cell.cell.target, []).append(cell)
    return [_standing(group, held, bound) for group in groups.values()]


def _held(concerns: Iterable[StoredIncident]) -> Mapping[Cell, StoredIncident]:
    """The weightiest unresolved incident of each cell: what is suspected counts least."""
    weighty = sorted(concerns, key=lambda one: one.phase is not Phase.SUSPECTED)
    return {cell: one for one in weighty for cell in cells_of(one)}


def _standing(
    group: Sequence[CellView],
    held: Mapping[Cell, StoredIncident],
    bound: timedelta | None,
) -> TargetState:
    speaker = max(group, key=lambda one: BADNESS[one.state])
    concern = next((held[one.cell] for one in group if one.cell in held), None)
    counts = [one.counts for one in group]
    return TargetState(
        endpoint=speaker.cell.endpoint,
        model=speaker.cell.model,
        pathway=speaker.cell.pathway,
        state=speaker.state,
        last_at=speaker.last.started_at if speaker.last else None,
        last_verdict=speaker.last.verdict if speaker.last else None,
        patience=speaker.patience if bound is None else min(speaker.patience, bound),
        passed=sum(one.passed + one.degraded for one in counts),
        total=sum(one.total for one in counts),
        median_ms=percentile(speaker.histogram, 0.5) if speaker.histogram else None,
        concern=concern.phase.value if concern else None,
        incident=concern.number if concern else None,
    )
