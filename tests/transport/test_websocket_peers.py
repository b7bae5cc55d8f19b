"""What a WebSocket peer may do, right and wrong, and what the conversation is told of it, in time."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from monitor.core.conversation import (
    Answer,
    Ask,
    Binary,
    Closed,
    Conversation,
    Enter,
    Fault,
    FaultKind,
    Finding,
    Opened,
    Receive,
    Refused,
    Send,
    Sent,
    Silent,
    Text,
)
from monitor.core.model import Stage
from monitor.transport import Limits
from tests.support.fakes import BINARY, PING, PONG, TEXT, Line, ScriptedServer, frame, stay
from tests.support.fakes import CLOSE as CLOSE_FRAME
from tests.support.transport_conversations import (
    AMPLE,
    BRIEF,
    CANARY,
    CLOSE,
    FOUND,
    RECEIVE,
    ask_all,
    observe,
    open_at,
    send,
    transport,
)

Speech = Callable[[Line], Awaitable[None]]


def after_upgrade(speech: Speech) -> Speech:
    """A peer that takes the upgrade and then does as told."""

    async def script(line: Line) -> None:
        await line.upgrade()
        await speech(line)

    return script


async def hear_from(
    speech: Speech, *, deadline: float = AMPLE, limits: Limits | None = None, receives: int = 1
) -> list[Answer]:
    """What is told of a peer that speaks so after the upgrade."""
    async with ScriptedServer(after_upgrade(speech)) as server:
        asks: list[Ask] = [open_at(server.url("ws")), *[RECEIVE] * receives]
        answers, _ = await observe(*asks, deadline=deadline, limits=limits)
    assert isinstance(answers[0], Opened)
    return answers[1:]


async def fault_from(speech: Speech, *, limits: Limits | None = None) -> FaultKind:
    """The kind of the fault that such a peer ends in."""
    (answer,) = await hear_from(speech, limits=limits, deadline=2.0)
    assert isinstance(answer, Fault), answer
    return answer.kind


async def test_a_conversation_is_held() -> None:
    """Open, send, receive, close: each is answered, and the evidence holds every frame in order."""
    heard: list[bytes] = []

    async def echo(line: Line) -> None:
        heard.extend([(await line.hear())[1] for _ in range(3)])
        await line.say('{"type":"session.created"}')
        await line.send(frame(BINARY, b"\x00\x01"))
        await line.hear()
        await line.hang_up(1000, "bye")

    async with ScriptedServer(after_upgrade(echo)) as server:
        asks: list[Ask] = [
            open_at(server.url("ws")),
            send('{"type":"session.update"}'),
            send("a", "b", audio=True),
        ]
        answers, seen = await observe(*asks, RECEIVE, RECEIVE, CLOSE, deadline=3.0)
    assert [type(answer) for answer in answers] == [Opened, Sent, Sent, Text, Binary, Closed]
    assert heard == [b'{"type":"session.update"}', b"a", b"b"]
    frames = [(f["dir"], f["kind"], f["type"]) for f in seen.evidence.document["frames"]]
    assert frames == [
        ("out", "text", "session.update"),
        ("out", "audio", None),
        ("in", "text", "session.created"),
        ("in", "binary", None),
    ]
    assert seen.evidence.document["frames"][1]["frames"] == 2
    assert seen.evidence.document["close"] == {"code": 1000, "reason": "bye", "by": "us"}


async def test_binary_messages_are_sent_beside_texts() -> None:
    """Bytes go as a binary message, in order with the texts, and are kept in the evidence."""
    heard: list[tuple[int, bytes]] = []

    async def listen(line: Line) -> None:
        heard.extend([await line.hear() for _ in range(4)])

    async with ScriptedServer(after_upgrade(listen)) as server:
        mixed = Send(frames=("config", b"\x00\x01"), until=60.0)
        audio = Send(frames=(b"\x02", b"\x03"), until=60.0, audio=True)
        _, seen = await observe(open_at(server.url("ws")), mixed, audio, RECEIVE)
    assert heard == [(TEXT, b"config"), (BINARY, b"\x00\x01"), (BINARY, b"\x02"), (BINARY, b"\x03")]
    frames = [(f["dir"], f["kind"], f["bytes"]) for f in seen.evidence.document["frames"]]
    assert frames == [("out", "text", 6), ("out", "binary", 2), ("out", "audio", 2)]
    assert seen.evidence.document["frames"][1]["body"] == "0001"


async def test_the_upgrade_carries_headers_and_key_and_asks_for_no_compression() -> None:
    """The request has the conversation's headers and the credential, and offers no extension."""
    heads: list[str] = []

    async def script(line: Line) -> None:
        heads.append(await line.upgrade())

    async with ScriptedServer(script) as server:
        await observe(open_at(server.url("ws", "/v1/realtime?model=x"), ("X-Client-Request-Id", "c-1")))
    assert heads[0].startswith("GET /v1/realtime?model=x HTTP/1.1")
    assert "X-Client-Request-Id: c-1" in heads[0]
    assert f"Authorization: Bearer {CANARY}" in heads[0]
    assert "sec-websocket-extensions" not in heads[0].lower()
    assert heads[0].lower().count("user-agent") == 1


