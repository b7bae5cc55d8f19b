"""Every route with the strangest values for every parameter: each is answered or refused, none breaks."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from monitor.store.database.engine import open_database
from tests.support.filled_database import Dial, app_over


def cursor_of(*parts: object) -> str:
    """A cursor that says anything."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


INSTANTS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59Z",
    "2025-11-17T08:30:00Z",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2025-02-30T00:00:00Z",
    "2025-11-17T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "0001-01-01",
    "9999-12-31",
    "2025-11-17",
    "0000-00-00",
]
NUMBERS = [
    "0",
    "-0",
    "-1",
    "1",
    "1e-320",
    "-1e-320",
    "5e-324",
    "1e-7",
    "0.0000004",
    "1e308",
    "1e309",
    "nan",
    "inf",
    "-inf",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1" + "0" * 400,
]
TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud7ff",
    "\U0010ffff",
    "%",
    "%00",
    "../..",
    "[",
    "*" * 300,
    "x" * 3000,
    "é\n\r",
]
CURSORS = [
    cursor_of(*parts)
    for parts in (
        [0],
        [-1],
        [2**31],
        [2**63],
        [-(2**63)],
        [10**400],
        [True],
        [1.5],
        ["a"],
        [None],
        [],
        [1, 2],
    )
] + [cursor_of(at, "x") for at in (0, -1, 2**63, 10**18, 10**400, -(10**18))]
STRANGE = [*INSTANTS, *NUMBERS, *TEXTS, *CURSORS, "24h", "90d", "passed", "outage", "realtime"]
BODIES: Sequence[Any] = [
    None,
    [],
    {},
    "",
    *({"text": "x", "at": at} for at in INSTANTS),
    *({"text": text, "author": text} for text in TEXTS),
    *(
        {"name": "x", "until": a, "from": b, "author": "x", "retroactive": True}
        for a, b in product(INSTANTS, repeat=2)
    ),
    *({"name": "x", "until": at, "author": "x", "targets": [text]} for at in INSTANTS for text in TEXTS),
    *(
        {"kind": kind, "text": text, "author": "x", "blame": text}
        for kind in ("note", "reclassified")
        for text in TEXTS
    ),
]
FORMS: Sequence[Mapping[str, str]] = [
    *(
        {"target": "t", "for": value, "name": "x", "author": "x"}
        for value in (*NUMBERS, "1e9h", "99999999999h", "1s", "-1h")
    ),
    *({"target": text, "for": "1h", "name": text, "author": text} for text in TEXTS),
    *({"kind": "note", "text": text, "author": text} for text in TEXTS),
]
ENDLESS = ("/events", "/api/v1/advice/events")


