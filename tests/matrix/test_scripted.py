"""Faults that the sandbox cannot show, met by whole runs against a peer that follows a script."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model import Endpoint, Kind, Outcome, Target
from monitor.pipeline.observe import Due, observe
from monitor.sandbox import Script, create_app, parse_fault, running
from monitor.sandbox.common.script import KEY, NO_LATENCY
from monitor.transport import Transport
from tests.support.fakes import Line, ScriptedServer, stay
from tests.support.transport_conversations import CERTIFICATES, server_tls

NOW = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
WORDS = "He might even have been made amiable himself."
CA = CERTIFICATES / "ca.pem"


async def run(
    url: str,
    pathway: str,
    *,
    key: str = KEY,
    within: float = 5.0,
    ca: Path | None = CA,
    usual_ms: float | None = None,
    **settings: Any,
) -> tuple[Outcome, Any]:
    """One run of a pathway at that address: its outcome and its evidence."""
    endpoint = Endpoint(name="here", provider="openai", url=url, key="env:KEY")
    asked: dict[str, Any] = {
        "model": "whisper-1",
        "session_model": "gpt-realtime",
        "pace": "burst",
        **settings,
    }
    known = Target(endpoint=endpoint, pathway=pathway, timeout=timedelta(seconds=within), **asked)
    due = Due(
        target=known,
        slot=NOW,
        kind=Kind.MANUAL,
        location="here",
        usual_ms={"amiable": usual_ms} if usual_ms else {},
    )
    async with aclosing(Transport(secret=lambda _: key, ca_file=ca)) as transport:
        seen = await observe(due, transport, now=NOW)
    return seen.outcome, seen.evidence


async def met(script: Callable[[Line], Awaitable[None]], pathway: str, **more: Any) -> tuple[Outcome, Any]:
    """The same against a scripted peer."""
    async with ScriptedServer(script) as server:
        return await run(server.url(path="/v1"), pathway, **more)


def named(outcome: Outcome) -> tuple[str | None, str | None, str | None, str]:
    """Stage, failure, blame, verdict."""
    return outcome.stage, outcome.failure, outcome.blame, outcome.verdict


def answering(body: str, status: str = "200 OK", *headers: str) -> Callable[[Line], Awaitable[None]]:
    """A peer that reads the request and answers it so."""

    async def script(line: Line) -> None:
        await line.read_request()
        await line.respond(status, body, *headers)

    return script


CERTIFICATE_FAULTS = {
    "expired.pem": "certificate has expired",
    "other_name.pem": "certificate is not valid for",
    "self_signed.pem": "self-signed certificate",
    "right.pem": "unable to get local issuer certificate",  # its authority is not sent, and not known here
}


@pytest.mark.parametrize("pathway", ["rest", "rest_stream", "realtime", "realtime_transcription", "dual"])
@pytest.mark.parametrize("certificate", CERTIFICATE_FAULTS)
async def test_a_certificate_that_cannot_be_believed_is_named(certificate: str, pathway: str) -> None:
    """Expired, of another name, self-signed, without its chain: `tls` with the reason, nothing sent."""
    tls: ssl.SSLContext = server_tls(certificate)
    ca = None if certificate == "right.pem" else CA

    async def welcome(line: Line) -> None:
        await line.read_head()

    async with ScriptedServer(welcome, tls=tls) as server:
        outcome, evidence = await run(server.url("https", "/v1"), pathway, ca=ca)
    assert named(outcome) == ("tls", "tls", "unknown", "failed")
    assert CERTIFICATE_FAULTS[certificate] in (outcome.message or "")
    assert evidence["bytes_out"] == 0


UPGRADES: dict[str, tuple[str, str]] = {
    "200 OK": ("handshake", "unknown"),
    "301 Moved Permanently": ("handshake", "unknown"),
    "400 Bad Request": ("config", "account"),
    "401 Unauthorized": ("auth", "account"),
    "403 Forbidden": ("auth", "account"),
    "404 Not Found": ("config", "account"),
    "426 Upgrade Required": ("handshake", "unknown"),
    "429 Too Many Requests": ("quota", "account"),
    "500 Internal Server Error": ("server", "provider"),
    "503 Service Unavailable": ("server", "provider"),
}


@pytest.mark.parametrize("pathway", ["realtime", "realtime_transcription"])
@pytest.mark.parametrize("status", UPGRADES)
async def test_every_status_of_a_refused_upgrade_has_its_name(status: str, pathway: str) -> None:
    """The status decides where the body does not; what the body says is quoted."""
    body = json.dumps(
        {"error": {"message": "These are the words.", "type": None, "param": "x", "code": None}}
    )
    outcome, evidence = await met(answering(body, status, "Content-Type: application/json"), pathway)
    failure, blame = UPGRADES[status]
    assert named(outcome) == ("handshake", failure, blame, "failed")
    assert (outcome.http_status, outcome.message) == (int(status[:3]), "These are the words.")
    assert evidence["response_status"] == int(status[:3])


async def test_a_peer_that_stops_reading_is_silent_at_send() -> None:
    """While our audio is stuck the run waits for its deadline only, and says where it stood."""

    async def deaf(line: Line) -> None:
        line.writer.get_extra_info("socket").setsockopt(1, 8, 4096)  # SOL_SOCKET, SO_RCVBUF
        await line.upgrade()
        await line.say(json.dumps({"type": "session.created", "session": {"id": "sess_1"}}))
        await line.hear()
        await line.say(json.dumps({"type": "session.updated", "session": {"id": "sess_1"}}))
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stay()

    outcome, _ = await met(deaf, "realtime", within=1.0, clip="cards_numbers")
    assert named(outcome)[1:] == ("silent", "provider", "failed")
    assert outcome.stage in ("send", "commit")  # what the system's own buffers take counts as sent


async def test_no_upload_waits_for_a_permission() -> None:
    """The body goes out at once: nothing asks for `100 Continue`, and a peer that sends it is understood."""
    heads: list[str] = []

    async def script(line: Line) -> None:
        heads.append(await line.read_head())
        await line.send("HTTP/1.1 100 Continue\r\n\r\n")
        await line.read_body(heads[0])
        await line.respond("200 OK", json.dumps({"text": WORDS}))

    outcome, _ = await met(script, "rest")
    assert outcome.verdict == "passed"
    assert "expect:" not in heads[0].lower()


WISHES = ["20", "0.5", "Mon, 17 Nov 2025 09:00:00 GMT", "999999999999999999999", "-3", "soon", "", "1, 2"]


@pytest.mark.parametrize("wish", WISHES)
async def test_a_wish_to_wait_is_kept_whatever_it_says(wish: str) -> None:
    """Seconds, a date or nonsense in `retry-after`: a quota failure, and the header in the evidence."""
    body = json.dumps({"error": {"message": "Slow down.", "type": "requests", "code": None}})
    outcome, evidence = await met(answering(body, "429 Too Many Requests", f"Retry-After: {wish}"), "rest")
    assert named(outcome) == ("transcribe", "quota", "account", "failed")
    assert [value for name, value in evidence["response_headers"] if name.lower() == "retry-after"] == [wish]


RIGHT = [
    "he might even have been made amiable himself",
    "HE MIGHT EVEN HAVE BEEN MADE AMIABLE HIMSELF!!!",
    "  He might, even, have been made amiable — himself…  ",
]


@pytest.mark.parametrize("words", RIGHT)
async def test_right_words_pass_however_they_are_written(words: str) -> None:
    """Case, punctuation and spacing are no mistakes."""
    outcome, _ = await met(answering(json.dumps({"text": words})), "rest")
    assert (outcome.verdict, outcome.wer) == ("passed", 0)


async def test_of_random_failures_each_is_named_and_no_other_run_is_hit() -> None:
    """Of twenty runs eight are hit: those are named, the others pass."""
    fault = parse_fault({"fault": "500", "endpoint": "openai-us", "pathway": "rest", "share": 0.4})
    async with running(create_app(Script(latency=NO_LATENCY, faults=(fault,)))) as base:
        runs = [run(f"{base}/openai-us/v1", "rest") for _ in range(20)]
        outcomes = [outcome for outcome, _ in await asyncio.gather(*runs)]
    failed = [named(one) for one in outcomes if one.verdict != "passed"]
    assert failed == [("transcribe", "server", "provider", "failed")] * 8


async def test_ten_times_the_usual_is_degraded() -> None:
    """Right words that come much later than usual are degraded, and the message says how late."""

    async def late(line: Line) -> None:
        await line.read_request()
        await asyncio.sleep(0.3)
        await line.respond("200 OK", json.dumps({"text": WORDS}))

    outcome, _ = await met(late, "rest", usual_ms=30.0)
    assert (outcome.verdict, outcome.failure) == ("degraded", None)
    assert "the usual" in (outcome.message or "")


@pytest.mark.parametrize("pathway", ["rest", "realtime"])
async def test_a_key_that_ends_in_a_line_break_is_our_own_fault(pathway: str) -> None:
    """Such a key is never sent, named by its reference, and blamed on nobody else."""
    asked: list[str] = []

    async def script(line: Line) -> None:
        asked.append(await line.read_head())

    outcome, _ = await met(script, pathway, key="canary-key\n")
    assert (outcome.failure, outcome.blame, outcome.verdict) == ("monitor", "monitor", "inconclusive")
    assert "env:KEY" in (outcome.message or "")
    assert "canary" not in (outcome.message or "")
    assert asked == []


async def test_a_lost_recording_is_our_own_fault(tmp_path: Path) -> None:
    """A clip that is not there makes the run inconclusive, before anything is sent."""
    outcome, evidence = await run("http://127.0.0.1:9/v1", "rest", clip=str(tmp_path / "lost.wav"))
    assert (outcome.failure, outcome.blame, outcome.verdict) == ("monitor", "monitor", "inconclusive")
    assert "lost.wav" in (outcome.message or "")
    assert evidence is None


@pytest.mark.parametrize("way", ["utf-16", "cut"])
async def test_a_minted_secret_never_reaches_the_evidence(way: str) -> None:
    """Nor does it in another encoding, or in an answer that breaks off."""
    text = json.dumps({"value": "ek_canary_0123456789", "expires_at": 1790000600})
    raw = text.encode("utf-16") if way == "utf-16" else text[:-9].encode()

    async def script(line: Line) -> None:
        head = await line.read_head()
        if "websocket" in head.lower():
            return
        await line.read_body(head)
        await line.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)

    outcome, evidence = await met(script, "realtime_transcription", client_secret=True)
    assert outcome.verdict == "failed"
    assert "canary" not in json.dumps([evidence, replace(outcome).message]).replace("\\u0000", "")
