"""What is described is what is answered: every answer fits its shape, and no key of it is untold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitor.store.database.engine import Database
from monitor.web.api.schema import ANSWERS, SHAPES
from tests.support.filled_database import TARGETS, Dial, app_over, fill, reference_day

_TYPES: Mapping[str, Any] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def misfits(value: Any, shape: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Where *value* does not fit *shape*, an untold key included; the part of JSON Schema that we use."""
    if "$ref" in shape:
        yield from misfits(value, SHAPES[shape["$ref"].rpartition("/")[2]], at)
    elif "anyOf" in shape:
        if not any(not list(misfits(value, one, at)) for one in shape["anyOf"]):
            yield f"{at}: {value!r} fits none"
    elif not isinstance(value, _TYPES[shape["type"]]):
        yield f"{at}: {value!r} is no {shape['type']}"
    elif "enum" in shape and value not in shape["enum"]:
        yield f"{at}: {value!r} is not listed"
    elif shape["type"] == "array":
        for number, one in enumerate(value):
            yield from misfits(one, shape["items"], f"{at}[{number}]")
    elif shape["type"] == "object":
        yield from _object_misfits(value, shape, at)


def _object_misfits(value: Mapping[str, Any], shape: Mapping[str, Any], at: str) -> Iterator[str]:
    known, rest = shape.get("properties") or {}, shape.get("additionalProperties")
    yield from (f"{at}.{name}: absent" for name in shape.get("required") or () if name not in value)
    for name, one in value.items():
        if name in known or rest:
            yield from misfits(one, known.get(name) or rest or {}, f"{at}.{name}")
        elif known:
            yield f"{at}.{name}: untold"


def _asked(path: str) -> str:
    failing = TARGETS[1]
    run = f"0193-{failing.model}-{failing.pathway}-00510"
    return path.replace("{number}", "1").replace("{run_id}", run)


@pytest.mark.parametrize("path", sorted(path for method, path in ANSWERS if method == "get"))
def test_every_answer_fits_its_shape(client: TestClient, path: str) -> None:
    """No key is absent, of another type, or untold."""
    answer = client.get(_asked(path), headers={"accept": "application/json"})
    assert list(misfits(answer.json(), ANSWERS["get", path])) == []


def test_what_is_added_fits_its_shape(sqlite_database: Database, dial: Dial) -> None:
    """Marks and entries are answered in the shape in which they are listed."""
    fill(sqlite_database, list(reference_day()))
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:
        mark = client.post("/api/v1/marks", json={"text": "deployed 4.2"})
        said = {"kind": "reclassified", "author": "ann", "blame": "network", "severity": "minor"}
        entry = client.post("/api/v1/incidents/1/entries", json=said)
        assert (mark.status_code, entry.status_code) == (201, 201)
        assert list(misfits(mark.json(), ANSWERS["post", "/api/v1/marks"])) == []
        assert list(misfits(entry.json(), ANSWERS["post", "/api/v1/incidents/{number}/entries"])) == []
        pause = {
            "name": "move",
            "targets": ["azure-sweden/*"],
            "until": "2025-11-18T00:00:00Z",
            "author": "ann",
        }
        paused = client.post("/api/v1/maintenance", json=pause)
        assert list(misfits(paused.json(), ANSWERS["post", "/api/v1/maintenance"])) == []
        for path in (
            "/api/v1/maintenance",
            "/api/v1/incidents/1",
            "/api/v1/marks",
            "/api/v1/incidents/1/entries",
        ):
            known = path.replace("/1", "/{number}")
            assert list(misfits(client.get(path).json(), ANSWERS["get", known])) == []


def test_a_refusal_is_a_problem_of_the_described_shape(client: TestClient) -> None:
    """Problem details carry what the description promises."""
    answer = client.get("/api/v1/outcomes?limit=0")
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(misfits(answer.json(), SHAPES["Problem"])) == []


def test_every_operation_of_the_api_has_a_shape(client: TestClient) -> None:
    """No route of the API is described without what it answers, and each reference leads somewhere."""
    description = client.get("/openapi.json").json()
    operations = {
        (method, path)
        for path, known in description["paths"].items()
        for method in known
        if path.startswith("/api/") and not path.endswith("/events")
    }
    assert operations == {key for key in ANSWERS if key[1].startswith("/api/")}
    assert SHAPES.keys() <= description["components"]["schemas"].keys()
    content = description["paths"]["/api/v1/windows"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"]["properties"]["items"]["items"]["$ref"].endswith("/Window")


def test_the_fit_is_really_tested() -> None:
    """The checker of this module finds what is absent, untold, of another type and not listed."""
    mark = {"id": "1", "at": "2025-11-17T08:30:00Z", "text": "x", "more": 1}
    assert [one.partition(":")[0] for one in misfits(mark, SHAPES["Mark"])] == ["$.author", "$.id", "$.more"]
    assert list(
        misfits(
            {"state": "sideways"},
            {"type": "object", "properties": {"state": {"type": "string", "enum": ["up"]}}},
        )
    )
