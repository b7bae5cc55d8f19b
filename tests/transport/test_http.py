"""What an HTTP peer may do, right and wrong, and what the conversation is told of it, in time."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from monitor.core.conversation import MINTED, Answer, Credential, Fault, FaultKind, Responded, Silent, Upload
from monitor.core.model import Stage
from monitor.transport import Limits
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import AMPLE, BRIEF, CANARY, ask_all, observe, transport, upload_to

Speech = Callable[[Line], Awaitable[None]]


async def answer_from(speech: Speech, *, limits: Limits | None = None, deadline: float = AMPLE) -> Answer:
    """What is told of a peer that follows that script with a request."""
    async with ScriptedServer(speech) as server:
        answers, _ = await observe(upload_to(server.url()), limits=limits, deadline=deadline)
    return answers[0]


def saying(*pieces: str | bytes, then: Callable[[], Awaitable[None]] | None = None) -> Speech:
    """A peer that takes a request, says those pieces, and hangs up or does something else."""

    async def script(line: Line) -> None:
        await line.read_request()
        for piece in pieces:
            await line.send(piece)
        if then is not None:
            await then()

    return script


async def test_a_request_goes_out_whole_and_its_answer_comes_back() -> None:
    """Head, body and key are sent as asked; status, headers and body come back, with all stages."""
    heard: list[tuple[str, bytes]] = []

    async def script(line: Line) -> None:
        heard.append(await line.read_request())
        await line.respond("200 OK", '{"text":"hello"}', "X-Request-Id: req_1", "Set-Cookie: a=b")

    async with ScriptedServer(script) as server:
        ask = upload_to(server.url(path="/v1/audio?api-version=1"), b"x" * 200_000, ("Content-Type", "a/b"))
        answers, seen = await observe(ask, deadline=3.0)
    head, body = heard[0]
    assert head.startswith("POST /v1/audio?api-version=1 HTTP/1.1")
    assert "Content-Type: a/b" in head
    assert f"Authorization: Bearer {CANARY}" in head
    assert "Accept-Encoding: identity" in head
    assert body == b"x" * 200_000
    answer = answers[0]
    assert isinstance(answer, Responded)
    assert (answer.status, answer.body, answer.truncated) == (200, b'{"text":"hello"}', False)
    assert ("x-request-id", "req_1") in [(name.lower(), value) for name, value in answer.headers]
    document = seen.evidence.document
    stages = ["resolve", "connect", "send", "transcribe", "respond"]
    assert [step["stage"] for step in document["steps"]] == stages
    assert [(f["dir"], f["type"], f["bytes"]) for f in document["frames"]] == [
        ("out", "POST", 200_000),
        ("in", "200", 16),
    ]
    assert "set-cookie" not in json.dumps(document).lower()
    assert document["bytes_out"] > 200_000
    assert document["bytes_in"] > 16


@pytest.mark.parametrize("status", [201, 301, 400, 401, 404, 413, 429, 500, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    """An error status is told like any other, with its body."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond(f"{status} Whatever", '{"error":{"code":"x"}}', "Retry-After: 7")

    answer = await answer_from(script)
    assert isinstance(answer, Responded)
    assert (answer.status, answer.body) == (status, b'{"error":{"code":"x"}}')


async def test_a_refusal_before_the_body_was_taken_is_heard() -> None:
    """A peer that answers and hangs up without reading everything is still understood."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.respond("413 Too Large", "no")
        await asyncio.sleep(0.1)

    answer = await answer_from(script)
    assert isinstance(answer, Responded)
    assert answer.status == 413


async def test_an_endless_row_of_interim_answers_is_cut() -> None:
    """No engine ends it: little is taken before the answer itself is there, and others get their turn."""

    async def script(line: Line) -> None:
        await line.read_request()
        while True:
            await line.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 200)

    answer = await answer_from(script, limits=Limits(head=50_000))
    assert isinstance(answer, Fault)
    assert (answer.kind, answer.stage) == (FaultKind.TOO_LARGE, Stage.TRANSCRIBE)
    assert answer.detail == "more than 50000 bytes came before an answer"


async def test_interim_answers_before_the_answer_are_passed_over() -> None:
    """A permission and a hint (RFC 9110, 15.2) are nothing that ends a run."""
    hints = "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    answer = await answer_from(saying(*hints, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    assert isinstance(answer, Responded)
    assert (answer.status, answer.body) == (200, b"{}")


async def test_the_bytes_of_a_connection_are_bounded_whatever_they_are() -> None:
    """Chunks whose heads are long carry next to no body, and cost as much as any other bytes."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await line.send(b"1;" + b"x" * 9_000 + b"\r\na\r\n")

    answer = await answer_from(script, limits=Limits(received=300_000))
    assert isinstance(answer, Fault)
    assert (answer.kind, answer.detail) == (FaultKind.TOO_LARGE, "more than 300000 bytes came")


