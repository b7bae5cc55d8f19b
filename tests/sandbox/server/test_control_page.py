"""The control API and its page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from monitor.sandbox import create_app
from tests.support.sandbox_sessions import NOON, QUICK, SPEECH


@pytest.fixture
async def control() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(QUICK, clock=lambda: NOON)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        yield client


async def test_a_fault_is_made_listed_and_removed(control: httpx.AsyncClient) -> None:
    """The round of a script that breaks something for a while."""
    wanted = {
        "endpoint": "azure-sweden",
        "model": "gpt-4o-transcribe",
        "pathway": "realtime",
        "fault": "failed",
    }
    made = await control.post("/_control/faults", json=wanted)
    assert made.status_code == 201
    shown = wanted | {"id": "1", "from": None, "until": None, "active": True}
    assert made.json() == shown
    assert (await control.get("/_control/faults")).json() == {"faults": [shown]}
    assert (await control.delete("/_control/faults/1")).status_code == 204
    assert (await control.get("/_control/faults")).json() == {"faults": []}


async def test_a_fault_outside_its_times_is_listed_as_not_active(control: httpx.AsyncClient) -> None:
    """At noon a fault of the morning rests."""
    body = {"fault": "failed", "from": "08:30", "until": "11:00"}
    assert (await control.post("/_control/faults", json=body)).json()["active"] is False


async def test_all_faults_can_be_removed_at_once(control: httpx.AsyncClient) -> None:
    """One call mends everything."""
    for name in ("failed", "500"):
        await control.post("/_control/faults", json={"fault": name})
    assert (await control.delete("/_control/faults")).status_code == 204
    assert (await control.get("/_control/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"{", 400, "the body is no JSON"),
        (b"[]", 422, "expected an object"),
        (b'{"fault": "fialed"}', 422, "did you mean 'failed'"),
        (b'{"fault": "failed", "pathway": "rest"}', 422, "a fault of realtime, realtime_transcription"),
        (b'{"fault": "failed", "endpoint": "nowhere"}', 422, "right are: azure-sweden, openai-us"),
    ],
)
async def test_a_wrong_body_is_refused_with_the_reason(
    control: httpx.AsyncClient, body: bytes, status: int, detail: str
) -> None:
    """Problem details say what would be right; nothing is put in force."""
    reply = await control.post("/_control/faults", content=body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert detail in reply.json()["detail"]
    assert (await control.get("/_control/faults")).json() == {"faults": []}


async def test_removing_what_is_not_there_says_so(control: httpx.AsyncClient) -> None:
    """404 with the way to the list."""
    reply = await control.delete("/_control/faults/9")
    assert reply.status_code == 404
    assert "GET /_control/faults lists them" in reply.json()["detail"]


async def test_a_page_of_another_site_may_not_break_anything(control: httpx.AsyncClient) -> None:
    """A foreign or null Origin is refused; our own and none are not."""
    for origin, status in (("http://evil.example", 403), ("null", 403), ("http://sandbox", 201)):
        reply = await control.post("/_control/faults", json={"fault": "failed"}, headers={"origin": origin})
        assert reply.status_code == status
    assert (await control.delete("/_control/faults", headers={"origin": "null"})).status_code == 403
    assert (await control.delete("/_control/faults/1", headers={"origin": "null"})).status_code == 403


@pytest.mark.parametrize("path", ["/", "/_control"])
async def test_the_page_stands_alone(control: httpx.AsyncClient, path: str) -> None:
    """One document that loads nothing from elsewhere."""
    reply = await control.get(path)
    assert reply.headers["content-type"].startswith("text/html")
    assert "prefers-color-scheme: dark" in reply.text
    assert "src=" not in reply.text
    assert "http://" not in reply.text
    assert "https://" not in reply.text


async def test_the_overview_has_all_that_the_page_shows(control: httpx.AsyncClient) -> None:
    """Endpoints with models, pathways, and each fault with a sentence; no key."""
    overview = await control.get("/_control/overview")
    body = overview.json()
    assert [endpoint["name"] for endpoint in body["endpoints"]] == ["azure-sweden", "openai-us"]
    assert all(kind["says"] and kind["group"] and kind["pathways"] for kind in body["kinds"])
    assert body["endpoints"][0]["pathways"] == [
        "rest",
        "rest_stream",
        "realtime",
        "realtime_transcription",
        "dual",
        "client_secret",
    ]
    assert body["pathways"][-2:] == ["speech_rest", "speech_ws"]
    assert "sandbox-key" not in overview.text


async def test_a_speech_endpoint_shows_its_own_pathways() -> None:
    """One recogniser, two pathways, no host models."""
    app = create_app(SPEECH, clock=lambda: NOON)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        (endpoint,) = (await client.get("/_control/overview")).json()["endpoints"]
    assert endpoint == {
        "name": "speech-sweden",
        "kind": "speech",
        "region": "swedencentral",
        "models": ["azure-speech"],
        "hosts": [],
        "pathways": ["speech_rest", "speech_ws"],
    }


async def test_every_fault_can_be_switched_on_by_its_name(control: httpx.AsyncClient) -> None:
    """The whole catalogue goes through the API, and each shows itself as active."""
    for kind in (await control.get("/_control/overview")).json()["kinds"]:
        made = await control.post("/_control/faults", json={"fault": kind["fault"]})
        assert (made.status_code, made.json()["active"]) == (201, True), kind["fault"]
        alone = {"fault": kind["fault"], "pathway": kind["pathways"][0]}
        assert (await control.post("/_control/faults", json=alone)).status_code == 201


async def test_the_page_groups_faults_and_fits_a_phone(control: httpx.AsyncClient) -> None:
    """Groups in the list, a layout for narrow screens, targets large enough for a thumb."""
    page = (await control.get("/_control")).text
    assert "optgroup" in page
    assert 'name="viewport"' in page
    assert "@media (max-width: 46rem)" in page
    assert "min-height: 2.75rem" in page


async def test_the_kinds_are_listed_for_scripts(control: httpx.AsyncClient) -> None:
    """Each with what it does, where it strikes and what it takes; an unknown name points to the list."""
    found = (await control.get("/_control/kinds")).json()
    named = {kind["fault"]: kind for kind in found["kinds"]}
    for name in ("failed", "silent", "slow", "empty", "truncated", "refused", "drop", "429", "500", "401"):
        assert named[name]["says"]
        assert named[name]["pathways"]
    assert named["slow"]["extras"] == ["delay"]
    assert found["extras"]["delay"].startswith("seconds")
    refused = (await control.post("/_control/faults", json={"fault": "outage"})).json()
    assert "GET /_control/kinds" in refused["detail"]
    assert all(name in refused["detail"] for name in named)


async def test_one_fault_can_be_looked_at(control: httpx.AsyncClient) -> None:
    """By its id; an id that is not there is a 404 with a sentence."""
    made = (await control.post("/_control/faults", json={"fault": "failed"})).json()
    assert (await control.get(f"/_control/faults/{made['id']}")).json() == made
    missing = await control.get("/_control/faults/77")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/_control/faults"), ("GET", "/_control/nope"), ("POST", "/_control/kinds")]
)
async def test_other_addresses_of_the_control_name_the_right_ones(
    control: httpx.AsyncClient, method: str, path: str
) -> None:
    """Nobody is told that an endpoint is missing."""
    reply = await control.request(method, path)
    assert reply.status_code == 404
    assert "GET, POST and DELETE /_control/faults" in reply.json()["detail"]


async def test_a_fault_of_any_length_is_not_read(control: httpx.AsyncClient) -> None:
    """The body is bounded; the rest is refused with the bound."""
    reply = await control.post("/_control/faults", content=b"[" * 70_000)
    assert (reply.status_code, reply.headers["connection"]) == (413, "close")
    assert "65536 bytes" in reply.json()["detail"]
