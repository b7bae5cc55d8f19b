"""The page of one target: its lanes per location, its windows, its latest runs, its latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.errors import NotFound
from monitor.core.intervals import Span
from monitor.core.model import Cell, Outcome, Target, Verdict, target_path
from monitor.core.outages.maintenance import Maintenance
from monitor.core.outages.uptime import Bounds, bounds
from monitor.core.outages.windows import Window
from monitor.core.scheduling.budget import allowance_of, money
from monitor.core.timefmt import duration_text
from monitor.core.views.latency import latency_text
from monitor.store.database.engine import Transaction
from monitor.store.derivation.maintenance import read_maintenance
from monitor.web.frame.answer import answer_page
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.charts import draw_axis, draw_latency
from monitor.web.frame.components import Freshness, LaneRow, Link, freshness
from monitor.web.frame.context import WebContext
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.query_params import (
    Day,
    Shown,
    Until,
    Zoom,
    address,
    move_links,
    read_shown,
    zoom_links,
)
from monitor.web.frame.read_cells import LatencyPoint, read_cells, read_drift, read_points, read_runs

_RUNS = 50


class TargetWindow(NamedTuple):
    """A window, and how long it lasted; in the gaps of its cell it is not certain to have been down."""

    window: Window
    lasted: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPage:
    """Everything on the page of a target: a cell per location, its runs newest first, its latency."""

    title: str
    cell: Cell
    period: Span
    fresh: Freshness
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    cells: Sequence[CellView]
    lanes: Sequence[LaneRow]
    axis: Markup
    latency: Markup
    latency_words: str
    zooms: Sequence[Link]
    moves: Sequence[Link]
    windows: Sequence[TargetWindow]
    runs: Sequence[Outcome]
    filters: Sequence[Link]
    older: Link | None
    pauses: Sequence[Maintenance]  # of people, not ended yet


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPage:
    """A target that is watched and has no run yet."""

    title: str
    target: Target


def routes(context: WebContext) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/targets/{key:path}")
    def target(  # each is a parameter of the address
        request: Request,
        key: str,
        zoom: Zoom = None,
        day: Day = None,
        until: Until = None,
        verdict: Verdict | None = None,
        cursor: str | None = None,
    ) -> Response:
        def make(tx: Transaction, now: datetime) -> tuple[str, object]:
            shown = read_shown(zoom=zoom, day=day, until=until, now=now)
            period, bucket = shown.period, shown.zoom.bucket
            cells = read_cells(
                tx, settings=context.settings, period=period, bucket=bucket, now=now, target=key
            )
            if not any(cell.last for cell in cells):
                return "pages/waiting.html", _waiting(context.settings, key)
            chosen = _Chosen(shown=shown, verdict=verdict, cursor=cursor)
            return "pages/target.html", _read(tx, context, cells, chosen, now)

        return answer_page(context, request, make)

    return router


def _waiting(settings: DisplaySettings, key: str) -> WaitingPage:
    if key not in settings.by_key:
        raise NotFound(
            f"No target is called {key[:200]}, neither in the configuration nor in what is stored."
        )
    return WaitingPage(title=key, target=settings.by_key[key])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What the address asks for."""

    shown: Shown
    verdict: Verdict | None
    cursor: str | None


def _read(
    tx: Transaction, context: WebContext, cells: Sequence[CellView], chosen: _Chosen, now: datetime
) -> TargetPage:
    """The page of a target with at least one run."""
    cell, shown = cells[0].cell, chosen.shown
    period, path = shown.period, target_path(cell.target)
    until = period.end if shown.moved else None
    runs = read_runs(tx, cell.target, period.end, chosen.verdict, chosen.cursor, _RUNS)
    points = read_points(tx, [one.cell for one in cells], period, shown.zoom.bucket)
    older = address(path, shown.zoom.name, until, verdict=chosen.verdict, cursor=runs.cursor)
    return TargetPage(
        title=cell.target,
        cell=cell,
        period=period,
        fresh=freshness(context, tx, now, max(one.last.started_at for one in cells if one.last)),
        facts=_facts(cells[0], context.settings),
        warnings=_warnings(
            cell.target,
            runs.outcomes,
            context.settings,
            now,
            slower=read_drift(tx, [one.cell for one in cells], now),
        ),
        cells=cells,
        lanes=tuple(
            LaneRow(
                target=cell.target,
                name=one.cell.location,
                lane=one.lane,
                figure=one.uptime.figure(),
                basis=one.uptime.basis(),
            )
            for one in cells
        ),
        axis=draw_axis(period, now),
        latency=draw_latency(points, period, _failures(cells, shown.zoom.bucket)),
        latency_words=_latency_words(points),
        zooms=zoom_links(path, shown),
        moves=move_links(path, shown, now),
        windows=sorted(
            (TargetWindow(window, _lasted(window, one.gaps)) for one in cells for window in one.windows),
            key=lambda one: one.window.start,
            reverse=True,
        ),
        runs=runs.outcomes,
        filters=tuple(
            Link(
                text=name or "all",
                href=address(path, shown.zoom.name, until, verdict=name) + "#runs",
                current=name == chosen.verdict,
            )
            for name in (None, *Verdict)
        ),
        older=Link(text="older runs", href=f"{older}#runs") if runs.cursor else None,
        pauses=[one for one in read_maintenance(tx) if one.concerns(cell.target) and one.may_be_ended(now)],
    )


def _facts(cell: CellView, settings: DisplaySettings) -> Sequence[tuple[str, str]]:
    target = settings.by_key.get(cell.cell.target)
    facts = [("provider", cell.provider or ""), ("region", cell.region or "")]
    if target is None:
        facts.append(("watched", "no longer, or never: what is shown was stored earlier"))
    else:
        facts += [
            ("asked", f"every {duration_text(target.every)}, at most {target.max_per_minute} a minute"),
            ("clip", target.clip),
            ("host model", target.session_model or ""),
            ("configuration", target.configuration),
            ("daily budget", _budget(target)),
        ]
    return tuple((name, value) for name, value in facts if value)


def _warnings(
    key: str, runs: Sequence[Outcome], settings: DisplaySettings, now: datetime, *, slower: str | None
) -> Sequence[str]:
    """What will end or has changed without failing: retirements, drift in the newest run shown, slowness."""
    ending = [one.sentence(now) for one in settings.retirements if key in one.targets]
    drift = runs[0].extra.get("drift") if runs else None
    told = drift if isinstance(drift, list) else []
    return [*ending, *(f"Drift: {sentence}" for sentence in told), *([slower] if slower else [])]


def _budget(target: Target) -> str:
    allowance = allowance_of(target.endpoint)
    if allowance is None:
        return ""
    kept = money(allowance.usd - allowance.limit(urgent=False))
    return f"{money(allowance.usd)} for {target.endpoint.name}, {kept} of it kept for an open incident"


def _lasted(window: Window, gaps: Sequence[Span]) -> Bounds:
    return bounds([window], lambda _: gaps)


def _latency_words(points: Sequence[LatencyPoint]) -> str:
    known = [value for _, *pair in points for value in pair if value]
    if not known:
        return ""
    least, most = latency_text(min(known)), latency_text(max(known))
    return (
        f"p50 (line) and p95 (dashed) of the final text, logarithmic, {least} to {most}; "
        "ticks at the top: failed runs, which have none"
    )


def _failures(cells: Sequence[CellView], bucket: timedelta) -> Sequence[datetime]:
    """The middle of every bucket in which a run failed."""
    bad = {at for cell in cells for at, counts in cell.buckets.items() if counts.failed}
    return [at + bucket / 2 for at in sorted(bad)]
