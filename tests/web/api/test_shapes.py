"""What is described is what is answered: every answer fits its shape, and no key of it is untold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitor.store.database.engine import Database
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


class Description:
    """The API's description, as programs read it."""

    def __init__(self, client: TestClient) -> None:
        self._whole = client.get("/openapi.json").json()
        self.shapes: Mapping[str, Any] = self._whole["components"]["schemas"]
        self.paths: Mapping[str, Any] = self._whole["paths"]

    def answer(self, method: str, path: str) -> Mapping[str, Any]:
        """The shape of an operation's answer."""
        responses = self.paths[path][method]["responses"]
        code = next(code for code in responses if code.startswith("2"))
        shape: Mapping[str, Any] = responses[code]["content"]["application/json"]["schema"]
        return shape

    def misfits(self, value: Any, shape: Mapping[str, Any], at: str = "$") -> Iterator[str]:
        """Where *value* does not fit *shape*, an untold key included; the part of JSON Schema that we use."""
        if "$ref" in shape:
            yield from self.misfits(value, self.shapes[shape["$ref"].rpartition("/")[2]], at)
        elif "anyOf" in shape:
            if not any(not list(self.misfits(value, one, at)) for one in shape["anyOf"]):
                yield f"{at}: {value!r} fits none"
        elif not shape:
            return
        elif not isinstance(value, _TYPES[shape["type"]]):
            yield f"{at}: {value!r} is no {shape['type']}"
        elif "enum" in shape and value not in shape["enum"]:
            yield f"{at}: {value!r} is not listed"
        elif shape["type"] == "array":
            for number, one in enumerate(value):
                yield from self.misfits(one, shape["items"], f"{at}[{number}]")
        elif shape["type"] == "object":
            yield from self._object_misfits(value, shape, at)

    def _object_misfits(self, value: Mapping[str, Any], shape: Mapping[str, Any], at: str) -> Iterator[str]:
        known, rest = shape.get("properties") or {}, shape.get("additionalProperties")
        yield from (f"{at}.{name}: absent" for name in shape.get("required") or () if name not in value)
        for name, one in value.items():
            if name in known:
                yield from self.misfits(one, known[name], f"{at}.{name}")
            elif rest:
                yield from self.misfits(one, {} if rest is True else rest, f"{at}.{name}")
            elif known:
                yield f"{at}.{name}: untold"


GETS = (
    "/api/v1/targets", "/api/v1/outcomes", "/api/v1/outcomes/{run_id}", "/api/v1/windows",
    "/api/v1/incidents", "/api/v1/incidents/{number}", "/api/v1/incidents/{number}/entries",
    "/api/v1/marks", "/api/v1/maintenance", "/api/v1/advice", "/healthz", "/readyz",
)  # fmt: skip
SHAPES = {
    "Advice", "Control", "Entry", "Gap", "Health", "Incident", "IncidentDetails", "Mark", "Notice", "Outcome",
    "Pathway", "Pause", "Problem", "Signature", "Target", "Window",
}  # fmt: skip


def _asked(path: str) -> str:
    failing = TARGETS[1]
    run = f"0193-{failing.model}-{failing.pathway}-00510"
    return path.replace("{number}", "1").replace("{run_id}", run)


@pytest.mark.parametrize("path", GETS)
def test_every_answer_fits_its_shape(client: TestClient, path: str) -> None:
    """No key is absent, of another type, or untold."""
    told = Description(client)
    answer = client.get(_asked(path), headers={"accept": "application/json"})
    assert list(told.misfits(answer.json(), told.answer("get", path))) == []


def test_what_is_added_fits_its_shape(sqlite_database: Database, dial: Dial) -> None:
    """Marks and entries are answered in the shape in which they are listed."""
    fill(sqlite_database, list(reference_day()))
    with TestClient(app_over(sqlite_database, dial), base_url="http://127.0.0.1") as client:
        told = Description(client)
        mark = client.post("/api/v1/marks", json={"text": "deployed 4.2"})
        said = {"kind": "reclassified", "author": "ann", "blame": "network", "severity": "minor"}
        entry = client.post("/api/v1/incidents/1/entries", json=said)
        assert (mark.status_code, entry.status_code) == (201, 201)
        assert list(told.misfits(mark.json(), told.answer("post", "/api/v1/marks"))) == []
        assert (
            list(told.misfits(entry.json(), told.answer("post", "/api/v1/incidents/{number}/entries"))) == []
        )
        pause = {
            "name": "move",
            "targets": ["azure-sweden/*"],
            "until": "2025-11-18T00:00:00Z",
            "author": "ann",
        }
        paused = client.post("/api/v1/maintenance", json=pause)
        assert list(told.misfits(paused.json(), told.answer("post", "/api/v1/maintenance"))) == []
        for path in (
            "/api/v1/maintenance",
            "/api/v1/incidents/1",
            "/api/v1/marks",
            "/api/v1/incidents/1/entries",
        ):
            known = path.replace("/1", "/{number}")
            assert list(told.misfits(client.get(path).json(), told.answer("get", known))) == []


def test_a_refusal_is_a_problem_of_the_described_shape(client: TestClient) -> None:
    """Problem details carry what the description promises."""
    answer = client.get("/api/v1/outcomes?limit=0")
    assert answer.headers["content-type"] == "application/problem+json"
    told = Description(client)
    problem = told.paths["/api/v1/outcomes"]["get"]["responses"]["422"]["content"]["application/problem+json"]
    assert list(told.misfits(answer.json(), problem["schema"])) == []


def test_every_operation_of_the_api_has_a_shape(client: TestClient) -> None:
    """No route of the API is described without what it answers, and each reference leads somewhere."""
    told = Description(client)
    operations = [
        (method, path)
        for path, known in told.paths.items()
        for method in known
        if path.startswith("/api/") and not path.endswith("/events")
    ]
    assert {path for method, path in operations if method == "get"} | {"/healthz", "/readyz"} == set(GETS)
    assert all(told.answer(method, path) for method, path in operations)
    assert told.shapes.keys() >= SHAPES
    items = told.answer("get", "/api/v1/windows")["properties"]["items"]["items"]
    assert items["$ref"].endswith("/Window")
    named = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps([told.paths, told.shapes])))
    assert named <= told.shapes.keys()


def test_the_fit_is_really_tested(client: TestClient) -> None:
    """The checker of this module finds what is absent, untold, of another type and not listed."""
    told = Description(client)
    mark = {"id": "1", "at": "2025-11-17T08:30:00Z", "more": 1, "author": 7}
    found = told.misfits(mark, told.shapes["Mark"])
    assert [one.partition(":")[0] for one in found] == ["$.text", "$.id", "$.more", "$.author"]
    sideways = {"type": "object", "properties": {"state": {"type": "string", "enum": ["up"]}}}
    assert list(told.misfits({"state": "sideways"}, sideways))