@pytest.mark.parametrize("location", ["http://{other}/", "http://[broken", "//169.254.169.254/x", "\x7f"])
async def test_a_redirect_is_an_answer_and_nothing_else(location: str) -> None:
    """No redirect is followed, and none can do harm by its address."""

    async def never(line: Line) -> None:
        await line.read_head()

    async with ScriptedServer(never) as other:
        told = location.format(other=f"127.0.0.1:{other.port}")
        answer = await answer_from(
            saying(f"HTTP/1.1 307 Go\r\nLocation: {told}\r\nContent-Length: 0\r\n\r\n")
        )
    assert isinstance(answer, Responded | Fault)
    if isinstance(answer, Responded):
        assert answer.status == 307
    assert other.connections == 0


@pytest.mark.parametrize(
    "script",
    [
        saying(then=stay),
        saying("HTTP/1.1 200 OK\r\nContent-", then=stay),
        saying("HTTP/1.1 100 Continue\r\n\r\n", then=stay),
        saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then=stay),
        saying("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nhalf", then=stay),
        saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", then=stay),
    ],
)
async def test_an_answer_that_does_not_end_is_silence(script: Speech) -> None:
    """A peer that says nothing, or stops within its answer, is silent when the time is up."""
    answer = await answer_from(script, deadline=BRIEF)
    assert isinstance(answer, Silent)
    assert answer.at == pytest.approx(BRIEF, abs=0.2)


async def test_a_peer_that_takes_no_body_is_silence() -> None:
    """An upload that is never read ends at the deadline."""

    async def script(line: Line) -> None:
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads
        await stay()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(upload_to(server.url(), bytes(20_000_000)), deadline=BRIEF)
    assert isinstance(answers[0], Silent)


async def test_a_drip_ends_at_the_deadline() -> None:
    """One byte at a time keeps nobody waiting longer than agreed."""

    async def script(line: Line) -> None:
        await line.read_request()
        for character in "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n":
            await line.send(character)
            await asyncio.sleep(0.05)

    assert isinstance(await answer_from(script, deadline=BRIEF), Silent)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", FaultKind.RESET),
        ("HTTP/1.1 200 OK\r\nContent-Le", FaultKind.RESET),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", FaultKind.RESET),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", FaultKind.RESET),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 200 OK\r\nX-Flood: " + "y" * 300_000 + "\r\n\r\n", FaultKind.TOO_LARGE),
        ("HTTP/1.1 200 OK\r\n" + "X-Flood: y\r\n" * 30_000 + "\r\n", FaultKind.TOO_LARGE),
    ],
)
async def test_an_answer_that_is_none(said: str, kind: FaultKind) -> None:
    """Hanging up early, another protocol, control characters, a flood of headers: each its fault."""
    answer = await answer_from(saying(said, then=lambda: asyncio.sleep(0.05)), deadline=2.0)
    assert isinstance(answer, Fault)
    assert answer.kind is kind, answer
    assert answer.stage in (Stage.TRANSCRIBE, Stage.RESPOND)


async def test_a_reset_while_waiting() -> None:
    """A connection that is dropped with a reset is told as one, at the stage that it had reached."""

    async def script(line: Line) -> None:
        await line.read_request()
        line.reset()

    answer = await answer_from(script)
    assert isinstance(answer, Fault)
    assert (answer.stage, answer.kind) == (Stage.TRANSCRIBE, FaultKind.RESET)


