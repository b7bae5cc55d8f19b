"""A run ends in time and leaves nothing behind, whatever conversation, peer or clock do."""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import ssl
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from monitor.core.conversation import (
    Answer,
    Ask,
    Close,
    Conversation,
    Credential,
    Enter,
    Fault,
    FaultKind,
    Noted,
    Open,
    Opened,
    Silent,
    Text,
    Upload,
)
from monitor.core.errors import ConfigurationError, SecretError
from monitor.core.model import Stage
from monitor.transport import Transport, trusted
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import (
    AMPLE,
    BRIEF,
    CANARY,
    FOUND,
    GRACE,
    RECEIVE,
    ask_all,
    closed_port,
    observe,
    open_at,
    server_tls,
    transport,
    upload_to,
)


async def quiet(line: Line) -> None:
    """Take the upgrade and say nothing."""
    await line.upgrade()
    await stay()


async def brief(line: Line) -> None:
    """Answer a request."""
    await line.read_request()
    await line.respond("200 OK", "{}")


def open_sockets() -> int:
    """The number of sockets of this process."""
    links = Path("/proc/self/fd").iterdir()
    return sum("socket:" in str(link.readlink()) for link in links if link.is_symlink())


async def test_after_the_deadline_everything_is_silence() -> None:
    """Once the time is up every ask is answered at once; only a stage can still be entered."""
    async with ScriptedServer(quiet) as server:
        url = server.url("ws")
        late: list[Ask] = [
            RECEIVE,
            Enter(stage=Stage.VERIFY),
            RECEIVE,
            open_at(url),
            upload_to(url),
            Close(until=9),
        ]
        answers, _ = await observe(open_at(url), *late, deadline=BRIEF)
    assert [type(answer) for answer in answers] == [Opened, Silent, Noted, Silent, Silent, Silent, Silent]


async def test_a_conversation_that_never_ends_is_ended() -> None:
    """A conversation that goes on asking past its deadline finds nothing, and the run ends."""
    closed: list[bool] = []

    def stubborn(url: str) -> Conversation:
        yield open_at(url)
        try:
            while True:
                yield RECEIVE
        finally:
            closed.append(True)

    async with ScriptedServer(quiet) as server:
        runner = transport()
        began = time.monotonic()
        seen = await runner.run(stubborn(server.url("ws")), deadline=BRIEF)
        await runner.aclose()
    assert time.monotonic() - began < BRIEF + GRACE
    assert seen.finding is None
    assert closed == [True]
    assert any("went on asking" in note for note in seen.evidence.document["notes"])


async def test_a_conversation_may_find_something_without_asking() -> None:
    """A run whose conversation returns at once has its finding and empty evidence."""
    _, seen = await observe()
    assert seen.finding == FOUND
    assert seen.evidence.document["frames"] == []
    assert seen.evidence.document["url"] is None


async def test_what_a_conversation_raises_is_raised() -> None:
    """A mistake in a conversation is an exception of ours, and its socket is closed all the same."""

    def faulty(url: str) -> Conversation:
        yield open_at(url)
        raise ZeroDivisionError("a mistake")

    async with ScriptedServer(quiet) as server:
        runner = transport()
        before = open_sockets()
        with pytest.raises(ZeroDivisionError):
            await runner.run(faulty(server.url("ws")), deadline=AMPLE)
        await asyncio.sleep(0.05)
        assert open_sockets() <= before + 1  # the peer's own end
        await runner.aclose()


@pytest.mark.parametrize("secure", ["", "s"])
@pytest.mark.parametrize("way", ["websocket", "rest", "opening"])
async def test_a_cancelled_run_closes_its_socket(way: str, secure: str) -> None:
    """Cancellation (the service is told to stop) frees the socket and stays a cancellation."""
    begun, gone = asyncio.Event(), asyncio.Event()

    async def script(line: Line) -> None:
        if way == "websocket":
            await line.upgrade()
        begun.set()
        try:
            while await line.reader.read(200_000):
                pass
        finally:
            gone.set()  # a farewell or a reset: both free the socket

    tls = server_tls("right.pem") if secure else None
    async with ScriptedServer(script, tls=tls) as server:
        asks = {
            "websocket": (open_at(server.url(f"ws{secure}")), RECEIVE),
            "opening": (open_at(server.url(f"ws{secure}")),),
            "rest": (upload_to(server.url(f"http{secure}")),),
        }
        runner = transport()
        task = asyncio.create_task(runner.run(ask_all([], *asks[way]), deadline=30.0))
        await asyncio.wait_for(begun.wait(), AMPLE)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), AMPLE)
        await runner.aclose()