@pytest.mark.parametrize(
    "status",
    [*["200", "301", "400", "401", "403", "404", "426", "429", "500", "503"]],
)
async def test_a_refused_upgrade_keeps_status_headers_and_body(status: str) -> None:
    """Whatever status stands in place of 101, the conversation and the evidence have all of it."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.respond(f"{status} Whatever", '{"error":"no"}', "x-request-id: req_1", "set-cookie: a=b")

    async with ScriptedServer(script) as server:
        answers, seen = await observe(open_at(server.url("ws")))
    answer = answers[0]
    assert isinstance(answer, Refused)
    assert (answer.status, answer.body) == (int(status), b'{"error":"no"}')
    assert ("x-request-id", "req_1") in answer.headers
    assert seen.evidence.document["response_status"] == answer.status
    assert "set-cookie" not in json.dumps(seen.evidence.document)
    assert seen.evidence.document["frames"][-1]["body"] == '{"error":"no"}'


@pytest.mark.parametrize(
    "refusal",
    [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 10000000000\r\n\r\nno entry",
        "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nno entry\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\nno entry",
        "HTTP/1.0 403 Forbidden\r\nContent-Length: 8\r\n\r\nno entry",
    ],
)
async def test_a_refusal_that_never_ends_is_still_a_refusal(refusal: str) -> None:
    """A body that is endless, or longer than is taken, does not cost us the status."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.send(refusal)
        await stay()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(open_at(server.url("ws")), deadline=BRIEF)
    assert isinstance(answers[0], Refused)
    assert answers[0].status == 403
    assert b"no entry" in answers[0].body


async def test_a_redirect_is_not_followed() -> None:
    """The key never goes where a peer points to."""

    async def elsewhere(line: Line) -> None:
        await line.upgrade()

    async with ScriptedServer(elsewhere) as other:

        async def script(line: Line) -> None:
            await line.read_head()
            await line.respond("302 Found", "", f"Location: {other.url('ws')}")

        async with ScriptedServer(script) as server:
            answers, _ = await observe(open_at(server.url("ws")))
    assert isinstance(answers[0], Refused)
    assert other.connections == 0