async def test_an_endless_body_is_cut() -> None:
    """Of a body without end as much is kept as the bound allows, and it is said that there was more."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await line.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

    answer = await answer_from(script, limits=Limits(response=100_000), deadline=3.0)
    assert isinstance(answer, Responded)
    assert (len(answer.body), answer.truncated) == (100_000, True)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(bytes(20_000_000))), ("deflate", zlib.compress(bytes(20_000_000)))],
    ids=["gzip", "deflate"],
)
async def test_a_packed_bomb_is_cut(coding: str, packed: bytes) -> None:
    """A body that was packed, though nobody asked for it, is unpacked up to the bound and no further."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    answer = await answer_from(saying(head, packed), deadline=3.0)
    assert isinstance(answer, Responded)
    assert (len(answer.body), answer.truncated) == (Limits().response, True)


@pytest.mark.parametrize("body", [gzip.compress(b'{"text":"x"}'), b'{"text":"x"}'], ids=["packed", "plain"])
async def test_a_packed_answer_is_understood(body: bytes) -> None:
    """A packed answer is unpacked; one that only claims to be packed is taken as it is."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = await answer_from(saying(head, body))
    assert isinstance(answer, Responded)
    assert (answer.body, answer.truncated) == (b'{"text":"x"}', False)


async def test_every_run_connects_afresh_and_keeps_nothing() -> None:
    """A connection that the peer had closed meanwhile cannot be met, and no cookie comes along."""
    heads: list[str] = []

    async def script(line: Line) -> None:
        heads.append((await line.read_request())[0])
        await line.respond("200 OK", "{}", "Connection: keep-alive", "Set-Cookie: session=1; Path=/")
        await stay(0.2)

    answers: list[Answer] = []
    runner = transport()
    async with ScriptedServer(script) as server:
        for _ in range(5):
            await runner.run(ask_all(answers, upload_to(server.url())), deadline=AMPLE)
        assert server.connections == 5
    await runner.aclose()
    assert all(isinstance(answer, Responded) for answer in answers)
    assert not any("cookie" in head.lower() for head in heads)


async def test_a_header_that_cannot_be_sent_is_our_own_fault() -> None:
    """A line end in a header of ours is the monitor's mistake, and nothing is sent."""
    async with ScriptedServer(saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        answers, _ = await observe(upload_to(server.url(), b"", ("X-Note", "a\r\nX-Evil: 1")))
    assert isinstance(answers[0], Fault)
    assert answers[0].kind is FaultKind.MONITOR


async def test_one_run_may_ask_several_times() -> None:
    """Each request of a run has a connection and frames of its own."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond("200 OK", "{}")

    async with ScriptedServer(script) as server:
        ask = upload_to(server.url())
        answers, seen = await observe(ask, ask)
        assert server.connections == 2
    assert [type(answer) for answer in answers] == [Responded, Responded]
    assert len(seen.evidence.document["frames"]) == 4


async def test_a_secret_that_the_peer_made_is_kept_and_hidden() -> None:
    """The conversation is told that there is one; only the transport can send it."""
    heads: list[str] = []

    async def script(line: Line) -> None:
        head, _ = await line.read_request()
        heads.append(head)
        await line.respond("200 OK", '{"value": "ek_0123456789", "twin": "ek_0123456789"}')

    async with ScriptedServer(script) as server:
        mint = replace(upload_to(server.url()), mints="value")
        use = Upload(
            url=server.url(),
            headers=(),
            body=b"",
            until=60.0,
            credential=Credential(header="Authorization", prefix="Bearer ", reference=MINTED),
        )
        answers, seen = await observe(mint, use)
    told = answers[0]
    assert isinstance(told, Responded)
    assert told.body == b'{"value": "[secret]", "twin": "[secret]"}'
    assert "Authorization: Bearer ek_0123456789" in heads[1]
    assert "ek_0123456789" not in json.dumps(seen.evidence.document)


@pytest.mark.parametrize("body", ['{"value": 7}', "[]", "no JSON"])
async def test_without_a_secret_nothing_is_sent(body: str) -> None:
    """A secret that was never made is our own mistake, and the peer is not asked."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond("200 OK", body)

    async with ScriptedServer(script) as server:
        mint = replace(upload_to(server.url()), mints="value")
        use = replace(upload_to(server.url()), credential=Credential(header="X", reference=MINTED))
        answers, _ = await observe(mint, use)
        assert server.connections == 1
    assert isinstance(answers[0], Responded)
    assert isinstance(answers[1], Fault)
    assert answers[1].kind is FaultKind.MONITOR
