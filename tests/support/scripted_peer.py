"""Plays the peer of a conversation from a script, as data or as answers; time goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from monitor.checks import CHECKS
from monitor.clips import Clip, load_clip, silence_clip
from monitor.core.classification.classify import Judgement, classify
from monitor.core.conversation import (
    Answer,
    Answering,
    Ask,
    Binary,
    Close,
    Closed,
    Conversation,
    Enter,
    Fault,
    FaultKind,
    Finding,
    Finished,
    Noted,
    Open,
    Opened,
    Piece,
    Receive,
    Refused,
    Responded,
    Send,
    Sent,
    Silent,
    Text,
    Upload,
)
from monitor.core.model import Deployment, Endpoint, Stage, Target
from monitor.providers import PROVIDERS

STEP = 0.05
BASES = {
    "openai": "https://api.openai.com/v1",
    "azure_openai": "https://contoso.openai.azure.com",
    "openai_compatible": "http://stt.test:8000/v1",
    "azure_speech": "https://westeurope.stt.speech.microsoft.com",
}


def target(
    pathway: str = "realtime",
    provider: str = "openai",
    *,
    endpoint: Mapping[str, Any] | None = None,
    deployments: Mapping[str, Deployment] | None = None,
    **settings: Any,
) -> Target:
    """A target with sensible settings, any of which may be given."""
    known = Endpoint(
        name="here",
        provider=provider,
        url=BASES[provider],
        key="env:KEY",
        deployments=deployments or {},
    )
    asked = {"model": "gpt-4o-transcribe", "session_model": "gpt-realtime", **settings}
    return Target(endpoint=replace(known, **(endpoint or {})), pathway=pathway, **asked)


def clip_named(name: str) -> Clip:
    """A shipped clip, or the silent one."""
    return silence_clip() if name == "silence" else load_clip(name)


def answers_of(script: Iterable[Mapping[str, Any]]) -> list[Answer]:
    """Answers from JSON: the first key of each line says which, `at` and `headers` go along."""
    return [MAKERS[next(iter(line))](line) for line in script]


def _raw(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _headers(line: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(line.get("headers", {}).items())


def _at(line: Mapping[str, Any]) -> float:
    return float(line.get("at", 0.0))


def _line(data: Any) -> str:
    return data if isinstance(data, str) else json.dumps(data)


def _refused(line: Mapping[str, Any]) -> Answer:
    body = _raw(line.get("body", ""))
    return Refused(at=_at(line), status=line["refused"], headers=_headers(line), body=body)


def _responded(line: Mapping[str, Any]) -> Answer:
    body = _raw(line.get("body", ""))
    return Responded(at=_at(line), status=line["responded"], headers=_headers(line), body=body)


def _fault(line: Mapping[str, Any]) -> Answer:
    kind, stage = line["fault"]
    return Fault(at=_at(line), kind=FaultKind(kind), stage=Stage(stage), detail="the detail")


MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "opened": lambda line: Opened(at=_at(line), headers=_headers(line)),
    "refused": _refused,
    "responded": _responded,
    "event": lambda line: Text(at=_at(line), text=json.dumps(line["event"])),
    "text": lambda line: Text(at=_at(line), text=line["text"]),
    "binary": lambda line: Binary(at=_at(line), data=bytes.fromhex(line["binary"])),
    "closed": lambda line: Closed(at=_at(line), code=line["closed"][0], reason=line["closed"][1]),
    "fault": _fault,
    "silent": lambda line: Silent(at=_at(line)),
    "sent": lambda line: Sent(at=_at(line)),
    "answering": lambda line: Answering(at=_at(line), status=line["answering"], headers=_headers(line)),
    "piece": lambda line: Piece(at=_at(line), data=line["piece"].encode()),
    "data": lambda line: Piece(at=_at(line), data=f"data: {_line(line['data'])}\n\n".encode()),
    "finished": lambda line: Finished(at=_at(line), truncated=line["finished"] == "truncated"),
}


@dataclass(slots=True)
class Player:
    """Answers each ask from a script: opening, hearing and uploading take the next answer from it.

    What is sent is taken at once, unless the script goes on with `sent`: then the peer speaks while we
    send. When the script is over, the peer is silent. Everything asked is kept.
    """

    script: list[Answer]
    at: float = 0.0
    asks: list[Ask] = field(default_factory=list)

    def hold(self, conversation: Conversation) -> Finding:
        """The finding the conversation comes to."""
        try:
            ask = next(conversation)
            while True:
                self.asks.append(ask)
                ask = conversation.send(self._answer(ask))
        except StopIteration as stop:
            found: Finding = stop.value
            return found

    def _answer(self, ask: Ask) -> Answer:
        self.at += STEP
        match ask:
            case Enter():
                return Noted(at=self.at)
            case Close():
                return Closed(at=self.at, code=ask.code, reason="")
            case Send() if not self._speaks_meanwhile(ask):
                self.at += ask.spacing * len(ask.frames)
                return Sent(at=self.at)
            case Open() | Upload() | Receive() | Send():
                return self._next(ask.until)

    def _speaks_meanwhile(self, ask: Send) -> bool:
        return ask.audio and any(isinstance(answer, Sent) for answer in self.script)

    def _next(self, until: float) -> Answer:
        if not self.script:
            self.at = max(self.at, until)
            return Silent(at=self.at)
        answer = self.script.pop(0)
        self.at = max(self.at, answer.at)
        if isinstance(answer, Silent):
            self.at = max(self.at, until)
        return replace(answer, at=self.at)

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Every frame that was sent, read back."""
        return [json.loads(frame) for frame in self.sent if isinstance(frame, str)]

    @property
    def sent(self) -> list[str | bytes]:
        """The same as they were sent."""
        return [frame for ask in self.asks if isinstance(ask, Send) for frame in ask.frames]

    @property
    def stages(self) -> list[str]:
        """The stages that were entered."""
        return [ask.stage.value for ask in self.asks if isinstance(ask, Enter)]


def hold(answers: Iterable[Answer], asked: Target, clip: str = "amiable") -> tuple[Finding, Player]:
    """The finding of one run against a scripted peer, and the player that saw it."""
    player = Player(list(answers))
    conversation = CHECKS[asked.pathway](asked, clip_named(clip), "ours-1")
    return player.hold(conversation), player


def judge(finding: Finding, asked: Target, clip: str = "amiable", **more: Any) -> Judgement:
    """The judgement on a finding."""
    known = clip_named(clip)
    codes = PROVIDERS[asked.endpoint.provider].codes
    return classify(finding, codes=codes, text=known.text, language="en", **more)


def seconds(value: float) -> timedelta:
    """A timedelta, for settings."""
    return timedelta(seconds=value)