async def test_no_socket_outlives_its_run() -> None:
    """Runs of every sort, good and bad, leave no descriptor behind."""

    async def garbage(line: Line) -> None:
        await line.send("nonsense\r\n\r\n")

    runner = transport()
    async with ScriptedServer(quiet) as silent, ScriptedServer(brief) as fine, ScriptedServer(garbage) as bad:
        before = open_sockets()
        for _ in range(3):
            runs = [
                runner.run(ask_all([], open_at(silent.url("ws")), RECEIVE), deadline=0.1),
                runner.run(ask_all([], upload_to(fine.url())), deadline=AMPLE),
                runner.run(ask_all([], open_at(bad.url("ws"))), deadline=AMPLE),
                runner.run(ask_all([], upload_to(bad.url())), deadline=AMPLE),
                runner.run(ask_all([], open_at(silent.url("wss"))), deadline=0.1),
            ]
            await asyncio.gather(*runs)
        await asyncio.sleep(0.1)
        gc.collect()
        assert open_sockets() <= before + 6  # the silent peer still holds its own ends
    await runner.aclose()


async def test_a_silent_peer_delays_no_other_run() -> None:
    """While a hundred runs wait for silent peers, another one takes no longer than alone."""
    runner = transport()
    async with ScriptedServer(quiet) as silent, ScriptedServer(brief) as fine:
        stuck = [
            asyncio.create_task(runner.run(ask_all([], open_at(silent.url("ws")), RECEIVE), deadline=1.0))
            for _ in range(100)
        ]
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await runner.run(ask_all([], upload_to(fine.url())), deadline=1.0)
        assert time.monotonic() - began < 0.3
        await asyncio.gather(*stuck)
    await runner.aclose()


async def test_one_tls_context_serves_all_runs() -> None:
    """The SSL context is built once, however many runs and notices there are."""
    built: list[ssl.SSLContext] = []

    def build(ca_file: Path | None) -> ssl.SSLContext:
        built.append(trusted(ca_file))
        return built[-1]

    certificates = Path(__file__).parent / "certificates"
    runner = Transport(secret=lambda _: CANARY, ca_file=certificates / "ca.pem", tls=build)
    answers: list[Answer] = []
    async with ScriptedServer(brief, tls=server_tls("right.pem")) as server:
        for _ in range(3):
            await runner.run(ask_all(answers, upload_to(server.url("https"))), deadline=2.0)
            await runner.post(server.url("https"), {}, b"{}", deadline=2.0)
    await runner.aclose()
    assert not any(isinstance(answer, Fault) for answer in answers)
    assert len(built) == 1


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A CA file that is missing or is none is refused with its key and path."""
    (tmp_path / "no.pem").write_text("nothing")
    for name in ("no.pem", "gone.pem"):
        with pytest.raises(
            ConfigurationError, match=rf"network\.ca_file: .*{name}: .*a PEM file is expected"
        ):
            trusted(tmp_path / name)


class Wall:
    """A wall clock that shows what it is told to, one reading after the other."""

    def __init__(self, *readings: float) -> None:
        self._readings = list(readings)

    def __call__(self) -> float:
        """The next reading."""
        return self._readings.pop(0)


@pytest.mark.parametrize(
    ("end", "stepped"), [(1_000_000.1, False), (1_003_600.0, True), (996_400.0, True), (1_000_001.9, False)]
)
async def test_a_wall_clock_that_jumps_is_noticed(end: float, stepped: bool) -> None:  # noqa: FBT001
    """A step of the wall clock is told, and the finish is still the start plus what really passed."""
    runner = transport(wall=Wall(1_000_000.0, end))
    seen = await runner.run(ask_all([]), deadline=AMPLE)
    await runner.aclose()
    assert seen.clock_stepped is stepped
    assert 0 <= (seen.evidence.finished_at - seen.evidence.started_at).total_seconds() < 1


async def test_our_own_lateness_is_measured() -> None:
    """A loop that was held up during the run says by how much."""

    def busy(url: str) -> Conversation:
        yield open_at(url)
        time.sleep(0.2)
        yield Enter(stage=Stage.SESSION)
        return FOUND

    async with ScriptedServer(quiet) as server:
        runner = transport()
        seen = await runner.run(busy(server.url("ws")), deadline=1.0)
        idle = await runner.run(ask_all([]), deadline=1.0)
        await runner.aclose()
    assert 0.1 < seen.lag < 0.5
    assert seen.evidence.document["loop_lag_ms"] == pytest.approx(seen.lag * 1000, abs=0.1)
    assert idle.lag < 0.1


@pytest.mark.parametrize("key", ["line\nend", "ümlaut-key-123", ""])
@pytest.mark.parametrize("way", ["websocket", "rest"])
async def test_a_key_that_cannot_be_sent_is_our_own_fault(key: str, way: str) -> None:
    """A secret that does not fit into a header is named by its reference; one that is empty is sent."""
    answers: list[Answer] = []
    runner = Transport(secret=lambda _: key)
    async with ScriptedServer(brief) as server:
        ask = open_at(server.url("ws")) if way == "websocket" else upload_to(server.url())
        await runner.run(ask_all(answers, ask), deadline=AMPLE)
    await runner.aclose()
    if key:
        assert isinstance(answers[0], Fault)
        assert answers[0].kind is FaultKind.MONITOR
        assert "env:CANARY" in answers[0].detail
        assert key not in answers[0].detail


async def test_a_missing_secret_is_our_own_fault() -> None:
    """A reference that gives no secret ends the run as the monitor's fault, and nothing is opened."""

    def missing(reference: str) -> str:
        raise SecretError(reference, "no such variable")

    answers: list[Answer] = []
    async with ScriptedServer(brief) as server:
        runner = Transport(secret=missing)
        asks = (open_at(server.url("ws")), upload_to(server.url()))
        await runner.run(ask_all(answers, *asks), deadline=AMPLE)
        await runner.aclose()
        assert server.connections == 0
    for answer in answers:
        assert isinstance(answer, Fault)
        assert (answer.kind, answer.detail) == (FaultKind.MONITOR, "env:CANARY: no such variable")


