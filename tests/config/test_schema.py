from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from monitor.config.schema import json_schema, schema_text, shipped_schema

ROOT = Path(__file__).parents[2]


def test_the_shipped_schema_is_the_generated_one() -> None:
    """Write it again with: python -m monitor.config.schema > monitor/config/schema.json."""
    assert shipped_schema() == schema_text()
    assert json.loads(shipped_schema()) == json_schema()


def known_keys(schema: dict[str, Any], node: dict[str, Any], value: Any) -> None:
    """Walks a document beside its schema; every key must be described there."""
    node = {**node, **schema["$defs"][node["$ref"].rpartition("/")[2]]} if "$ref" in node else node
    if isinstance(value, dict):
        for key, item in value.items():
            inner = node.get("properties", {}).get(key) or node["additionalProperties"]
            assert inner, f"{key} is not in the schema"
            known_keys(schema, inner, item)
    if isinstance(value, list):
        for item in value:
            known_keys(schema, node["items"], item)
    if "enum" in node:
        assert value in node["enum"]


def test_the_example_conforms_to_the_schema() -> None:
    """Every key of the example is described, every choice is listed."""
    schema = json_schema()
    known_keys(schema, schema, tomllib.loads((ROOT / "config.example.toml").read_text("utf-8")))


def test_unknown_keys_are_refused_by_the_schema_too() -> None:
    """Every table says so."""
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables)


def test_toml_has_no_null() -> None:
    """No alternative of the schema is null."""
    assert '"null"' not in schema_text()