async def test_an_unanswered_upgrade_is_silence() -> None:
    """A peer that takes the connection and not the upgrade is silent, at handshake."""
    async with ScriptedServer(lambda _: stay()) as server:
        answers, seen = await observe(open_at(server.url("ws")), deadline=BRIEF)
    assert isinstance(answers[0], Silent)
    assert answers[0].at == pytest.approx(BRIEF, abs=0.2)
    assert seen.evidence.document["steps"][-1]["stage"] == "handshake"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("", FaultKind.RESET),
        ("HTTP/1.1 1", FaultKind.RESET),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
         FaultKind.PROTOCOL),
        ("HTTP/1.1 101 Yes\r\nX: a\x01b\r\n\r\n", FaultKind.PROTOCOL),
        ("HTTP/1.1 101 Yes\r\n" + "X-Flood: y\r\n" * 30_000, FaultKind.TOO_LARGE),
        ("HTTP/1.1 101 Yes\r\nX-Flood: " + "y" * 300_000, FaultKind.TOO_LARGE),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_upgrade(answer: str, kind: FaultKind) -> None:
    """Hanging up, another protocol, a wrong proof, control characters, a flood: each a fault at handshake."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.send(answer)

    async with ScriptedServer(script) as server:
        answers, _ = await observe(open_at(server.url("ws")), deadline=2.0)
    assert isinstance(answers[0], Fault)
    assert (answers[0].stage, answers[0].kind) == (Stage.HANDSHAKE, kind)


async def test_silence_after_the_upgrade_ends_at_the_deadline() -> None:
    """A peer that upgrades and says nothing is silent when the time is up, not later."""
    (answer,) = await hear_from(lambda _: stay(), deadline=BRIEF)
    assert isinstance(answer, Silent)
    assert answer.at == pytest.approx(BRIEF, abs=0.2)


async def test_a_wait_ends_at_its_own_offset() -> None:
    """A receive that waits until an offset is told silence there, and the next one goes on."""

    async def late(line: Line) -> None:
        await asyncio.sleep(0.25)
        await line.say("late")
        await stay()

    async with ScriptedServer(after_upgrade(late)) as server:
        answers, _ = await observe(open_at(server.url("ws")), Receive(until=0.1), RECEIVE, deadline=3.0)
    assert isinstance(answers[1], Silent)
    assert answers[1].at == pytest.approx(0.1, abs=0.1)
    assert isinstance(answers[2], Text)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4004])
async def test_a_close_is_told_with_code_and_reason(code: int) -> None:
    """Words said before the close come first; the close keeps its code and reason, and stays."""

    async def close(line: Line) -> None:
        await line.say("last words")
        await line.hang_up(code, "Selbstzerstörung")
        await stay()

    answers = await hear_from(close, receives=3)
    assert isinstance(answers[0], Text)
    for answer in answers[1:]:
        assert isinstance(answer, Closed)
        assert (answer.code, answer.reason) == (code, "Selbstzerstörung")


async def test_a_close_without_a_code_is_1005() -> None:
    """An empty close frame has the code that RFC 6455 gives it."""
    (answer,) = await hear_from(lambda line: line.send(frame(CLOSE_FRAME, b"")))
    assert isinstance(answer, Closed)
    assert answer.code == 1005


async def vanish(_: Line) -> None:
    """End the connection properly, without a close frame."""


async def drop(line: Line) -> None:
    """Reset the connection."""
    line.reset()


async def half_a_frame(line: Line) -> None:
    """Promise more than is sent, and hang up."""
    await line.send(frame(TEXT, b"half", size=100))


@pytest.mark.parametrize("end", [vanish, drop, half_a_frame])
async def test_an_end_without_a_close_frame_is_1006(end: Speech) -> None:
    """A connection that ends without a farewell is closed with 1006."""
    (answer,) = await hear_from(end)
    assert isinstance(answer, Closed)
    assert (answer.code, answer.reason) == (1006, "")


async def test_a_reset_in_mid_audio_is_heard_while_sending() -> None:
    """A sending that is cut off is answered by the end of the connection, not by its own end."""

    async def cut(line: Line) -> None:
        await line.hear()
        line.reset()

    async with ScriptedServer(after_upgrade(cut)) as server:
        audio = send(*["x" * 6_400] * 100, spacing=0.02, audio=True)
        answers, seen = await observe(open_at(server.url("ws")), audio, send("more"), CLOSE, deadline=3.0)
    for answer in answers[1:]:
        assert isinstance(answer, Closed)
        assert answer.code == 1006
    assert 0 < seen.evidence.document["frames"][0]["frames"] < 100


async def test_an_error_in_mid_audio_is_heard_at_once() -> None:
    """While a sending is stuck against a peer that does not read, what it says is told at once."""

    async def complain(line: Line) -> None:
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads
        await asyncio.sleep(0.1)
        await line.say('{"type":"error"}')
        await stay()

    async with ScriptedServer(after_upgrade(complain)) as server:
        stuck = send(*["x" * 100_000] * 200, audio=True)
        answers, _ = await observe(open_at(server.url("ws")), stuck, RECEIVE, deadline=0.8)
    assert isinstance(answers[1], Text)
    assert answers[1].at < 0.5
    assert isinstance(answers[2], Silent)


async def test_a_stuck_sending_that_gets_through_is_told_later() -> None:
    """A sending that had to wait goes on in the background, in order, and its end is told to a receive."""
    sizes: list[int] = []

    async def slow(line: Line) -> None:
        await line.say("go on")
        await asyncio.sleep(0.1)
        sizes.extend([len((await line.hear())[1]) for _ in range(121)])
        await line.say("got it")
        await stay()

    async with ScriptedServer(after_upgrade(slow)) as server:
        audio = send(*["x" * 50_000] * 120, audio=True)
        answers, _ = await observe(open_at(server.url("ws")), audio, send("commit"), RECEIVE, deadline=20.0)
    assert sizes == [50_000] * 120 + [6]
    assert [type(answer) for answer in answers[1:]] == [Text, Sent, Text]


async def test_paced_frames_do_not_drift() -> None:
    """Each frame has its own due time: being late once does not delay the rest."""
    times: list[float] = []

    async def listen(line: Line) -> None:
        for number in range(16):
            await line.hear()
            times.append(time.monotonic())
            if number == 2:
                time.sleep(0.3)  # noqa: ASYNC251 - the whole process is late once
        await stay()

    def talk(url: str) -> Conversation:
        yield open_at(url)
        yield send(*["x"] * 16, spacing=0.03, audio=True)
        return FOUND

    async with ScriptedServer(after_upgrade(listen)) as server:
        runner = transport()
        await runner.run(talk(server.url("ws")), deadline=3.0)
        await runner.aclose()
    assert 15 * 0.03 - 0.05 < times[-1] - times[0] < 15 * 0.03 + 0.25


async def test_a_fragmented_message_is_told_whole() -> None:
    """Fragments, with a ping between them, are one message; the ping is answered."""
    pongs: list[tuple[int, bytes]] = []

    async def speech(line: Line) -> None:
        await line.send(frame(TEXT, b"He might ", last=False) + frame(PING, b"p"))
        pongs.append(await line.hear())
        await line.send(frame(0, b"even"))
        await stay()

    (answer,) = await hear_from(speech)
    assert isinstance(answer, Text)
    assert answer.text == "He might even"
    assert pongs == [(PONG, b"p")]


@pytest.mark.parametrize(
    "nonsense",
    [
        frame(TEXT, b"\xff\xfe"),
        frame(0x3, b"no such opcode"),
        frame(TEXT, b"\x78\x9c", bits=0x40),  # compressed, which nobody agreed on
        frame(0, b"continues nothing"),
        frame(PING, b"p" * 126),
        frame(CLOSE_FRAME, struct.pack("!H", 17)),
        b"HTTP/1.1 500 Oh\r\n\r\n" + b" " * 100,
    ],
)
async def test_frames_that_break_the_protocol(nonsense: bytes) -> None:
    """What is no WebSocket frame, no UTF-8 or compressed unasked is a fault of the protocol."""

    async def speech(line: Line) -> None:
        await line.send(nonsense)
        await stay()

    assert await fault_from(speech) is FaultKind.PROTOCOL


@pytest.mark.parametrize(
    ("farewell", "said"),
    [
        (struct.pack("!H", 401) + b"Unauthorized", "closed with 401, which is no close code: Unauthorized"),
        (struct.pack("!H", 65535), "closed with 65535, which is no close code: no reason given"),
        (struct.pack("!H", 1005), "closed with 1005, which is no close code: no reason given"),
        (
            struct.pack("!H", 1011) + b"\xff",
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b"\x03", "close frame too short"),
    ],
)
async def test_a_close_whose_code_is_none_is_told_all_the_same(farewell: bytes, said: str) -> None:
    """Gateways put the HTTP status of their upstream there, which is worth knowing."""

    async def speech(line: Line) -> None:
        await line.send(frame(CLOSE_FRAME, farewell))
        await stay()

    (answer,) = await hear_from(speech)
    assert isinstance(answer, Fault)
    assert (answer.kind, answer.detail) == (FaultKind.PROTOCOL, said)


async def test_a_packed_refusal_is_understood() -> None:
    """Its words are the same as those of a plain one, and its key is hidden just as well."""
    packed = gzip.compress(f'{{"error":"no entry for {CANARY}"}}'.encode())

    async def script(line: Line) -> None:
        await line.read_head()
        head = f"HTTP/1.1 401 No\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        await line.send(head.encode() + packed)
        await stay()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(open_at(server.url("ws")), deadline=AMPLE)
    assert isinstance(answers[0], Refused)
    assert answers[0].body == b'{"error":"no entry for [secret]"}'


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 16 * 1024 * 1024, 64 * 1024 * 1024])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_over_1_mib_is_cut_off_at_its_header(opcode: int, size: int) -> None:
    """A frame that announces more than is taken ends the connection before it is sent, unparsed."""

    async def speech(line: Line) -> None:
        await line.send(frame(opcode, b"", size=size))
        await stay()

    assert await fault_from(speech) is FaultKind.TOO_LARGE


def endless(piece: bytes) -> Speech:
    """A peer that says the same for ever."""

    async def speech(line: Line) -> None:
        while True:
            await line.send(piece * 200)

    return speech


async def fragments_for_ever(line: Line) -> None:
    """Begin a message and never end it."""
    await line.send(frame(TEXT, b"x", last=False))
    await endless(frame(0, b"x", last=False))(line)


@pytest.mark.parametrize(
    "flood",
    [
        endless(frame(TEXT, b"{}")),
        endless(frame(PING, b"")),
        endless(frame(TEXT, b"x" * 60_000)),
        fragments_for_ever,
    ],
)
async def test_a_flood_is_cut_off(flood: Speech) -> None:
    """Endless small frames, pings, large frames or fragments end with the bound, and soon."""
    limits = Limits(frames=2_000, received=2_000_000)

    async def speech(line: Line) -> None:
        await asyncio.sleep(0.05)
        await flood(line)

    def deaf(url: str) -> Conversation:
        """Ask for the end of it, whatever comes in between."""
        yield open_at(url)
        while isinstance(answer := (yield RECEIVE), Text):
            pass
        answers.append(answer)
        return FOUND

    answers: list[Answer] = []
    async with ScriptedServer(after_upgrade(speech)) as server:
        runner = transport(limits)
        seen = await runner.run(deaf(server.url("ws")), deadline=5.0)
        await runner.aclose()
    assert isinstance(answers[0], Fault)
    assert answers[0].kind is FaultKind.TOO_LARGE
    assert len(seen.evidence.document["frames"]) <= limits.entries


async def test_a_flood_delays_no_other_run() -> None:
    """While one peer floods with the default bounds, others get their turn without long work in between."""
    shares: list[float] = []

    async def take_turns() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            shares.append(time.thread_time() - before)
            before = time.thread_time()

    async with ScriptedServer(after_upgrade(endless(frame(PING, b"")))) as server:
        other = asyncio.create_task(take_turns())
        answers, _ = await observe(open_at(server.url("ws")), RECEIVE)
        other.cancel()
    assert isinstance(answers[1], Fault)
    assert max(shares) < 0.5


async def test_a_drip_ends_at_the_deadline() -> None:
    """One byte at a time is no word: the conversation is told silence when the time is up."""

    async def drip(line: Line) -> None:
        for byte in frame(TEXT, b"x" * 100):
            await line.send(bytes((byte,)))
            await asyncio.sleep(0.05)

    (answer,) = await hear_from(drip, deadline=BRIEF)
    assert isinstance(answer, Silent)


async def test_a_close_that_is_not_answered_ends_in_silence() -> None:
    """A peer that ignores our close frame keeps us no longer than asked."""
    codes: list[bytes] = []

    async def ignore(line: Line) -> None:
        codes.append((await line.hear())[1])
        await stay()

    async with ScriptedServer(after_upgrade(ignore)) as server:
        answers, seen = await observe(open_at(server.url("ws")), CLOSE, deadline=BRIEF)
    assert isinstance(answers[1], Silent)
    assert codes == [struct.pack("!H", 1000)]
    assert seen.evidence.document["close"]["by"] == "us"


async def test_asking_without_a_connection_is_our_own_fault() -> None:
    """A conversation that sends before it has opened anything made the mistake itself."""
    answers, _ = await observe(send("x"), RECEIVE, CLOSE)
    assert [answer.kind for answer in answers if isinstance(answer, Fault)] == [FaultKind.MONITOR] * 3


async def test_after_a_refusal_there_is_nothing_to_wait_for() -> None:
    """A conversation that listens on after its upgrade was refused is told so at once."""

    async def script(line: Line) -> None:
        await line.read_head()
        await line.respond("403 No", "")
        await stay()

    async with ScriptedServer(script) as server:
        answers, _ = await observe(open_at(server.url("ws")), RECEIVE)
    assert isinstance(answers[0], Refused)
    assert isinstance(answers[1], Fault)


async def test_a_second_opening_starts_afresh() -> None:
    """One run may open one socket after another; what the first one said is not told of the second."""

    async def speech(line: Line) -> None:
        await line.say("from before")
        await stay()

    async with (
        ScriptedServer(after_upgrade(speech)) as server,
        ScriptedServer(after_upgrade(vanish)) as other,
    ):
        first, second = open_at(server.url("ws")), open_at(other.url("ws"))
        answers, seen = await observe(first, Enter(stage=Stage.SESSION), second, RECEIVE, deadline=2.0)
    assert isinstance(answers[2], Opened)
    assert isinstance(answers[3], Closed)
    assert f"then GET {other.url('ws')}" in seen.evidence.document["notes"]


async def test_a_fault_after_the_opening_names_the_stage() -> None:
    """A fault carries the stage that the conversation had entered."""

    def talk(url: str) -> Conversation:
        yield open_at(url)
        yield Enter(stage=Stage.TRANSCRIBE)
        answers.append((yield RECEIVE))
        return Finding(stage=Stage.TRANSCRIBE, end=FOUND.end)

    async def speech(line: Line) -> None:
        await asyncio.sleep(0.05)
        await line.send(frame(0x3, b""))
        await stay()

    answers: list[Answer] = []
    async with ScriptedServer(after_upgrade(speech)) as server:
        runner = transport()
        await runner.run(talk(server.url("ws")), deadline=AMPLE)
        await runner.aclose()
    assert isinstance(answers[0], Fault)
    assert answers[0].stage is Stage.TRANSCRIBE


async def test_a_run_says_goodbye_by_itself() -> None:
    """A conversation that ends without closing still leaves with a close frame."""
    last: list[tuple[int, bytes]] = []

    async def speech(line: Line) -> None:
        last.append(await line.hear())

    async with ScriptedServer(after_upgrade(speech)) as server:
        await observe(open_at(server.url("ws")))
        await asyncio.sleep(0.05)
    assert last == [(CLOSE_FRAME, struct.pack("!H", 1000))]


async def test_times_of_steps_and_frames_never_run_backwards() -> None:
    """Offsets in the evidence are in order, from the start of the run on."""

    async def speech(line: Line) -> None:
        for number in range(5):
            await line.say(str(number))
        await stay()

    async with ScriptedServer(after_upgrade(speech)) as server:
        asks: list[Ask] = [open_at(server.url("ws")), *[RECEIVE] * 5]
        _, seen = await observe(*asks, deadline=2.0)
    document = seen.evidence.document
    for times in ([s["at"] for s in document["steps"]], [f["at"] for f in document["frames"]]):
        assert all(0 <= before <= after for before, after in pairwise(times))


async def test_nothing_is_asked_of_a_conversation_twice() -> None:
    """A run that fails is one connection: nothing is tried again."""

    async def script(line: Line) -> None:
        await line.read_head()
        line.reset()

    answers: list[Answer] = []
    async with ScriptedServer(script) as server:
        runner = transport()
        await runner.run(ask_all(answers, open_at(server.url("ws"))), deadline=AMPLE)
        await runner.aclose()
    assert isinstance(answers[0], Fault)
    assert answers[0].kind is FaultKind.RESET
    assert server.connections == 1
