"""The way out, scripted: conversations are held with a player and notices are answered from a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.core.conversation import Answer, Conversation, Evidence, Responded
from monitor.core.model import Endpoint, Target
from monitor.transport import HttpReply, Observation, Transport
from tests.support import realtime_events
from tests.support.scripted_peer import Player

ENDPOINT = Endpoint(
    name="azure-sweden",
    provider="azure_openai",
    url="https://contoso.openai.azure.com",
    region="swedencentral",
    key="env:KEY",
)
Script = Callable[[], Sequence[Answer]]


def target(pathway: str = "realtime", model: str = "gpt-4o-transcribe") -> Target:
    """A target that is run once a minute."""
    host = "gpt-realtime" if pathway == "realtime" else None
    return Target(
        endpoint=ENDPOINT, model=model, pathway=pathway, session_model=host, every=timedelta(minutes=1)
    )


def heard() -> Sequence[Answer]:
    """A realtime session that hears the clip."""
    return [*realtime_events.spoken(), realtime_events.completed()]


def broken() -> Sequence[Answer]:
    """The reference outage: the item fails, the session goes on."""
    error = {
        "type": "server_error",
        "code": None,
        "message": f"Input transcription failed for item '{realtime_events.ITEM}'.",
        "param": None,
    }
    return [*realtime_events.spoken(), realtime_events.failed(error)]


def uploaded() -> Sequence[Answer]:
    """A REST answer with the words of the clip."""
    body = b'{"text": "He might even have been made amiable himself."}'
    return [Responded(at=0.4, status=200, headers=(("content-type", "application/json"),), body=body)]


class ScriptedTransport(Transport):
    """Holds every conversation with a player; no socket is ever opened.

    *script* gives the answers of the next run; it may raise what the transport would. A run lasts 3 s
    by *clock*. `stepped` and `endless` are what the transport may find out about a run.
    """

    def __init__(self, script: Script, clock: Callable[[], datetime]) -> None:
        super().__init__(secret=lambda _reference: "not used")
        self.script, self._clock = script, clock
        self.stepped = False
        self.lag = 0.0
        self.endless = False
        self.held = 0

    async def run(
        self,
        conversation: Conversation,
        *,
        deadline: float,
        proxy: str | None = None,  # noqa: ARG002
    ) -> Observation:
        """The run that the script gives."""
        assert deadline > 0
        self.held += 1
        started = self._clock()
        finding = Player(list(self.script())).hold(conversation)
        document = {"schema": "earwitness.evidence/1", "frames": [], "number": self.held}
        return Observation(
            finding=None if self.endless else finding,
            evidence=Evidence(
                started_at=started, finished_at=started + timedelta(seconds=3), document=document
            ),
            lag=self.lag,
            clock_stepped=self.stepped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One attempt as the receiver saw it."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(slots=True)
class Receivers:
    """Answers by URL: a status each, in turn; the last one stays. A gate keeps a URL waiting."""

    statuses: dict[str, list[int]] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)

    def answer(self, url: str) -> int:
        """The next status of that URL; 204 where nothing is said."""
        left = self.statuses.get(url, [204])
        return left.pop(0) if len(left) > 1 else left[0]

    def ids(self) -> Sequence[str]:
        """The ids in the order in which they came."""
        return [one.headers["webhook-id"] for one in self.posted]


class PostingTransport(Transport):
    """Hands notices to scripted receivers."""

    def __init__(self, receivers: Receivers, clock: Callable[[], datetime]) -> None:
        super().__init__(secret=lambda _reference: "not used")
        self._receivers, self._clock = receivers, clock

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float) -> HttpReply:
        """One attempt."""
        assert deadline > 0
        self._receivers.posted.append(Posted(url=url, headers=headers, body=body, at=self._clock()))
        if url in self._receivers.gates:
            await self._receivers.gates[url].wait()
        return HttpReply(status=self._receivers.answer(url))


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Let everything go on until the condition holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        assert loop.time() < deadline, "the condition did not come to hold"
        await asyncio.sleep(0)
