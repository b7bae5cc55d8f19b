"""Client secrets: how they are made and refused, what they open, and how they end."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from monitor.sandbox import Sandbox, Script, create_app
from monitor.sandbox.common.refusals import CloseAfterError, Refusal
from monitor.sandbox.common.secret_store import LARGEST_NUMBER, SecretStore
from monitor.sandbox.server.upgrade import Admission, enter, read_upgrade_request
from tests.support.sandbox_sessions import KEY, NOON, QUICK, broken, fault, sandbox

OPENAI = "/openai-us/v1/realtime/client_secrets"
AZURE = "/azure-sweden/openai/v1/realtime/client_secrets"
TRANSCRIBING = {
    "type": "transcription",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
}


@asynccontextmanager
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as made:
        yield made


async def ask(
    body: Any, path: str = OPENAI, *, script: Script = QUICK, key: str = KEY, app: Starlette | None = None
) -> httpx.Response:
    """One request for a secret."""
    header = {"api-key": key} if path.startswith("/azure") else {"authorization": f"Bearer {key}"}
    made = app or create_app(script, clock=lambda: NOON, rng=random.Random(1))
    async with client(made) as speaking:
        return await speaking.post(path, headers=header, json=body)


@pytest.mark.parametrize("path", [OPENAI, AZURE])
async def test_a_secret_comes_with_its_session(path: str) -> None:
    """Value, expiry ten minutes off, and the session as it will be."""
    body = (await ask({"session": TRANSCRIBING}, path)).json()
    assert body["value"].startswith("ek_")
    assert len(body["value"]) == 35
    assert body["expires_at"] == int(NOON.timestamp()) + 600
    assert body["session"]["type"] == "transcription"
    assert body["session"]["audio"]["input"]["transcription"]["model"] == "gpt-4o-transcribe"


async def test_the_client_says_how_long_it_holds() -> None:
    """expires_after counts from now."""
    wanted = {"expires_after": {"anchor": "created_at", "seconds": 10}, "session": TRANSCRIBING}
    assert (await ask(wanted)).json()["expires_at"] == int(NOON.timestamp()) + 10


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "noon"}}, "expires_after.anchor"),
        ({"model": "gpt-realtime"}, "model"),
        ({"session": {"type": "other"}}, "session.type"),
        ({"session": {}}, "session.type"),
        ({"session": "x"}, "session"),
        ({"session": {"type": "transcription", "input_audio_format": "pcm16"}}, "session.input_audio_format"),
        ([], "body"),
    ],
)
async def test_a_wrong_body_is_refused_by_its_field(body: Any, param: str) -> None:
    """400 with OpenAI's shape; the param names the place."""
    reply = await ask(body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"[" * 2_000_000, 413), (b"", 200)], ids=["cut", "large", "none"]
)
async def test_a_body_that_is_no_json(content: bytes, status: int) -> None:
    """Broken or too large is refused; none at all means the defaults."""
    async with client(create_app(QUICK, clock=lambda: NOON)) as speaking:
        reply = await speaking.post(OPENAI, headers={"authorization": f"Bearer {KEY}"}, content=content)
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("path", "key", "status"), [(OPENAI, "sk-wrong", 401), (AZURE, "wrong", 401), (AZURE, KEY, 404)]
)
async def test_refusals_follow_the_vendor(path: str, key: str, status: int) -> None:
    """The key first, then the host model."""
    reply = await ask({"session": {"type": "realtime", "model": "nope"}}, path, key=key)
    assert reply.status_code == status


async def test_an_endpoint_that_nobody_serves_gives_no_secret() -> None:
    """404 elsewhere."""
    assert (await ask({}, "/nowhere/v1/realtime/client_secrets")).status_code == 404


async def test_the_fault_of_june_strikes_only_with_transcription() -> None:
    """500 with the block, 200 without: what one region of Azure did."""
    script = broken(fault("secret_transcription", endpoint="azure-sweden"))
    assert (await ask({"session": TRANSCRIBING}, AZURE, script=script)).status_code == 500
    assert (await ask({"session": {"type": "realtime"}}, AZURE, script=script)).status_code == 200
    assert (await ask({"session": TRANSCRIBING}, script=script)).status_code == 200


