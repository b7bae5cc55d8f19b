"""A response that comes in pieces: each is told when it comes, and nothing holds the run up."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from monitor.core.conversation import (
    Answer,
    Answering,
    Fault,
    FaultKind,
    Finished,
    Piece,
    Receive,
    Silent,
    Upload,
)
from monitor.transport import Limits
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import BRIEF, CANARY, KEY, RECEIVE, observe

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"


def chunk(text: str) -> str:
    return f"{len(text.encode()):x}\r\n{text}\r\n"


def streamed(url: str) -> Upload:
    return Upload(url=url, headers=(), body=b"audio", until=60.0, credential=KEY, streamed=True)


def saying(*pieces: str | bytes | float, stays: bool = False) -> Any:
    """A peer that takes a request and says those pieces; a number is a pause."""

    async def script(line: Line) -> None:
        await line.read_request()
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                await line.send(piece)
        if stays:
            await stay()

    return script


async def told(script: Any, receives: int, **more: Any) -> tuple[list[Answer], dict[str, Any]]:
    async with ScriptedServer(script) as server:
        answers, seen = await observe(streamed(server.url()), *[RECEIVE] * receives, **more)
    return answers, dict(seen.evidence.document)


async def test_each_piece_is_told_when_it_comes() -> None:
    """The head first, then whole lines at their own times, then the end."""
    script = saying(CHUNKED, chunk("data: 1\n\nda"), 0.15, chunk("ta: 2\n\n"), chunk("data: 3"), "0\r\n\r\n")
    answers, document = await told(script, 4)

    head, first, second, third, end = answers
    assert isinstance(head, Answering)
    assert (head.status, dict(head.headers)["content-type"]) == (200, "text/event-stream")
    assert isinstance(first, Piece)
    assert isinstance(second, Piece)
    assert isinstance(third, Piece)
    assert [first.data, second.data, third.data] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3"]
    assert second.at - first.at > 0.1
    assert isinstance(end, Finished)
    assert not end.truncated
    stages = ["resolve", "connect", "send", "transcribe", "respond"]
    assert [step["stage"] for step in document["steps"]] == stages
    bodies = [frame["body"] for frame in document["frames"] if frame["dir"] == "in"]
    assert bodies == ["data: 1\n\n", "data: 2\n\n", "data: 3"]
    assert document["response_status"] == 200


async def test_after_the_end_the_end_is_told_again() -> None:
    """Asking on does not wait."""
    answers, _ = await told(saying(f"{HEAD}Content-Length: 3\r\n\r\none"), 3)
    assert [type(answer).__name__ for answer in answers] == ["Answering", "Piece", "Finished", "Finished"]


async def test_a_silence_in_mid_stream_ends_at_the_deadline_and_loses_nothing() -> None:
    """What comes after a wait in vain is still told."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send(CHUNKED + chunk("data: 1\n\n"))
        await asyncio.sleep(0.3)
        await line.send(chunk("data: 2\n\n"))
        await stay()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(
            streamed(server.url()), RECEIVE, Receive(until=0.15), RECEIVE, RECEIVE, deadline=0.8
        )
    kinds = [type(answer).__name__ for answer in answers]
    assert kinds == ["Answering", "Piece", "Silent", "Piece", "Silent"]


async def test_a_drip_ends_at_the_deadline() -> None:
    """A byte now and then keeps no run alive, and makes no piece."""
    drip: list[str | bytes | float] = [CHUNKED]
    for _ in range(200):
        drip += [chunk("x"), 0.02]
    answers, _ = await told(saying(*drip), 1, deadline=BRIEF)
    assert isinstance(answers[1], Silent)


async def test_no_head_until_the_deadline_is_silence_at_its_stage() -> None:
    """The peer took the request and said nothing."""
    answers, _ = await told(saying(stays=True), 0, deadline=BRIEF)
    assert isinstance(answers[0], Silent)
    assert answers[0].stage == "send" or answers[0].stage == "transcribe"


async def test_a_body_that_breaks_off_is_a_fault() -> None:
    """The peer hangs up in mid-body."""
    answers, _ = await told(saying(CHUNKED, chunk("data: 1\n\n")), 2)
    fault = answers[2]
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.stage) == (FaultKind.RESET, "respond")


async def test_no_answer_at_all_is_a_fault() -> None:
    """The peer hangs up instead of answering."""
    answers, _ = await told(saying(), 0)
    assert isinstance(answers[0], Fault)
    assert answers[0].kind is FaultKind.RESET


async def test_bytes_and_pieces_are_bounded() -> None:
    """An endless stream is cut off at the bound of bytes, and of pieces."""
    flood: list[str | bytes | float] = [CHUNKED]
    flood += [chunk("data: 12345678\n\n")] * 4_000
    for limits in (Limits(response=2_000), Limits(frames=3)):
        answers, _ = await told(saying(*flood, stays=True), 400, limits=limits)
        end = answers[-1]
        assert isinstance(end, Finished)
        assert end.truncated


async def test_a_packed_stream_is_unpacked_within_the_bound() -> None:
    """A peer may pack unasked; a bomb is cut off."""
    pack = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = pack.compress(b"data: 1\n\n" * 3) + pack.flush()
    head = f"{HEAD}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    answers, _ = await told(saying(head, packed), 2)
    assert isinstance(answers[1], Piece)
    assert answers[1].data == b"data: 1\n\n" * 3

    bomb = zlib.compress(b"\n" * 50_000_000)
    head = f"{HEAD}Content-Encoding: deflate\r\nContent-Length: {len(bomb)}\r\n\r\n"
    answers, _ = await told(saying(head, bomb), 50)
    end = answers[-1]
    assert isinstance(end, Finished)
    assert end.truncated


async def test_a_key_that_is_echoed_in_two_halves_is_hidden() -> None:
    """Lines are told whole, so that nothing of the key slips through; not in the evidence either."""
    middle = len(CANARY) // 2
    script = saying(
        CHUNKED, chunk(f"data: {CANARY[:middle]}"), 0.05, chunk(f"{CANARY[middle:]}\n\n"), "0\r\n\r\n"
    )
    answers, document = await told(script, 2)
    piece = answers[1]
    assert isinstance(piece, Piece)
    assert piece.data == b"data: [secret]\n\n"
    assert CANARY[:middle] not in json.dumps(document)


async def test_a_stream_left_alone_is_closed_with_the_run() -> None:
    """The peer sees the end of the connection, however much it still has to say."""
    gone = asyncio.Event()

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send(CHUNKED + chunk("data: 1\n\n"))
        await line.reader.read()
        gone.set()

    async with ScriptedServer(script) as server:
        await observe(streamed(server.url()), RECEIVE)
        await asyncio.wait_for(gone.wait(), 2.0)