def echoes(line: Line) -> str:
    """Every way in which a peer might give the key back."""
    basic = base64.b64encode(f"user:{CANARY}".encode()).decode()
    return f"{CANARY} {quote(CANARY, safe='')} {basic} {CANARY.replace('/', chr(92) + '/')}"


async def test_no_secret_leaves_the_transport(caplog: pytest.LogCaptureFixture) -> None:
    """A peer that echoes the key in every place puts it nowhere: not in an answer, evidence or log."""

    async def socket(line: Line) -> None:
        await line.upgrade(f"X-Echo: {CANARY}")
        await line.say(f'{{"type":"error","message":"{echoes(line)}"}}')
        await line.hang_up(1008, CANARY)
        await stay()

    async def refuse(line: Line) -> None:
        await line.read_head()
        await line.respond("401 No", echoes(line), f"X-Echo: {echoes(line)}")

    async def rest(line: Line) -> None:
        await line.read_request()
        await line.respond("401 No", echoes(line), f"X-Echo: {echoes(line)}")

    async def nonsense(line: Line) -> None:
        await line.read_head()
        await line.send(f"{CANARY}\r\n\r\n")

    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    for script, scheme in (
        (socket, "ws"),
        (refuse, "ws"),
        (rest, "http"),
        (nonsense, "ws"),
        (nonsense, "http"),
    ):
        async with ScriptedServer(script) as server:
            url = server.url(scheme, f"/?api-key={CANARY}&model=x")
            ask = open_at(url) if scheme == "ws" else upload_to(url)
            answers, seen = await observe(ask, RECEIVE, RECEIVE)
            told += [answers, seen]
    text = repr(told) + caplog.text
    for form in (CANARY, "sk-canary%2F", "c2stY2FuYXJ5", "NrLWNhbmFyeS"):
        assert form not in text
    assert "[secret]" in text


async def test_a_finding_keeps_its_own_mark() -> None:
    """The transport adds the mark of the connection only where the conversation has none."""
    async with ScriptedServer(brief) as server:
        _, seen = await observe(upload_to(server.url()))
    assert seen.finding is not None
    assert 0 < seen.finding.marks["connect"] < AMPLE


async def test_a_burst_of_words_lets_other_runs_go_on() -> None:
    """A conversation that has much to read gives way to others in between."""
    turns: list[int] = []

    async def script(line: Line) -> None:
        await line.upgrade()
        for number in range(1_000):
            await line.say(str(number))
        await stay()

    async def count() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    def talk(url: str) -> Conversation:
        yield Open(url=url, headers=(), until=1.0)
        for _ in range(1_000):
            assert isinstance((yield RECEIVE), Text)
        return FOUND

    async with ScriptedServer(script) as server:
        runner = transport()
        other = asyncio.create_task(count())
        seen = await runner.run(talk(server.url("ws")), deadline=3.0)
        other.cancel()
        await runner.aclose()
    assert seen.finding is not None
    assert len(turns) > 10


