"""Days of the real service in seconds: a scenario plants trouble, lets time pass, and looks.

For a short test of the running service, at the intervals that people use::

    from tests.soak.scenario import World, play, watch

    def test_an_outage_is_told_within_six_minutes(tmp_path: Path) -> None:
        \"\"\"At five minutes an outage is announced within what is promised.\"\"\"

        async def scene(w: World) -> None:
            await w.run(minutes=30)                        # everything is fine
            outage = w.fail("alpha/gpt-4o-transcribe/rest")  # now; how="server", "quota", "silent", …
            await w.run(minutes=7)
            assert [said.kind for said in w.told] == ["incident.opened"]
            w.mend(outage)
            await w.run(minutes=30)
            assert w.kinds("oncall") == ["incident.opened", "incident.recovering", "incident.resolved"]

        play(tmp_path, scene, watches=[watch("alpha", every="5m"), watch("beta", every="1m")])

All of it is the product: scheduler with APScheduler, checks, classification, recorder, verdict, outbox and
page. Only the wire is scripted (`outside.ANSWERS` lists what may go wrong), and the clock is driven.

- `where` is a pattern over target keys, or several: ``"alpha/*"``, ``"*/whisper-1/*"``, ``"*"``.
- Trouble may be given ahead: ``w.fail("*", start=…, end=…, share=0.3)``; `w.now()` is the wall clock.
- The service's life: `w.restart()`, `w.stop()`, `w.kill()`, `w.start()`; a start takes another `Plan`.
- The machine's: `w.suspend(…)`, `w.stall(…)`, `w.set_clock(…)`; our own line: `w.cut(…)`;
  receivers: ``w.lose_receiver("oncall")``.
- To look: `w.told`, `w.kinds()`, ``w.rows("select …")``, ``await w.json("/api/v1/incidents")``,
  ``await w.page("/")``, `w.replay()`, `w.service.scheduler`, `w.outside.met` (what the peers were asked).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from monitor.config import Settings, load
from monitor.core.incidents.derive import derive, to_json
from monitor.core.outages.masking import pause
from monitor.pipeline.deliver import IDLE_S
from monitor.service.self_check import Gauges
from monitor.service.service import Service
from monitor.store.database.engine import Database, open_database
from monitor.store.database.migrate import migrate
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from tests.soak.clock import DrivenLoop, followed_by_the_engine, new_life
from tests.soak.outside import Absence, Outside, ScriptedTransport, Told, Trouble

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One `[[watch]]` of an endpoint; *more* are further keys as TOML lines."""

    endpoint: str
    models: Sequence[str] = ("gpt-4o-transcribe", "whisper-1")
    pathways: Sequence[str] = ("rest", "realtime")
    every: str = "5m"
    more: str = ""


