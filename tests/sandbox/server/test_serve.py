"""The sandbox on a port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys

import httpx
import pytest

from monitor import clips
from monitor.core.errors import MonitorError
from monitor.sandbox import create_app, running
from tests.support.sandbox_sessions import AMIABLE, KEY, QUICK, broken, fault

OPENAI = "/openai-us/v1/audio/transcriptions"
UPLOAD = {"file": ("probe.wav", clips.load_clip("amiable").wav, "audio/wav")}


async def post(base: str, patience: float = 2) -> httpx.Response:
    async with httpx.AsyncClient(base_url=base, timeout=patience) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        return await client.post(OPENAI, headers=headers, data={"model": "whisper-1"}, files=UPLOAD)


async def test_uploads_and_control_share_the_port() -> None:
    """One address for everything."""
    async with running(create_app(QUICK)) as base:
        assert (await post(base)).json()["text"] == AMIABLE
        async with httpx.AsyncClient(base_url=base) as client:
            assert (await client.get("/_control/faults")).json() == {"faults": []}
            assert "server" not in (await client.get("/_control")).headers


async def test_a_dropped_upload_gets_no_answer() -> None:
    """The connection is cut before the first byte."""
    async with running(create_app(broken(fault("drop")))) as base:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await post(base)


async def test_a_silent_upload_waits_for_the_client_to_give_up() -> None:
    """And the server can stop all the same."""
    async with running(create_app(broken(fault("silent")))) as base:
        with pytest.raises(httpx.ReadTimeout):
            await post(base, patience=0.2)


async def test_a_port_in_use_is_told_with_the_remedy() -> None:
    """One sentence, and no half-open server."""
    async with running(create_app(QUICK)) as base:
        port = int(base.rpartition(":")[2])
        with pytest.raises(MonitorError, match=rf"port {port} on 127.0.0.1 is in use: .* --port"):
            async with running(create_app(QUICK), port=port):
                pass


async def test_an_address_of_another_machine_is_told_with_the_remedy() -> None:
    """What cannot be listened on is named."""
    with pytest.raises(MonitorError, match=r"cannot listen on 192\.0\.2\.1"):
        async with running(create_app(QUICK), host="192.0.2.1"):
            pass


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
async def test_a_port_that_is_none_is_told_with_the_remedy(port: int) -> None:
    """One sentence with the right range."""
    with pytest.raises(MonitorError, match=f"port {port} is none: choose one from 1 to 65535"):
        async with running(create_app(QUICK), port=port):
            pass


async def test_stopping_ends_open_connections_at_once() -> None:
    """Nobody waits for clients that stay."""
    with contextlib.closing(socket.socket()) as idle:
        async with running(create_app(QUICK)) as base:
            idle.connect(("127.0.0.1", int(base.rpartition(":")[2])))
            await asyncio.sleep(0.01)
        async with asyncio.timeout(1):
            async with running(create_app(QUICK)):
                pass


def test_serve_tells_its_address_and_prints_nothing() -> None:
    """As its own process: the callback gets the base URL, and the output is the caller's alone."""
    program = (
        "import os, signal\n"
        "from monitor.sandbox import default_script, serve\n"
        "def started(base):\n"
        "    print(base)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "serve('127.0.0.1', 0, default_script(), started=started)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stdout.count("\n") == 1
