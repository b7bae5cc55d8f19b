"""The service, put together: scheduler, runs, the recording thread, deliveries and the page on one loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from starlette.types import ASGIApp

from monitor.catalogue.prices import run_cost
from monitor.config import Settings
from monitor.core.errors import DatabaseError, MonitorError
from monitor.core.model import Cell, Kind, Target
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.core.scheduling.attention import Slots, Watching
from monitor.pipeline.annotate import enter_maintenance
from monitor.pipeline.deliver import IDLE_S, ChannelAddress, Deliverer
from monitor.pipeline.derive import attention_now, judge_what_was_left
from monitor.pipeline.observe import Due, observe
from monitor.pipeline.pace import Pace
from monitor.pipeline.record import Skipped
from monitor.pipeline.recover import account, pause_until, resume
from monitor.pipeline.retirement_notices import RetirementNotices
from monitor.pipeline.storage_watch import Failing, StorageWatch
from monitor.service.build import derivation_settings_of, secrets, transport_of
from monitor.service.dead_mans_switch import DeadMansSwitch, Pulse, longest_rest
from monitor.service.lease import Lease
from monitor.service.outcome_storage import OutcomeStorage
from monitor.service.page_process import PageFacts, PageProcess, Report, listening
from monitor.service.scheduler import Scheduler
from monitor.service.self_check import LOOK_WITHIN_S, Gauges, SelfCheck
from monitor.service.self_check_loops import SelfCheckLoops
from monitor.service.usual_latencies import UsualLatencies
from monitor.store.database.engine import Database
from monitor.store.outcomes.cells import sync_targets
from monitor.transport import Transport
from monitor.web.frame.display_settings import DemoLinks, Liveness

log = structlog.get_logger("serve")

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
        self._transport = transport or transport_of(settings)
        self._facts = PageFacts(settings=settings, reported=archive, demo=demo)
        self._idle_s = idle_s
        self._costs = {target.key: run_cost(target, settings.prices) or 0.0 for target in settings.targets}
        self.scheduler = Scheduler(
            settings.targets,
            run=self._run,
            skip=self._skip,
            clock=clock,
            location=settings.monitor.location,
            costs=self._costs,
        )
        self._last_slot: datetime | None = None
        self._began = clock()
        self._usual = UsualLatencies(database, map(self._cell, settings.targets))
        self._lease = Lease(database, settings.monitor.location, clock=clock)
        self._storage = OutcomeStorage(
            database,
            self._house,
            lease=self._lease,
            pace=Pace(stopwatch=(gauges or Gauges()).worked),
            usual=self._usual,
            attend=self.scheduler.attend,
            clock=clock,
            folder=database.folder or settings.path.parent,
        )
        self._selfcheck = SelfCheck(
            location=settings.monitor.location,
            hosts=settings.monitor.control_hosts,
            reach=partial(self._transport.reach, deadline=LOOK_WITHIN_S),
            clock=clock,
            folder=database.folder,
            gauges=gauges,
        )
        self._loops = SelfCheckLoops(self._selfcheck, self._storage, clock_moved=self.scheduler.realign)
        self._retirements = RetirementNotices(
            settings.targets, database, self._house, self._transport, clock=clock
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
            asyncio.create_task(self._storage.run(), name="record"),
            asyncio.create_task(self._loops.take_turns(), name="turns"),
            asyncio.create_task(self._loops.look_around(), name="self-check"),
            asyncio.create_task(self._retirements.run(), name="retirements"),
            asyncio.create_task(courier.run(), name="deliver"),
            asyncio.create_task(self._storage_watch(courier).run(), name="storage"),
            *self._heartbeat(),
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
        storing, *others = tasks
        log.info("stopping", runs_under_way=self.scheduler.in_flight())
        await self.scheduler.stop(self._longest_run())
        self._storage.close()
        for task in others:
            task.cancel()
        await asyncio.wait([storing], timeout=LONGEST_STOP.total_seconds())
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
        self._usual.read_all(now)
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
        due = Due(target=target, slot=slot, kind=kind, location=cell.location, usual_ms=self._usual.of(cell))
        seen = await observe(due, self._transport, now=self._clock())
        self._selfcheck.hear(target.endpoint.name, seen.evidence)
        if seen.outcome.failure in BELOW_PROTOCOL:
            self.scheduler.run_another_host(target)
            await self._loops.look()  # stored before the run, which is read in its light
        pause = pause_until(seen.outcome, seen.evidence)
        if pause is not None:
            self.scheduler.limits.pause(target, pause, self._clock())
        self._storage.put(seen)

    def _skip(self, target: Target, slots: Slots, reason: str) -> None:
        self._last_slot = self._clock()
        self._storage.put(Skipped(cell=self._cell(target), slots=slots, reason=reason))

    def _cell(self, target: Target) -> Cell:
        return Cell(target.endpoint.name, target.model, target.pathway, self._settings.monitor.location)

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

    def _heartbeat(self) -> Iterator[asyncio.Task[None]]:
        """The calls to whoever is to notice that this service measures no more, where one is configured."""
        configured = self._settings.heartbeat
        if configured is None:
            return
        switch = DeadMansSwitch(
            partial(secrets(), configured.url), self._transport, pulse=self._pulse, clock=self._clock
        )
        yield asyncio.create_task(switch.run(), name="heartbeat")

    def _pulse(self) -> Pulse:
        return Pulse(
            running=self.scheduler.is_running(),
            last_slot=self._last_slot or self._began,
            last_stored=self._storage.last_stored,
            backlog=self._storage.backlog(),
            patience=longest_rest(target.every for target in self._settings.targets),
        )

    def _liveness(self) -> Liveness:
        return Liveness(
            running=self.scheduler.is_running(),
            last_cycle=self._storage.last_stored,
            unstored=self._storage.backlog().reason,
            last_slot=self._last_slot,
            since=self._began,
        )

    def _storage_watch(self, courier: Deliverer) -> StorageWatch:
        def failing() -> Failing | None:
            backlog = self._storage.backlog()
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
        return Report(liveness=self._liveness(), retirements=self._retirements.known())


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