def watch(endpoint: str = "alpha", **settings: Any) -> Watch:
    """Two models on two pathways, every five minutes, unless it is said otherwise."""
    return Watch(endpoint=endpoint, **settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is configured: watches, channels with what they are told, and anything else as TOML.

    *endpoints* are keys of an endpoint's table beside the usual ones, as TOML lines by name.
    """

    watches: Sequence[Watch] = (Watch(endpoint="alpha"), Watch(endpoint="beta"))
    channels: Mapping[str, Sequence[str] | None] = field(default_factory=lambda: {"oncall": None})
    endpoints: Mapping[str, str] = field(default_factory=dict)
    control_hosts: Sequence[str] = ("control.test:443",)
    more: str = ""

    def toml(self, folder: Path) -> str:
        """The configuration file."""
        hosts = json.dumps(list(self.control_hosts))
        parts = [
            f'[monitor]\nlocation = "berlin"\ntimezone = "Europe/Berlin"\ncontrol_hosts = {hosts}',
            '[web]\nlisten = "127.0.0.1:8080"\npublic_url = "http://127.0.0.1:8080"',
            f'[database]\nurl = "sqlite:///{folder}/earwitness.db"',
        ]
        for name in dict.fromkeys(one.endpoint for one in self.watches):
            table = self.endpoints.get(name, "")
            usual = "" if "url =" in table else f'url = "https://{name}.test/v1"\n'
            usual += "" if "provider =" in table else 'provider = "openai"\n'
            parts.append(f'[endpoint.{name}]\nkey = "file:{folder}/key"\n{usual}{table}')
        for one in self.watches:
            host = 'session_model = "gpt-realtime"\n' if "realtime" in one.pathways else ""
            parts.append(
                f'[[watch]]\nendpoint = "{one.endpoint}"\nmodels = {json.dumps(list(one.models))}\n'
                f'pathways = {json.dumps(list(one.pathways))}\nevery = "{one.every}"\n{host}{one.more}'
            )
        for name, when in self.channels.items():
            asked = "" if when is None else f"when = {json.dumps(list(when))}"
            parts.append(
                f'[channel.{name}]\nkind = "webhook"\nurl = "file:{folder}/{name}.url"\n'
                f'secret = "file:{folder}/secret"\n{asked}'
            )
        return "\n\n".join([*parts, self.more]) + "\n"

    def write(self, folder: Path) -> Path:
        """The file, with the files of its secrets beside it."""
        (folder / "key").write_text("a-key-that-is-not-one")
        (folder / "secret").write_text(SECRET)
        for name in self.channels:
            (folder / f"{name}.url").write_text(hook(name))
        path = folder / "config.toml"
        path.write_text(self.toml(folder))
        return path


def hook(channel: str) -> str:
    """Where a channel is told."""
    return f"https://hooks.test/{channel}"


class World:
    """A service over a database in *folder*, and everything around it, on a driven clock."""

    def __init__(self, folder: Path, loop: DrivenLoop, plan: Plan, *, idle_s: float = IDLE_S) -> None:
        self.folder, self.loop, self.plan, self._idle_s = folder, loop, plan, idle_s
        self.outside = Outside()
        self.path = plan.write(folder)
        self.settings: Settings = load(self.path, environ={})
        self._lives = 0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._database: Database | None = None
        self._service: Service | None = None
        self._app: ASGIApp | None = None

    # Time --------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The wall clock."""
        return self.loop.wall()

    async def run(self, **parts: float) -> datetime:
        """Let time pass: ``run(minutes=5)``; gives the time it is then."""
        await asyncio.sleep(timedelta(**parts).total_seconds())
        self._look_at_the_service()
        return self.now()

    async def run_until(self, instant: datetime) -> None:
        """Let time pass until the wall clock shows that."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            await self.run(seconds=left)

    async def until(self, condition: Callable[[], object], **within: float) -> datetime:
        """Let time pass until the condition holds; gives the time it is then."""
        last = self.loop.time() + timedelta(**within).total_seconds()
        while not condition():
            assert self.loop.time() < last, "the condition did not come to hold"
            await self.run(seconds=1)
        return self.now()

    def suspend(self, **length: float) -> None:
        """The machine slept that long."""
        self.loop.suspend(timedelta(**length))

    def stall(self, **length: float) -> None:
        """The process stood still that long."""
        self.loop.advance(timedelta(**length).total_seconds())

    def set_clock(self, **by: float) -> None:
        """Somebody set the wall clock, forwards or back."""
        self.loop.step(timedelta(**by))

    # Trouble -----------------------------------------------------------------------------------------

    def fail(
        self,
        where: str | Sequence[str],
        how: str = "server",
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        share: float = 1.0,
        retry_after: int | None = None,
        most: int | None = None,
    ) -> Trouble:
        """From now, or *start*, that is wrong there."""
        trouble = Trouble(
            where=where,
            how=how,
            start=start or self.now(),
            end=end,
            share=share,
            retry_after=retry_after,
            most=most,
        )
        self.outside.troubles.append(trouble)
        return trouble

    def cut(self, *, start: datetime | None = None, end: datetime | None = None) -> Trouble:
        """From now, or *start*, nothing is reached from here."""
        trouble = Trouble(where="*", how="unreachable", start=start or self.now(), end=end)
        self.outside.our_network.append(trouble)
        return trouble

    def mend(self, trouble: Trouble | Absence) -> None:
        """It ends now."""
        trouble.end = self.now()

    def lose_receiver(
        self, channel: str, how: str = "away", *, start: datetime | None = None, end: datetime | None = None
    ) -> Absence:
        """From now, or *start*, that channel takes nothing."""
        absence = Absence(channel=channel, start=start or self.now(), end=end, how=how)
        self.outside.absences.append(absence)
        return absence

    # The service's life ------------------------------------------------------------------------------

    @property
    def service(self) -> Service:
        """The one that runs."""
        assert self._service is not None, "no service runs"
        return self._service

    @property
    def database(self) -> Database:
        """Its database."""
        assert self._database is not None, "no service runs"
        return self._database

    def start(self, plan: Plan | None = None) -> None:
        """Start the service, with another configuration if one is given."""
        assert self._task is None, "the service runs already"
        if plan is not None:
            self.plan = plan
            self.path = plan.write(self.folder)
            self.settings = load(self.path, environ={})
        self._lives += 1
        self._database = open_database(f"sqlite:///{self.folder}/earwitness.db")
        context = new_life(self._lives)
        self._task = self.loop.create_task(context.run(self._live), context=context)

    async def _live(self) -> None:
        self._stopping = asyncio.Event()
        urls = {hook(name): name for name in self.plan.channels}
        self._service = Service(
            self.settings,
            self.database,
            clock=self.now,
            transport=ScriptedTransport(self.outside, self.now, urls),
            gauges=Gauges(
                clocks=self.loop.clocks,
                descriptors=lambda: 1000,
                disk=lambda _folder: 10 * 1024**3,
                # Each derivation counts as 0.2 s of work: how fast this machine is decides nothing.
                worked=count(step=0.2).__next__,
            ),
            idle_s=self._idle_s,
        )
        self._app = self._service.application()
        await self._service.work(self._stopping)

    async def stop(self) -> None:
        """End the service as SIGTERM does."""
        if self._task is not None:
            await asyncio.sleep(0)
            self._stopping.set()
            task, self._task = self._task, None
            await task
            self._let_go()

    def forget(self) -> None:
        """The service has ended on its own, and that was meant."""
        self._task = None
        self._let_go()

    def kill(self) -> None:
        """End the service as `kill -9` does: whatever it was doing stays undone."""
        assert self._task is not None, "no service runs"
        self.loop.kill(self._lives)
        self._task = None
        self._let_go()

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.dispose()
        self._database = self._service = self._app = None

    async def restart(self, plan: Plan | None = None) -> None:
        """Stop it and start it, with another configuration if one is given."""
        await self.stop()
        self.start(plan)
        await asyncio.sleep(0.01)

    def _look_at_the_service(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()
            raise AssertionError("the service ended on its own")

    # What can be seen --------------------------------------------------------------------------------

    @property
    def told(self) -> Sequence[Told]:
        """What was told and taken, in order."""
        return [said for said in self.outside.told if said.taken]

    def kinds(self, channel: str = "oncall") -> Sequence[str]:
        """The kinds of notices that the channel took, in order."""
        return [said.kind for said in self.told if said.channel == channel]

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What plain SQL finds in the database."""
        with contextlib.closing(sqlite3.connect(self.folder / "earwitness.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    async def get(self, path: str) -> httpx.Response:
        """An answer of the page's application; no time passes meanwhile."""
        assert self._app is not None, "no service runs"
        transport = httpx.ASGITransport(app=self._app)
        with self.loop.standing_still():
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                return await client.get(path)

    async def page(self, path: str = "/") -> str:
        """A page."""
        return (await self.get(path)).text

    async def json(self, path: str) -> Any:
        """JSON of the API."""
        return (await self.get(path)).json()

    def replay(self) -> dict[str, Any]:
        """What `replay --json` says of what is stored, as of now."""
        with self.database.read() as tx:
            history = StoreHistory(tx, {target.key: target.every for target in self.settings.targets})
            whole = pause(history.prefetch(None, self.now()), read_maintenance(tx))
            return dict(to_json(derive(whole, self.settings.rule, now=self.now())))


Scene = Callable[[World], Awaitable[None]]


def play(
    folder: Path,
    scene: Scene,
    *,
    plan: Plan | None = None,
    start: datetime = START,
    begin: bool = True,
    idle_s: float = IDLE_S,
    late: Callable[[], float] = float,
    **settings: Any,
) -> None:
    """Play a scene; *settings* are those of `Plan`. The service runs already unless *begin* is false."""
    loop = DrivenLoop(start, late)
    with followed_by_the_engine(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_play(folder, loop, scene, plan or Plan(**settings), begin=begin, idle_s=idle_s))


async def _play(
    folder: Path, loop: DrivenLoop, scene: Scene, plan: Plan, *, begin: bool, idle_s: float
) -> None:
    _fill(folder)
    world = World(folder, loop, plan, idle_s=idle_s)
    if begin:
        world.start()
        await asyncio.sleep(0.01)
    try:
        await scene(world)
    finally:
        await world.stop()


def _fill(folder: Path) -> None:
    """Put an empty database of today's schema there, unless one is there."""
    path = folder / "earwitness.db"
    if path.exists():
        return
    opened = open_database(f"sqlite:///{path}", create=True)
    migrate(opened)
    opened.dispose()
