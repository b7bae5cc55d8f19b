"""The JSON Schema of the configuration file, for editors; made from the tables that check the file."""

from __future__ import annotations

import json
from typing import Any

from monitor.config.file_model import ConfigurationFile


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration file."""
    schema = ConfigurationFile.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Earwitness configuration"}
    made: dict[str, Any] = {**head, **_tidied(schema)}
    return made


def schema_text() -> str:
    """The schema as the shipped file spells it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidied(node: Any) -> Any:
    """The schema without alternatives of null, which TOML cannot write, and without made-up titles."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _tidied(value) for key, value in node.items() if not _is_noise(key, value)}
    choices = [item for item in kept.get("anyOf", []) if item != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        return {**choices[0], **kept}
    return kept


def _is_noise(key: str, value: object) -> bool:
    return (key == "default" and value is None) or (key == "title" and isinstance(value, str))


if __name__ == "__main__":
    print(schema_text(), end="")  # noqa: T201
