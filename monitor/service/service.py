"""The service, put together: scheduler, runs, the recording thread, deliveries and the page on one loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from monitor.catalogue.prices import run_cost
from monitor.config import Settings
from monitor.core.alerting.decide import Notice
from monitor.core.alerting.model_retirement import owed_notices
from monitor.core.errors import DatabaseError, MonitorError
from monitor.core.model import Cell, Kind, Target
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.core.outages.self_observations import SelfObservation
from monitor.core.scheduling.attention import Slots, Watching
from monitor.core.views.latency import percentile
from monitor.pipeline.annotate import enter_maintenance
from monitor.pipeline.deliver import IDLE_S, ChannelAddress, Deliverer
from monitor.pipeline.derive import attention_now, judge_what_was_left
from monitor.pipeline.observe import Due, Observed, observe
from monitor.pipeline.pace import Pace
from monitor.pipeline.record import Recorded, Skipped, record
from monitor.pipeline.recover import account, pause_until, resume
from monitor.pipeline.retirements import RetirementLists
from monitor.pipeline.spool import spool
from monitor.pipeline.storage_watch import Failing, StorageWatch
from monitor.pipeline.writer import BatchWriter
from monitor.service.build import derivation_settings_of, secrets, transport_of
from monitor.service.lease import Lease
from monitor.service.page_process import PageFacts, PageProcess, Report, listening
from monitor.service.scheduler import Scheduler
from monitor.service.self_check import LOOK_EVERY, LOOK_WITHIN_S, Gauges, SelfCheck
from monitor.store.database.engine import Database
from monitor.store.heartbeats import BEAT_EVERY
from monitor.store.incidents.notices import add_notices
from monitor.store.outcomes.cells import sync_targets
from monitor.store.outcomes.rollups import read_latencies
from monitor.transport import Transport
from monitor.web.frame.context import DemoLinks, Liveness

log = structlog.get_logger("serve")

TURN = timedelta(seconds=2)  # how often is looked at what only time changes
USUAL_EVERY = timedelta(minutes=10)
USUAL_OVER = timedelta(days=7)
USUAL_LEAST = 20  # runs below which a median says nothing
LONGEST_STOP = timedelta(seconds=60)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Service:
    """One monitor at one location over one database; made and run inside an event loop.

    *archive* holds targets that are not watched any more, for the reports about them. *transport* is the
    way out and *gauges* how the machine is read; both as configured and as it is where they are not given.
    *idle_s* is how often is looked for notices that are owed.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        clock: Callable[[], datetime] = utc_now,
        demo: DemoLinks | None = None,
        archive: Sequence[Target] = (),
        transport: Transport | None = None,
        gauges: Gauges | None = None,
        idle_s: float = IDLE_S,
    ) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._house = derivation_settings_of(settings)
        self._pace = Pace(stopwatch=(gauges or Gauges()).worked)
        self._transport = transport or transport_of(settings)
        self._facts = PageFacts(settings=settings, reported=archive, demo=demo)
        self._idle_s = idle_s
        self._lag = 0.0
        self._last_turn: datetime | None = None
        self._last_slot: datetime | None = None
        self._began = clock()
        self._usual: Mapping[Cell, float] = {}
        self._usual_at: datetime | None = None
        self._recorder: BatchWriter[Observed | Skipped | SelfObservation, Recorded] = BatchWriter(
            self._store, self._stored, clock=clock, left=self._keep, refused=self._refused
        )
        self._lease = Lease(database, settings.monitor.location, clock=clock)
        self._beat_at: datetime | None = None
        self._selfcheck = SelfCheck(
            location=settings.monitor.location,
            hosts=settings.monitor.control_hosts,
            reach=partial(self._transport.reach, deadline=LOOK_WITHIN_S),
            clock=clock,
            folder=database.folder,
            gauges=gauges,
        )
        self._looked: Sequence[SelfObservation] = ()
        self._complaints: Sequence[str] = ()
        self._endings = RetirementLists(settings.targets)
        self._retirements_on: date | None = None
        self._costs = {target.key: run_cost(target, settings.prices) or 0.0 for target in settings.targets}
        self.scheduler = Scheduler(
            settings.targets,
            run=self._run,
            skip=self._skip,
            clock=clock,
            location=settings.monitor.location,
            costs=self._costs,
        )

    async def run(self, started: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT; then let runs end, store what they gave, and return.

        *started* is told the page's address once it answers. Raises MonitorError where the address is
        taken or the database cannot be used at the start.
        """
        with listening(self._settings) as sockets, _stop_signals() as stopping:
            server = PageProcess(self._facts, self._report)
            serving = server.serve(sockets, partial(started, self._settings.web.base_url))
            page = asyncio.create_task(serving, name="page")
            try:
                await self.work(stopping, page)
            finally:
                server.stop()
                await asyncio.wait([page], timeout=LONGEST_STOP.total_seconds())

    async def work(self, stopping: asyncio.Event, *beside: asyncio.Task[None]) -> None:
        """Check, store and tell until *stopping* is set; then let runs end and store what they gave.

        Raises what a part raised that should have gone on, one of *beside* too: those are not ended here.
        """
        await self._lease.take()
        with self._database.write() as tx:
            sync_targets(tx, self._settings.targets, self._clock())
        if judge_what_was_left(self._database, self._house):
            log.info("outcomes that were stored and not judged are judged now")
        enter_maintenance(self._database, self._house, self._settings.maintenance, now=self._clock())
        courier = self._courier()
        tasks = [
            asyncio.create_task(self._recorder.run(), name="record"),
            asyncio.create_task(self._take_turns(), name="turns"),
            asyncio.create_task(self._look_around(), name="self-check"),
            asyncio.create_task(courier.run(), name="deliver"),
            asyncio.create_task(self._storage_watch(courier).run(), name="storage"),
        ]
        try:
            watched = attention_now(self._database, self._house, now=self._clock())
            self._take_over(watched)
            self.scheduler.start(watched)
            await _until_stopped(stopping, [*tasks, *beside])
        finally:
            await self._wind_up(tasks)

    async def _wind_up(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Runs first, then what they gave: nothing that was measured is lost."""
        recording, *others = tasks
        log.info("stopping", runs_under_way=self.scheduler.in_flight())
        await self.scheduler.stop(self._longest_run())
        self._recorder.close()
        for task in others:
            task.cancel()
        await asyncio.wait([recording], timeout=LONGEST_STOP.total_seconds())
        await asyncio.gather(*others, return_exceptions=True)
        with contextlib.suppress(DatabaseError):  # then it runs out by itself
            self._lease.release()
        await self._transport.aclose()

    def _take_over(self, watched: Sequence[Watching]) -> None:
        """Go on under the limits as they stood: a restart gives no quota, no money and no slot back."""
        now, location = self._clock(), self._settings.monitor.location
        lost = account(self._database, self._settings.targets, watched, location=location, now=now)
        if lost:
            log.info("slots were lost with the process before", lost=lost)
        known = resume(self._database, self._settings.targets, self._costs, location=location, now=now)
        for key, at in known.starts:
            self.scheduler.limits.quota.note(self.scheduler.targets[key], at)
        for key, at in known.newest.items():
            self.scheduler.note_newest(self.scheduler.targets[key], at)
        for endpoint, usd in known.spent.items():
            self.scheduler.limits.daily_budget.add(endpoint, usd, now)
        for key, until in known.pauses.items():
            self.scheduler.limits.pause(self.scheduler.targets[key], until, now)

    def _longest_run(self) -> timedelta:
        timeouts = [target.timeout for target in self._settings.targets]
        return min(LONGEST_STOP, max(timeouts, default=timedelta(0)) + timedelta(seconds=1))

    async def _run(self, target: Target, slot: datetime, kind: Kind) -> None:
        self._last_slot = self._clock()
        cell = self._cell(target)
        due = Due(target=target, slot=slot, kind=kind, location=cell.location, usual_ms=self._usual.get(cell))
        seen = await observe(due, self._transport, now=self._clock())
        self._selfcheck.hear(target.endpoint.name, seen.evidence)
        if seen.outcome.failure in BELOW_PROTOCOL:
            self.scheduler.run_another_host(target)
            await self._look()  # stored before the run, which is read in its light
        pause = pause_until(seen.outcome, seen.evidence)
        if pause is not None:
            self.scheduler.limits.pause(target, pause, self._clock())
        self._recorder.put(seen)

    def _skip(self, target: Target, slots: Slots, reason: str) -> None:
        self._last_slot = self._clock()
        self._recorder.put(Skipped(cell=self._cell(target), slots=slots, reason=reason), minor=True)

    def _cell(self, target: Target) -> Cell:
        return Cell(target.endpoint.name, target.model, target.pathway, self._settings.monitor.location)

    def _store(self, items: Sequence[Observed | Skipped | SelfObservation]) -> Recorded:
        """On the recording thread: one transaction, and now and then how slow each cell usually is."""
        now, lag = self._clock(), timedelta(seconds=self._lag)
        recorded = record(
            self._database,
            items,
            self._house,
            now=now,
            lag=lag,
            pace=self._pace,
            may_store=self._lease.renew,
        )
        if recorded.refused:
            self._keep(items)
            return recorded
        self._beat_at, self._lag = now, 0.0
        if self._usual_at is None or now - self._usual_at > USUAL_EVERY:
            self._usual, self._usual_at = usual_latencies(self._database, now), now
        return recorded

    def _keep(self, items: Sequence[Observed | Skipped | SelfObservation]) -> None:
        """Write what could not be stored before the end where `import` can take it back."""
        kept = [item for item in items if isinstance(item, Observed)]
        if not kept:
            return
        folders = (self._database.folder or self._settings.path.parent, Path(tempfile.gettempdir()))
        path = spool(kept, folders, now=self._clock())
        if path is None:
            log.error("outcomes are lost", lost=len(kept))
        else:
            log.warning(
                "outcomes wait in a file: run `earwitness import` on it", file=path, outcomes=len(kept)
            )

    def _refused(self, item: Observed | Skipped | SelfObservation, error: Exception) -> None:
        """Keep an outcome that the store cannot take in a file, and its slot on record."""
        if not isinstance(item, Observed):
            return
        self._keep([item])
        outcome = item.outcome
        if outcome.kind is Kind.SCHEDULED:
            reason = f"lost: the outcome could not be stored, {type(error).__name__}"
            slot = Slots(first=outcome.slot or outcome.started_at)
            self._recorder.put(Skipped(cell=outcome.cell, slots=slot, reason=reason), minor=True)

    def _stored(self, recorded: Recorded) -> None:
        if recorded.refused:
            location = self._settings.monitor.location
            raise MonitorError(
                f"another monitor took over location '{location}' while this one did not run: "
                "it goes on, this one ends"
            )
        self._last_turn = self._clock()
        self.scheduler.attend(recorded.judged.watchings)
        for result in recorded.results:
            if result.reason:
                log.warning("an outcome was not stored", reason=result.reason)
        for change in recorded.judged.changes:
            for entry in change.entries:
                number = change.incident.number or "none yet"
                log.info("incident", number=number, kind=entry.kind.value, text=entry.text)

    async def _take_turns(self) -> None:
        """Ask for what only time changes, and measure how late the loop is meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TURN.total_seconds()
            await asyncio.sleep(TURN.total_seconds())
            late = loop.time() - due
            self._lag = max(self._lag, late)
            for sight in self._selfcheck.turn(late):
                log.warning("nothing could be measured for a while", reason=sight.detail)
                self._recorder.put(sight)
                self.scheduler.realign()
            if self._is_turn_due():
                self._recorder.turn()

    def _is_turn_due(self) -> bool:
        """Whether time alone brings something to store: a verdict to look at again, or a sign of life."""
        now = self._clock()
        lives = self._beat_at is not None and timedelta(0) <= now - self._beat_at < BEAT_EVERY - TURN / 2
        return not lives or self._pace.is_due(now)

    async def _look_around(self) -> None:
        """Look at the control hosts and at ourselves, once a minute."""
        while True:
            await self._look()
            await self._endings.ask(self._transport, self._clock().date())
            await self._owe_retirements()
            complaints = self._selfcheck.complaints()
            for sentence in complaints:
                if sentence not in self._complaints:
                    log.warning("self-check", found=sentence)
            self._complaints = complaints
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _owe_retirements(self) -> None:
        """Owe the notices of models that end; those that were owed before are not owed again."""
        now = self._clock()
        if now.date() == self._retirements_on:
            return
        house = self._house
        owed = list(owed_notices(self._endings, house.policies, now=now, voice=house.voice))
        try:
            if owed:
                await asyncio.to_thread(self._add_notices, owed)
        except DatabaseError as error:
            log.warning("notices of retirements wait for the database", error=str(error))
        else:
            self._retirements_on = now.date()

    def _add_notices(self, owed: Sequence[Notice]) -> None:
        with self._database.write() as tx:
            add_notices(tx, owed)

    async def _look(self) -> None:
        """Have a look at the control hosts recorded; one that many runs share, once."""
        seen = await self._selfcheck.look()
        if seen is not self._looked:
            self._looked = seen
            for sight in seen:
                self._recorder.put(sight)

    def _courier(self) -> Deliverer:
        channels = self._settings.channels.values()
        return Deliverer(
            database=self._database,
            transport=self._transport,
            receivers={
                channel.name: ChannelAddress(kind=channel.kind, url=channel.url, secret=channel.secret)
                for channel in channels
            },
            resolve=secrets(),
            clock=self._clock,
            idle_s=self._idle_s,
        )

    def _liveness(self) -> Liveness:
        return Liveness(
            running=self.scheduler.is_running(),
            last_cycle=self._last_turn,
            unstored=self._recorder.backlog().reason,
            last_slot=self._last_slot,
            since=self._began,
        )

    def _storage_watch(self, courier: Deliverer) -> StorageWatch:
        def failing() -> Failing | None:
            backlog = self._recorder.backlog()
            since = backlog.failing_since
            return None if since is None else Failing(since=since, reason=backlog.reason or "")

        return StorageWatch(
            self._database,
            failing=failing,
            attempt=courier.attempt,
            policies=self._house.policies,
            voice=self._house.voice,
            clock=self._clock,
        )

    def application(self) -> ASGIApp:
        """The page and the JSON over this service's database, for who serves them in this process."""
        from monitor.service.page_server import application  # noqa: PLC0415 - else the page's process needs it only

        return application(self._facts, self._database, self._clock, self._report)

    def _report(self) -> Report:
        """What the page is told now and then."""
        return Report(liveness=self._liveness(), retirements=tuple(self._endings))


def usual_latencies(database: Database, now: datetime) -> Mapping[Cell, float]:
    """Each cell's median time to the final text over the last 7 days, in ms, where enough is known."""
    with database.read() as tx:
        counted = read_latencies(tx, now - USUAL_OVER, now)
    medians = {
        cell: percentile(counts, 0.5) for cell, counts in counted.items() if sum(counts) >= USUAL_LEAST
    }
    return {cell: median for cell, median in medians.items() if median is not None}


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set; a second one changes nothing, since the drain is bounded."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield stopping
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _until_stopped(stopping: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Return when told to stop; raise what a task raised that should have gone on for ever."""
    waiting = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    for task in done - {waiting}:
        task.result()
        raise MonitorError(f"the part '{task.get_name()}' ended on its own: see the log")
