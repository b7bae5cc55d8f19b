"""Whatever a peer says, on whichever pathway, a run ends in an outcome, in time and in bounded memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.checks import CHECKS
from monitor.core.classification.classify import TRANSCRIPT_BYTES, Judgement
from monitor.core.conversation import (
    Answer,
    Answering,
    Binary,
    Closed,
    Finished,
    Piece,
    Refused,
    Responded,
    Text,
)
from monitor.core.model import Endpoint, Failure, Kind, Target
from monitor.core.outcome_json import outcome_from_line, outcome_to_line
from monitor.pipeline.observe import Due, Observed, observe
from monitor.transport import Transport
from tests.matrix.cells import COLUMNS, Cell, cells
from tests.matrix.mangling import CORPUS, EVENTS, mangled
from tests.matrix.meet_faults import meet
from tests.support.fakes import BINARY, TEXT, Line, ScriptedServer, frame
from tests.support.realtime_events import committed, completed, created, opened, updated
from tests.support.scripted_peer import hold, judge, target

NOW = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
MESSAGE_BYTES = 2048
UNHURRIED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
SOCKETS = ("realtime", "realtime_transcription", "dual", "speech_ws")
STATUSES = st.sampled_from((200, 200, 200, 204, 206, 301, 400, 401, 403, 404, 429, 500, 503, 599))
MEDIA = st.sampled_from(("application/json", "text/event-stream", "text/html", "", "text/\x00"))
SAID = b'{"text": "He might even have been made amiable himself."}'
MEGABYTE = 1024 * 1024


def asked(pathway: str) -> Target:
    """A target on that pathway."""
    if pathway.startswith("speech"):
        return target(pathway, "azure_speech", endpoint={"api": "short"}, session_model=None)
    return target(pathway)


def messages(draw: st.DrawFn) -> list[Answer]:
    """A session in the right order, with anything at all in between, and perhaps an early end."""
    right = [created(), updated(), committed(), completed()]
    told: list[Answer] = [opened()]
    for event in right[: draw(st.integers(0, len(right)))]:
        told += [_as_message(body) for body in draw(st.lists(mangled(EVENTS + CORPUS), max_size=3))]
        told.append(event)
    told += [_as_message(body) for body in draw(st.lists(mangled(EVENTS), max_size=4))]
    if draw(st.booleans()):
        code = draw(st.sampled_from((1000, 1001, 1006, 1008, 1011, 1013, 3000, 4004, 4999)))
        told.append(Closed(at=0.5, code=code, reason=draw(st.text(max_size=120))))
    return told


def _as_message(body: bytes) -> Answer:
    try:
        return Text(at=0.1, text=body.decode())
    except UnicodeDecodeError:
        return Binary(at=0.1, data=body)


@st.composite
def exchanges(draw: st.DrawFn, pathway: str) -> list[Answer]:
    """Answers as a transport might tell them on that pathway."""
    status, body = draw(STATUSES), draw(mangled())
    headers = (("content-type", draw(MEDIA)), ("location", draw(st.text(max_size=60))))
    if pathway == "dual":
        whole = Responded(at=0.1, status=200, headers=(), body=SAID)
        return [whole, *messages(draw)]
    if pathway in SOCKETS:
        return (
            messages(draw)
            if draw(st.booleans())
            else [Refused(at=0.1, status=status, headers=headers, body=body)]
        )
    if pathway == "rest_stream" and draw(st.booleans()):
        pieces = [
            Piece(at=0.2, data=b"data: " + each + b"\n\n") for each in draw(st.lists(mangled(), max_size=6))
        ]
        return [Answering(at=0.1, status=status, headers=headers), *pieces, Finished(at=0.3)]
    return [Responded(at=0.1, status=status, headers=headers, body=body, truncated=draw(st.booleans()))]


@pytest.mark.parametrize("pathway", sorted(CHECKS))
def test_whatever_is_told_there_is_a_judgement(pathway: str) -> None:
    """No answer makes a check or the classifier raise; what is judged is bounded and can be stored."""

    @UNHURRIED
    @given(exchanges(pathway))
    def judged(told: Sequence[Answer]) -> None:
        known = asked(pathway)
        finding, player = hold(told, known)
        _is_sound(judge(finding, known))
        assert len(finding.notes) <= 25
        assert len(player.asks) < 200

    judged()


def _is_sound(judgement: Judgement) -> None:
    fields: dict[str, Any] = judgement.outcome_fields()
    assert (judgement.failure is None) == (judgement.verdict in ("passed", "degraded")) or judgement.wer
    assert len((judgement.message or "").encode()) <= MESSAGE_BYTES
    assert len((judgement.transcript or "").encode()) <= TRANSCRIPT_BYTES
    assert len(orjson.dumps(fields)) < 3 * (TRANSCRIPT_BYTES + MESSAGE_BYTES)


@dataclass(slots=True)
class Peer:
    """Answers each request with what it was given: raw bytes, or an upgrade and frames."""

    answers: Sequence[bytes]
    upgrades: bool

    async def __call__(self, line: Line) -> None:
        """One connection."""
        head = await line.read_head()
        if self.upgrades and "websocket" in head.lower():
            await line.accept(head)
        else:
            await line.read_body(head)
        for answer in self.answers:
            await line.send(answer)


async def run(script: Callable[[Line], Awaitable[None]], pathway: str, provider: str) -> Observed:
    """One run against that peer, which has a second."""
    async with (
        ScriptedServer(script) as server,
        aclosing(Transport(secret=lambda _: "canary-key")) as transport,
    ):
        endpoint = Endpoint(name="here", provider=provider, url=server.url(path="/v1"), key="env:KEY")
        known = Target(
            endpoint=endpoint,
            model="gpt-4o-transcribe",
            session_model="gpt-realtime",
            pathway=pathway,
            timeout=timedelta(seconds=1),
            pace="burst",
        )
        due = Due(target=known, slot=NOW, kind=Kind.MANUAL, location="here")
        return await observe(due, transport, now=NOW)


def http_bytes() -> st.SearchStrategy[bytes]:
    """An HTTP answer around anything, or no HTTP at all."""

    def answer(status: int, media: str, body: bytes, length: int) -> bytes:
        size = max(0, len(body) + length)
        head = f"HTTP/1.1 {status} Fine\r\nContent-Type: {media}\r\nContent-Length: {size}\r\n\r\n"
        return head.encode("latin-1") + body

    whole = st.builds(answer, STATUSES, MEDIA, mangled(), st.sampled_from((0, 0, 0, -3, 7)))
    return st.one_of(whole, whole, st.binary(max_size=200), mangled())


def frame_bytes() -> st.SearchStrategy[bytes]:
    """Frames around anything, lying about their sizes now and then, or no frames at all."""
    opcodes = st.sampled_from((TEXT, TEXT, TEXT, BINARY, 0, 3, 8, 9, 10, 15))
    framed = st.builds(
        lambda opcode, body, last, bits: frame(opcode, body[:60_000], last=last, bits=bits),
        opcodes,
        mangled(EVENTS),
        st.sampled_from((True, True, True, False)),
        st.sampled_from((0, 0, 0, 0x40)),
    )
    return st.one_of(framed, framed, framed, st.binary(max_size=100))


@pytest.mark.parametrize("pathway", sorted(CHECKS))
def test_whatever_bytes_come_a_run_ends_in_an_outcome(pathway: str) -> None:
    """Over real sockets: never an exception, never our own fault, always a line that can be read back."""
    provider = "azure_speech" if pathway.startswith("speech") else "openai"
    upgrades = st.booleans() if pathway in SOCKETS else st.just(value=False)

    @settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(
        upgrades.flatmap(
            lambda up: st.tuples(st.just(up), st.lists(frame_bytes() if up else http_bytes(), max_size=4))
        )
    )
    def ended(told: tuple[bool, list[bytes]]) -> None:
        up, answers = told
        outcome = asyncio.run(run(Peer(answers, up), pathway, provider)).outcome
        assert outcome.failure is not Failure.MONITOR, outcome
        again, _ = outcome_from_line(orjson.loads(orjson.dumps(outcome_to_line(outcome))))
        assert again == outcome

    ended()


ASSAULTS = ("flood", "gzip_bomb", "huge_frame", "endless_fragments", "large_headers", "endless_body")


@pytest.mark.parametrize("column", [column.name for column in COLUMNS if "," not in column.name])
async def test_an_assault_takes_bounded_memory(column: str) -> None:
    """Floods, bombs and endless messages leave both sides together below the bound of one run."""
    chosen: list[Cell] = [cell for cell in cells() if cell.column.name == column and cell.fault in ASSAULTS]
    tracemalloc.start()
    try:
        for cell in chosen:
            await meet([cell], lambda _: 0.6)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 96 * MEGABYTE
