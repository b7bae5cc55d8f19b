"""The description is plain: shapes by the names that people know, lists of words in place, no repetition."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient


def everything(value: Any) -> list[Any]:
    """The value and all that is in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(one for part in inner for one in everything(part))]


def test_a_shape_is_named_without_our_suffix(client: TestClient) -> None:
    """`Window`, and not `WindowJson`; asked twice the description is the same."""
    first, second = (client.get("/openapi.json").json() for _ in range(2))
    assert first == second
    assert "Window" in first["components"]["schemas"]
    assert not [one for one in everything(first) if isinstance(one, str) and one.endswith("Json")]


def test_words_stand_where_they_are_used(client: TestClient) -> None:
    """Whoever reads a key reads what it may be; nobody has to look up a list of words."""
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    assert shapes["Target"]["properties"]["state"]["enum"] == [
        "up", "degraded", "down", "unknown", "maintenance",
    ]  # fmt: skip
    assert shapes["Window"]["properties"]["state"]["enum"] == ["down", "degraded"]
    assert not [name for name, shape in shapes.items() if "enum" in shape]


def test_no_key_has_a_title_that_repeats_it(client: TestClient) -> None:
    """Titles say nothing that the key does not; a key called `title` stays."""
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    keys = [key for shape in shapes.values() for key in shape.get("properties", {}).values()]
    assert keys
    assert not [key for key in keys if isinstance(key.get("title"), str)]
    assert shapes["Incident"]["properties"]["title"] == {"type": "string"}
