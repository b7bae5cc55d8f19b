"""What lies outside of the service, scripted: providers that answer checks, and receivers of notices.

Providers answer the real conversations of the checks, event by event; whatever becomes of it is observed
and classified by the product itself. What is wrong, where and when, stands in `Trouble`.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from monitor.core.conversation import (
    Answer,
    Closed,
    Conversation,
    Evidence,
    Fault,
    FaultKind,
    Refused,
    Responded,
)
from monitor.core.model import Stage, Target
from monitor.transport import HttpReply, Observation, ProbeResult, Transport
from tests.support import realtime_events
from tests.support.scripted_peer import Player

Clock = Callable[[], datetime]
Headers = tuple[tuple[str, str], ...]

HEARD_AFTER_S = 0.9  # from the last word of the clip to its text
SLOW_S = 20.0
HEARTBEAT = "https://beat.test/one"
WRONG = "Somewhere else entirely a green boat was sold for nine apples yesterday."


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Something wrong at every target whose key matches *where*, from *start* until *end* (None: for good).

    *how* is a key of `ANSWERS`; *share* of the runs meet it, and *most* so many; *retry_after* is sent along
    in seconds.
    """

    where: str | Sequence[str]
    how: str = "server"
    start: datetime
    end: datetime | None = None
    share: float = 1.0
    retry_after: int | None = None
    most: int | None = None
    met: int = 0

    def meets(self, key: str, at: datetime) -> bool:
        """Whether a run of that target that begins then meets it."""
        patterns = [self.where] if isinstance(self.where, str) else self.where
        if at < self.start or (self.end is not None and at >= self.end):
            return False
        return any(fnmatchcase(key, pattern) for pattern in patterns) and self._drawn(key, at)

    def _drawn(self, key: str, at: datetime) -> bool:
        if self.share >= 1:
            return True
        # A draw that depends on nothing but the run: the same however often and in which order it is asked.
        digest = hashlib.blake2b(f"{key} {at.timestamp():.3f} {self.start}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) / 2**32 < self.share


Say = Callable[[bool, Headers], list[Answer]]  # told whether it is an upload, and the headers to send along


def answers(how: str, target: Target, retry_after: int | None) -> list[Answer]:
    """What a peer says to a check of that target when *how* is wrong with it; ``fine`` when nothing is."""
    headers: Headers = () if retry_after is None else (("retry-after", str(retry_after)),)
    return ANSWERS[how](target.pathway == "rest", headers)


def _heard(words: str, after: float = HEARD_AFTER_S) -> Say:
    def say(upload: bool, _headers: Headers) -> list[Answer]:  # noqa: FBT001
        if upload:
            kind = (("content-type", "application/json"),)
            return [Responded(at=after, status=200, headers=kind, body=_json({"text": words}))]
        # Spoken at its own pace the clip is over after some seconds, which the player adds.
        return [*realtime_events.spoken(), realtime_events.completed(words, at=after)]

    return say


def _refusing(status: int, kind: str, code: str | None, message: str) -> Say:
    def say(upload: bool, headers: Headers) -> list[Answer]:  # noqa: FBT001
        body = _json({"error": _error(kind, code, message)})
        if upload:
            return [Responded(at=0.3, status=status, headers=headers, body=body)]
        return [Refused(at=0.3, status=status, headers=headers, body=body)]

    return say


def _fault(kind: FaultKind, stage: Stage, detail: str, at: float = 0.05) -> Say:
    def say(_upload: bool, _headers: Headers) -> list[Answer]:  # noqa: FBT001
        return [Fault(at=at, stage=stage, kind=kind, detail=detail)]

    return say


def _by_pathway(uploaded: Say, spoken: Sequence[Answer]) -> Say:
    def say(upload: bool, headers: Headers) -> list[Answer]:  # noqa: FBT001
        return uploaded(upload, headers) if upload else [*realtime_events.spoken(), *spoken]

    return say


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _error(kind: str | None, code: str | None, message: str) -> dict[str, Any]:
    return {"type": kind, "code": code, "message": message, "param": None}


_ITEM_FAILED = f"Input transcription failed for item '{realtime_events.ITEM}'."
ANSWERS: Mapping[str, Say] = {
    "fine": _heard(realtime_events.WORDS),
    "slow": _heard(realtime_events.WORDS, after=SLOW_S),
    "words": _heard(WRONG),
    "empty": _heard(""),
    "server": _by_pathway(
        _refusing(500, "server_error", None, "The server had an error."),
        [realtime_events.failed(_error("server_error", None, _ITEM_FAILED))],
    ),
    "unavailable": _refusing(503, "server_error", None, "The service is temporarily unavailable."),
    "quota": _refusing(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "billing": _refusing(429, "insufficient_quota", "insufficient_quota", "You exceeded your quota."),
    "key": _refusing(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "refused": _fault(FaultKind.REFUSED, Stage.CONNECT, "Connection refused"),
    "dns": _fault(FaultKind.NAME, Stage.RESOLVE, "Name or service not known"),
    "unreachable": _fault(FaultKind.TIMEOUT, Stage.CONNECT, "no answer within 10 s", at=10.0),
    "silent": _by_pathway(lambda _upload, _headers: [], []),
    "closed": _by_pathway(
        _fault(FaultKind.RESET, Stage.TRANSCRIBE, "Connection reset"),
        [Closed(at=0.4, code=1011, reason="")],
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One attempt to tell a channel, as its receiver saw it; not `taken` where it was refused or unheard."""

    channel: str
    at: datetime
    taken: bool
    id: str
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Such as ``incident.opened``."""
        return str(self.body["type"])

    @property
    def data(self) -> Mapping[str, Any]:
        """What it says."""
        found: Mapping[str, Any] = self.body["data"]
        return found


@dataclass(slots=True, kw_only=True)
class Absence:
    """A receiver that takes nothing: *how* is ``away`` (refused), ``silent`` or ``500``."""

    channel: str
    start: datetime
    end: datetime | None = None
    how: str = "away"

    def holds(self, channel: str, at: datetime) -> bool:
        """Whether it is so then."""
        return channel == self.channel and self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """One run as the peer saw it."""

    target: str
    at: datetime
    how: str


@dataclass(slots=True)
class Outside:
    """What is wrong outside, and what came out of it."""

    troubles: list[Trouble] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    our_network: list[Trouble] = field(default_factory=list)  # nothing at all is reached, `where` is "*"
    told: list[Told] = field(default_factory=list)
    beats: list[tuple[datetime, str, str]] = field(default_factory=list)  # calls of the heartbeat: path, body
    met: deque[Met] = field(default_factory=lambda: deque(maxlen=20_000))  # the newest

    def how(self, target: Target, at: datetime) -> tuple[str, int | None]:
        """What is wrong with a run of that target that begins then, and the wait that is asked for."""
        key = target.key
        for trouble in (*self.our_network, *self.troubles):
            if trouble.meets(key, at) and (trouble.most is None or trouble.met < trouble.most):
                trouble.met += 1
                return trouble.how, trouble.retry_after
        return "fine", None


class ScriptedTransport(Transport):
    """The way out of the service, which leads into `Outside`; no socket is ever opened."""

    def __init__(self, outside: Outside, clock: Clock, channels: Mapping[str, str]) -> None:
        super().__init__(secret=lambda _reference: "not used")
        self._outside, self._clock, self._channels = outside, clock, channels

    async def run(
        self,
        conversation: Conversation,
        *,
        deadline: float,
        proxy: str | None = None,  # noqa: ARG002
    ) -> Observation:
        """Hold the conversation with what the provider says now; it lasts as long as it would."""
        started = self._clock()
        target = _target_of(conversation)
        if target is None:  # the models are asked for
            script: list[Answer] = [Responded(at=0.2, status=200, headers=(), body=b'{"data": []}')]
        else:
            how, retry_after = self._outside.how(target, started)
            self._outside.met.append(Met(target=target.key, at=started, how=how))
            script = answers(how, target, retry_after)
        headers = _headers_of(script)
        player = Player(script)
        finding = player.hold(conversation)
        lasts = min(player.at, deadline)
        await asyncio.sleep(lasts)
        stepped = abs((self._clock() - started).total_seconds() - lasts) > 2.0
        document = {
            "schema": "earwitness.evidence/1",
            "url": finding.url,
            "response_status": finding.http_status,
            "response_headers": headers,
            "frames": [],
            "loop_lag_ms": 0.0,
            "notes": [],
        }
        evidence = Evidence(
            started_at=started, finished_at=started + timedelta(seconds=lasts), document=document
        )
        return Observation(finding=finding, evidence=evidence, lag=0.0, clock_stepped=stepped)

    async def reach(self, url: str, *, deadline: float, proxy: str | None = None) -> ProbeResult:
        """A control host, or another host that is looked at."""
        del deadline, proxy
        await asyncio.sleep(0.02)
        at = self._clock()
        if any(one.meets(url, at) for one in self._outside.our_network):
            return ProbeResult(
                stage=Stage.CONNECT, seconds=0.02, fault=FaultKind.UNREACHABLE, detail="no route"
            )
        return ProbeResult(stage=Stage.TLS, seconds=0.02)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float) -> HttpReply:
        """One attempt to tell a channel, or a call of the heartbeat."""
        if url.startswith(HEARTBEAT):
            self._outside.beats.append((self._clock(), url.removeprefix(HEARTBEAT), body.decode()))
            return HttpReply(status=200)
        channel, at = self._channels[url], self._clock()
        absence = next((one for one in self._outside.absences if one.holds(channel, at)), None)
        lost = any(one.meets(url, at) for one in self._outside.our_network)
        self._outside.told.append(
            Told(
                channel=channel,
                at=at,
                taken=absence is None and not lost,
                id=headers["webhook-id"],
                body=json.loads(body),
            )
        )
        if lost or (absence is not None and absence.how == "away"):
            await asyncio.sleep(0.02)
            return HttpReply(status=None, fault=FaultKind.REFUSED, detail="Connection refused")
        if absence is not None and absence.how == "silent":
            await asyncio.sleep(deadline)
            return HttpReply(status=None, fault=FaultKind.TIMEOUT, detail="no answer in time")
        await asyncio.sleep(0.05)
        return HttpReply(status=204 if absence is None else int(absence.how))


def _headers_of(script: Sequence[Answer]) -> list[list[str]]:
    """The headers of the HTTP answer, as the evidence keeps them."""
    answer = script[0] if script else None
    return [[*pair] for pair in answer.headers] if isinstance(answer, Responded | Refused) else []


def _target_of(conversation: Conversation) -> Target | None:
    """Whose check it is: every check is begun with its target. None where something else is asked."""
    for value in inspect.getgeneratorlocals(conversation).values():
        found = value if isinstance(value, Target) else getattr(value, "target", None)
        if isinstance(found, Target):
            return found
    return None