async def test_a_notice_is_posted_and_its_reply_is_read() -> None:
    """A notice goes out with its headers and body; the reply is a status with headers and body."""
    heard: list[tuple[str, bytes]] = []

    async def script(line: Line) -> None:
        heard.append(await line.read_request())
        await line.respond("202 Accepted", "thanks", "Retry-After: 5")

    runner = transport()
    async with ScriptedServer(script) as server:
        reply = await runner.post(server.url(path="/hook"), {"webhook-id": "n-1"}, b'{"a":1}', deadline=2.0)
    await runner.aclose()
    assert (reply.status, reply.body, reply.fault) == (202, b"thanks", None)
    assert "retry-after" in dict(reply.headers) or "Retry-After" in dict(reply.headers)
    head, body = heard[0]
    assert head.startswith("POST /hook HTTP/1.1")
    assert "webhook-id: n-1" in head
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("me:p%40ss-word", "me:p@ss-word"),
        ("token-of-mine", "token-of-mine:"),
        (":only-a-password", ":only-a-password"),
        ("m%C3%A9:s%C3%A9same-ouvre", "mé:sésame-ouvre"),
        ("me:with:colons", "me:with:colons"),
    ],
)
async def test_user_and_password_of_a_receiver_are_sent(user: str, sent: str) -> None:
    """They go out as Basic authentication (RFC 7617), never in the request line, and are read in no reply."""
    heads: list[str] = []
    password = sent.partition(":")[2]

    async def script(line: Line) -> None:
        head, _ = await line.read_request()
        heads.append(head)
        await line.respond("200 OK", f"thank you, {password or '-'}")

    async with ScriptedServer(script) as server:
        runner = transport()
        reply = await runner.post(server.url().replace("//", f"//{user}@", 1), {}, b"{}", deadline=2.0)
        await runner.aclose()
    basic = base64.b64encode(sent.encode()).decode()
    assert f"authorization: Basic {basic}".lower() in heads[0].lower()
    assert "@" not in heads[0]
    assert reply.body == (b"thank you, [secret]" if password else b"thank you, -")


@pytest.mark.parametrize("user", ["a%3Ab:secret-word", "me:secret/word", "me:secret-word:1"])
async def test_a_user_that_cannot_be_sent_is_refused(user: str) -> None:
    """Nothing is dropped in silence: the reply says why, and quotes nothing of it."""
    runner = transport()
    reply = await runner.post(f"http://{user}@127.0.0.1:{closed_port()}/x", {}, b"{}", deadline=2.0)
    await runner.aclose()
    assert reply.status is None
    assert "secret" not in (reply.detail or "")
    assert reply.fault is (FaultKind.REFUSED if user.endswith(":1") else FaultKind.MONITOR)


async def test_a_notice_follows_no_redirect_and_reads_no_novel() -> None:
    """A receiver that points elsewhere is not followed, and of a long reply the beginning is read."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond("302 Found", "x" * 1_000_000, "Location: http://169.254.169.254/")

    runner = transport()
    async with ScriptedServer(script) as server:
        reply = await runner.post(server.url(), {}, b"{}", deadline=2.0)
    await runner.aclose()
    assert (reply.status, len(reply.body)) == (302, 65_536)


async def test_a_notice_that_is_not_answered_ends_in_time() -> None:
    """A receiver that accepts and keeps silent, or is not there, gives a fault and no status."""
    runner = transport()
    async with ScriptedServer(lambda _: stay()) as server:
        silent = await runner.post(server.url(), {}, b"{}", deadline=0.2)
    gone = await runner.post(server.url(), {}, b"{}", deadline=AMPLE)
    nowhere = await runner.post("nowhere", {}, b"{}", deadline=AMPLE)
    await runner.aclose()
    assert (silent.status, silent.fault) == (None, FaultKind.TIMEOUT)
    assert (gone.status, gone.fault) == (None, FaultKind.REFUSED)
    assert (nowhere.status, nowhere.fault) == (None, FaultKind.MONITOR)


async def test_a_run_without_a_key_sends_none() -> None:
    """An ask without credential resolves no secret."""
    heads: list[str] = []

    async def script(line: Line) -> None:
        heads.append((await line.read_request())[0])
        await line.respond("200 OK", "{}")

    async with ScriptedServer(script) as server:
        await observe(Upload(url=server.url(), headers=(), body=b"", until=1.0))
    assert "authorization" not in heads[0].lower()
    assert Credential(header="api-key", reference="env:X").prefix == ""