@pytest.fixture(scope="module")
def asking(filled_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client that may write, over the reference day."""
    path = tmp_path_factory.mktemp("extremes") / "day.db"
    shutil.copy(filled_path, path)
    database = open_database(f"sqlite:///{path}", create=False)
    app = app_over(database, Dial())
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as made:
        yield made
    database.dispose()


def walk(found: Iterable[Any]) -> Iterator[APIRoute]:
    """Every route, those of included routers too."""
    for one in found:
        if isinstance(one, APIRoute):
            yield one
        yield from walk(getattr(getattr(one, "original_router", None), "routes", ()))


def routes(client: TestClient, method: str) -> list[APIRoute]:
    """Every route that understands *method* and ends."""
    app: Any = client.app
    found = [one for one in walk(app.routes) if method in (one.methods or ()) and one.path not in ENDLESS]
    assert len(found) > (15 if method == "GET" else 5)
    return found


def asked_to_write(client: TestClient) -> Iterator[tuple[APIRoute, str, Mapping[str, Any]]]:
    """Every route that people write to, with each body."""
    for route in routes(client, "POST"):
        path = route.path_format.replace("{number}", "1").replace("{row_id}", "1")
        sent = [{"json": body} for body in BODIES] if "/api/" in path else [{"data": form} for form in FORMS]
        raw = (b"", b"{", b"\xff", b'{"at": 1e999}', b"[" * 20_000, b" " * 100_000)
        for body in [
            *sent,
            *({"content": one, "headers": {"content-type": "application/json"}} for one in raw),
        ]:
            yield route, path, body


def addresses(route: APIRoute) -> Iterator[str]:
    """The route with each strange value in each place of its path, and in each parameter of its query."""
    path = route.path_format
    names = [one.alias for one in route.dependant.path_params]
    usual = path
    for name in names:
        usual = usual.replace(f"{{{name}}}", "1")
        for value in STRANGE:
            yield path.replace(f"{{{name}}}", quote(value, safe=""))
    for parameter in route.dependant.query_params:
        for value in STRANGE:
            yield f"{usual}?{parameter.alias}={quote(value, safe='')}"
    for one, other in product(route.dependant.query_params, repeat=2):
        if one is not other and {one.alias, other.alias} <= {"from", "to", "until", "day", "zoom"}:
            for value, second in product((INSTANTS[0], INSTANTS[3], INSTANTS[4]), repeat=2):
                yield f"{usual}?{one.alias}={quote(value)}&{other.alias}={quote(second)}"


Asked = tuple[APIRoute, str, int]


@pytest.fixture(scope="module")
def asked(asking: TestClient) -> Sequence[Asked]:
    """Every address that was asked for, with its route and the status of the answer."""
    return [
        (route, address, asking.get(address, follow_redirects=False).status_code)
        for route in routes(asking, "GET")
        for address in addresses(route)
    ]


def test_no_address_breaks_the_page(asked: Sequence[Asked]) -> None:
    """Pages, JSON and files alike: what cannot be answered is refused with a reason."""
    assert len(asked) > 1000
    assert [f"{status} {address[:200]}" for _, address, status in asked if status >= 500] == []


def test_no_body_breaks_what_people_write(asking: TestClient) -> None:
    """JSON and forms alike, each status as described; what was stored by them breaks no page afterwards."""
    described = asking.get("/openapi.json").json()["paths"]
    bad, untold = [], set()
    for route, path, sent in asked_to_write(asking):
        status = asking.post(path, follow_redirects=False, **sent).status_code
        if status >= 500:
            bad.append(f"{status} {path} {str(sent)[:200]}")
        if route.include_in_schema and str(status) not in described[route.path_format]["post"]["responses"]:
            untold.add((path, status))
    assert (bad, untold) == ([], set())
    for route in routes(asking, "GET"):
        path = route.path_format.replace("{number}", "1")
        if "{" not in path and path != "/readyz":  # which answers 503 where a notice is overdue
            assert asking.get(path, follow_redirects=False).status_code < 500


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_mark_at_the_ends_of_time_is_refused(asking: TestClient, at: str) -> None:
    """With the reason; nothing can be reckoned from there."""
    answer = asking.post("/api/v1/marks", json={"text": "x", "at": at})
    assert (answer.status_code, answer.json()["errors"][0]["name"]) == (422, "at")
    assert "a year from 1970 to 2999 is expected" in answer.json()["detail"]


@pytest.mark.parametrize("age", ["1e-320", "0", "-1", "nan", "inf", "1e309", "1e300"])
def test_an_age_that_is_none_is_refused(asking: TestClient, age: str) -> None:
    """Too short to be told from nothing is as good as none: old evidence must not pass for new."""
    assert asking.get(f"/api/v1/advice?max-age={age}").status_code == 422


def test_the_description_names_the_format_of_instants(asking: TestClient) -> None:
    """Every parameter and field that is an instant says that it is a date-time."""
    description = asking.get("/openapi.json").json()
    found = [
        any(one.get("format") == "date-time" for one in parameter["schema"].get("anyOf", ()))
        for operations in description["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["name"] in {"from", "to"}
    ]
    assert len(found) > 6
    assert all(found)
    schemas = description["components"]["schemas"]
    assert schemas["PauseAsked"]["properties"]["until"]["format"] == "date-time"


def test_every_refusal_stands_in_the_description(asking: TestClient, asked: Sequence[Asked]) -> None:
    """Whoever reads the API's description knows each status that a strange value brings."""
    described = asking.get("/openapi.json").json()["paths"]
    told = {
        (route.path_format, str(status))
        for route, address, status in asked
        if route.include_in_schema and not address.endswith("/")  # which is another address
    }
    assert {
        (path, status) for path, status in told if status not in described[path]["get"]["responses"]
    } == set()
