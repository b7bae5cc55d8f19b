"""The guard: who may ask, who may change, and what every answer carries."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from monitor.web.frame.security import POLICY, SECURITY_HEADERS, Guard


def changed(_request: Request) -> Response:
    return PlainTextResponse("changed")


APP = Guard(
    Starlette(routes=[Route("/", changed, methods=["GET", "POST"])]),
    hosts=frozenset({"localhost", "::1", "earwitness.example"}),
)
CLIENT = TestClient(APP, base_url="http://localhost:8080")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8080"}, 403),
    ],
)
def test_only_the_site_itself_and_programs_may_change(headers: dict[str, str], status: int) -> None:
    """A browser on another page is refused; a program without either header passes."""
    assert CLIENT.post("/", headers=headers).status_code == status


def test_reading_is_not_a_change() -> None:
    """A link from anywhere may lead to a page."""
    assert CLIENT.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8080", 200),
        ("earwitness.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
        ("[", 421),
        ("a@localhost.example", 421),
    ],
)
def test_a_foreign_host_name_is_refused(host: str, status: int) -> None:
    """A name that merely resolves to us reads nothing."""
    answer = CLIENT.get("/", headers={"host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "evil" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"host": "evil.example"}])
def test_every_answer_carries_the_headers(headers: dict[str, str]) -> None:
    """Refusals too."""
    answer = CLIENT.get("/", headers=headers)
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)


def test_the_policy_allows_nothing_by_default_and_no_inline_code() -> None:
    """Everything is closed, then opened for files of our own."""
    assert POLICY.startswith("default-src 'none'")
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_without_a_list_every_host_is_accepted() -> None:
    """Behind a proxy that checks the name itself."""
    client = TestClient(
        Guard(Starlette(routes=[Route("/", changed)]), hosts=None), base_url="http://any.example"
    )
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/targets", "/nowhere"])
def test_head_answers_as_get_does_without_the_body(client: TestClient, path: str) -> None:
    """Status and headers are those of GET; nothing else comes (RFC 9110, 9.3.2)."""
    asked, got = client.head(path), client.get(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]


def test_a_huge_body_is_a_problem_of_its_own() -> None:
    """What is too long is refused before it is read, in the words of every other refusal."""
    answer = CLIENT.post("/", content=b"a" * 64_001)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert "64,000 bytes" in answer.json()["detail"]
    assert CLIENT.post("/", content=b"a" * 64_000).status_code == 200


def test_the_address_that_was_connected_to_is_a_name_of_ours() -> None:
    """Probers ask for an address; another address, or a name that leads here, is refused."""
    client = TestClient(APP, base_url="http://192.0.2.7:8080")
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"host": "192.0.2.8"}).status_code == 421
    assert TestClient(APP, base_url="http://evil.example").get("/").status_code == 421
