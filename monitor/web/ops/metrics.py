"""What Prometheus asks for, computed from the store at each scrape; no address, key or id is ever a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import add

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.clock_offset import offset_in
from monitor.core.model import Cell, Outcome, State
from monitor.core.views.lanes import Counts
from monitor.core.views.latency import EDGES_MS
from monitor.store.database.engine import Transaction
from monitor.store.outcomes.read import read_evidence, read_some_outcomes
from monitor.store.outcomes.rollups import read_latencies
from monitor.store.overview import (
    CellTotals,
    DeliveryTotal,
    read_cell_totals,
    read_counts_of_days,
    read_delivery_totals,
)
from monitor.web.frame.cell_view import CellView
from monitor.web.frame.context import WebContext
from monitor.web.frame.read_cells import read_states

# Every fourth edge: an octave each, so that a scrape stays small.
SETTLED_AFTER = timedelta(days=7)
_EDGES = tuple(enumerate(EDGES_MS))[3::4]


class Snapshot(Collector):
    """The metrics of one scrape."""

    def __init__(
        self,
        *,
        now: datetime,
        standings: Sequence[CellView],
        totals: Sequence[CellTotals],
        latencies: Mapping[Cell, Sequence[int]],
        deliveries: Sequence[DeliveryTotal],
        newest: Sequence[Outcome] = (),
        offsets: Mapping[str, timedelta] | None = None,
    ) -> None:
        self._now = now
        self._standings = standings
        self._totals = totals
        self._latencies = latencies
        self._deliveries = deliveries
        self._newest = newest
        self._offsets = offsets or {}

    def collect(self) -> Iterable[Metric]:
        """Every family."""
        yield self._checks()
        yield self._durations()
        yield self._first_texts()
        yield self._word_errors()
        yield self._states()
        yield self._last_checks()
        yield self._missed()
        yield self._sent()
        yield self._clock_offsets()

    def _checks(self) -> Metric:
        family = CounterMetricFamily(
            "monitor_checks", "Runs by verdict.", labels=["target", "pathway", "location", "verdict"]
        )
        for one in self._totals:
            for verdict, count in one.counts._asdict().items():
                family.add_metric([one.cell.target, one.cell.pathway, one.cell.location, verdict], count)
        return family

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "monitor_check_duration_seconds",
            "Time to the final text of today's good runs (UTC); the sum is estimated from the buckets.",
            labels=["target", "pathway", "location"],
        )
        for cell, counts in self._latencies.items():
            family.add_metric([cell.target, cell.pathway, cell.location], _buckets(counts), _sum_s(counts))
        return family

    def _first_texts(self) -> Metric:
        family = GaugeMetricFamily(
            "monitor_first_text_seconds",
            "Time to the first text of a target's newest run; absent where that run heard none.",
            labels=["target", "pathway", "location"],
        )
        for run in self._newest:
            first = run.timings_ms.get("first_text")
            if first is not None:
                family.add_metric([run.target, run.pathway, run.location], first / 1000)
        return family

    def _word_errors(self) -> Metric:
        family = GaugeMetricFamily(
            "monitor_word_error_ratio",
            "Word error rate of a target's newest run; absent where that run heard nothing.",
            labels=["target", "pathway", "location"],
        )
        for run in self._newest:
            if run.wer is not None:
                family.add_metric([run.target, run.pathway, run.location], run.wer)
        return family

    def _clock_offsets(self) -> Metric:
        family = GaugeMetricFamily(
            "monitor_clock_offset_seconds",
            "How far our clock is surely ahead of an endpoint's (negative: behind), by its newest answer.",
            labels=["endpoint"],
        )
        for endpoint, offset in self._offsets.items():
            family.add_metric([endpoint], offset.total_seconds())
        return family

    def _states(self) -> Metric:
        family = GaugeMetricFamily(
            "monitor_target_state", "1 for the state a target is in.", labels=["target", "location", "state"]
        )
        for cell in self._standings:
            for state in State:
                family.add_metric(
                    [cell.cell.target, cell.cell.location, state.value], float(state is cell.state)
                )
        return family

    def _last_checks(self) -> Metric:
        family = GaugeMetricFamily(
            "monitor_last_check_timestamp_seconds",
            "When the newest run of a target began.",
            labels=["target", "location"],
        )
        for cell in self._standings:
            if cell.last:
                labels = [cell.cell.target, cell.cell.location]
                family.add_metric(labels, cell.last.started_at.timestamp())
        return family

    def _missed(self) -> Metric:
        family = CounterMetricFamily(
            "monitor_slots_missed", "Slots that were skipped, on record.", labels=["target", "location"]
        )
        for one in self._totals:
            family.add_metric([one.cell.target, one.cell.location], one.skipped)
        return family

    def _sent(self) -> Metric:
        family = CounterMetricFamily(
            "monitor_deliveries", "Notices by what became of them.", labels=["channel", "result"]
        )
        for one in self._deliveries:
            family.add_metric([one.channel, one.result], one.count)
        return family


def _buckets(latencies: Sequence[int]) -> list[tuple[str, float]]:
    cumulated = [(str(edge / 1000), float(sum(latencies[: index + 1]))) for index, edge in _EDGES]
    return [*cumulated, ("+Inf", float(sum(latencies)))]


def _sum_s(latencies: Sequence[int]) -> float:
    edges = (*EDGES_MS, EDGES_MS[-1])
    return sum(count * edge for count, edge in zip(latencies, edges, strict=True)) / 1000


def _read_offsets(tx: Transaction, newest: Sequence[Outcome]) -> dict[str, timedelta]:
    """What the newest run of each endpoint says of our clock; *newest* in order of start."""
    last = {run.endpoint: run.id for run in newest}
    told = ((endpoint, offset_in(read_evidence(tx, run_id) or {})) for endpoint, run_id in last.items())
    return {endpoint: offset.surely for endpoint, offset in told if offset is not None}


class Totals:
    """All runs of each cell ever stored, of which the days long past are summed once a day.

    A run that comes a week late is counted from the next day on: a counter may be late, and never falls.
    """

    def __init__(self) -> None:
        self._settled: tuple[datetime, Mapping[int, Counts]] | None = None

    def read(self, tx: Transaction, now: datetime) -> Mapping[int, Counts]:
        """The counts by the row of the cell."""
        border = _midnight(now) - SETTLED_AFTER
        if self._settled is None or self._settled[0] != border:
            self._settled = border, read_counts_of_days(tx, until=border)
        past, recent = self._settled[1], read_counts_of_days(tx, since=border)
        none = Counts()
        return {
            row_id: Counts(*map(add, past.get(row_id, none), recent.get(row_id, none)))
            for row_id in {*past, *recent}
        }


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def routes(context: WebContext) -> APIRouter:
    """``/metrics``, in Prometheus' text format or OpenMetrics by content negotiation."""
    router = APIRouter(tags=["health"])
    totals = Totals()

    @router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
    def metrics(request: Request) -> Response:
        now = context.clock()
        with context.database.read() as tx:
            standings = read_states(tx, context.settings, now)
            found = read_some_outcomes(tx, [one.last.id for one in standings if one.last])
            newest = sorted(found.values(), key=lambda run: run.started_at)
            snapshot = Snapshot(
                now=now,
                standings=standings,
                newest=newest,
                offsets=_read_offsets(tx, newest),
                totals=read_cell_totals(tx, totals.read(tx, now)),
                latencies=read_latencies(tx, _midnight(now), now),
                deliveries=read_delivery_totals(tx),
            )
        registry = CollectorRegistry()
        registry.register(snapshot)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        headers = {"content-type": content_type, "cache-control": "no-store"}
        return Response(encode(registry), headers=headers)

    return router