async def test_status_faults_hit_this_pathway_too() -> None:
    """Named alone or with all others; a fault of uploads does not."""
    for named, status in (({}, 503), ({"pathway": "client_secret"}, 503), ({"pathway": "rest"}, 200)):
        assert (await ask({}, script=broken(fault("503", **named)))).status_code == status


def knock(box: Sandbox, target: str, value: str) -> Any:
    """What becomes of an upgrade with that bearer key."""
    visit = read_upgrade_request(box.script, target, {"authorization": f"Bearer {value}"})
    return visit if isinstance(visit, Refusal) else enter(box, visit)


def given(box: Sandbox, session: Mapping[str, Any], endpoint: str = "openai-us", seconds: int = 600) -> str:
    """A secret for such a session."""
    purpose: Any = session["type"]
    return box.secrets.make(
        endpoint, seconds, purpose=purpose, host=session.get("model"), session=session
    ).value


@pytest.mark.parametrize(
    ("endpoint", "address"), [("openai-us", "/openai-us/v1"), ("azure-sweden", "/azure-sweden/openai/v1")]
)
def test_a_secret_opens_its_kind_of_session(endpoint: str, address: str) -> None:
    """With the address of the session or the bare one; model and kind come from the secret."""
    box = sandbox()
    value = given(box, TRANSCRIBING, endpoint)
    for query in ("", "?intent=transcription"):
        found = knock(box, f"{address}/realtime{query}", value)
        assert isinstance(found, Admission)
        assert found.purpose == "transcription"
    talking = given(box, {"type": "realtime", "model": "gpt-realtime"}, endpoint)
    assert knock(box, f"{address}/realtime", talking).host == "gpt-realtime"


def test_a_secret_of_another_endpoint_or_past_its_time_is_no_key() -> None:
    """Refused as a wrong key is, in the vendor's way."""
    box = sandbox()
    foreign = given(box, TRANSCRIBING, "azure-sweden")
    old = given(box, TRANSCRIBING, seconds=0)
    for value in (foreign, old, "ek_0"):
        refused = knock(box, "/openai-us/v1/realtime?intent=transcription", value)
        assert isinstance(refused, CloseAfterError)
        assert refused.close == 3000
    assert knock(box, "/azure-sweden/openai/v1/realtime", old).status == 401


def test_a_secret_ends_with_the_clock() -> None:
    """It holds up to its second and not longer."""
    now: list[datetime] = [NOON]
    box = Sandbox(QUICK, clock=lambda: now[0], rng=random.Random(1))
    value = given(box, TRANSCRIBING, seconds=60)
    now[0] += timedelta(seconds=59)
    assert box.secrets.find("openai-us", value) is not None
    now[0] += timedelta(seconds=1)
    assert box.secrets.find("openai-us", value) is None


def test_the_store_does_not_grow_for_ever() -> None:
    """The oldest secrets give way."""
    box = sandbox()
    store = SecretStore(lambda: NOON, box.ids)
    first = store.make("a", 60, purpose="realtime", host=None, session={})
    for _ in range(LARGEST_NUMBER):
        last = store.make("a", 60, purpose="realtime", host=None, session={})
    assert store.find("a", first.value) is None
    assert store.find("a", last.value) is last


async def test_an_expired_secret_can_be_given_out() -> None:
    """It looks right and opens nothing."""
    app = create_app(broken(fault("secret_expired")), clock=lambda: NOON)
    body = (await ask({"session": TRANSCRIBING}, app=app)).json()
    assert body["expires_at"] > NOON.timestamp()
    box: Sandbox = app.state.sandbox
    assert box.secrets.find("openai-us", body["value"]) is None


async def test_a_secret_is_no_key_for_uploads() -> None:
    """It opens sessions only."""
    app = create_app(QUICK, clock=lambda: NOON)
    value = (await ask({}, app=app)).json()["value"]
    assert (await ask({}, key=value, app=app)).status_code == 401
