"""Errors: a page for people, problem details for programs, bounded and without details of ours."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from monitor.core.errors import DatabaseBusy, DatabaseError, MonitorError, NotFound, SchemaMismatch
from monitor.web.frame.errors import BadQuery, install_problems

RAISED: dict[str, Exception] = {
    "missing": NotFound("there is no incident 7"),
    "busy": DatabaseBusy("locked"),
    "schema": SchemaMismatch("the schema is older: run `earwitness migrate`"),
    "database": DatabaseError("data/earwitness.db: the disk is full"),
    "query": BadQuery("from", "lies after 'to'"),
    "fault": MonitorError("key sk-secret"),
    "long": NotFound("x" * 10_000),
}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install_problems(app, lambda _name, page: f"<p>{getattr(page, 'status', 0)}</p>")

    @app.get("/{what}")
    @app.get("/api/{what}")
    def fail(what: str) -> None:
        raise RAISED[what]

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("missing", 404, "there is no incident 7"),
        ("busy", 503, "try again in a few seconds"),
        ("schema", 503, "run `earwitness migrate`"),
        ("database", 503, "the disk is full"),
        ("query", 422, "from: lies after 'to'"),
        ("fault", 500, "its log says more"),
    ],
)
def test_each_error_has_its_status_and_its_sentence(
    client: TestClient, what: str, status: int, said: str
) -> None:
    """As problem details, with the remedy where there is one and no secret."""
    answer = client.get(f"/api/{what}", headers={"accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert said in problem["detail"]
    assert "secret" not in answer.text


def test_people_get_a_page_and_programs_do_not(client: TestClient) -> None:
    """By what they accept."""
    assert client.get("/missing", headers={"accept": "text/html"}).text == "<p>404</p>"
    assert client.get("/missing").json()["status"] == 404


def test_what_is_said_is_bounded(client: TestClient) -> None:
    """However long the name that was asked for."""
    assert len(client.get("/api/long").text) < 1000
