"""Describe the API: the framework's own description, with the names and the words that people know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from monitor.web.api.shapes import ProblemJson

_PROBLEM_TYPE = "application/problem+json"
_REF = "#/components/schemas/"
_SUFFIX = "Json"


def describe(description: dict[str, Any]) -> dict[str, Any]:
    """The description with the shape of every problem, and with the names of shapes as people know them."""
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    problem = TypeAdapter(ProblemJson).json_schema(ref_template=_REF + "{model}")
    schemas |= problem.pop("$defs") | {"ProblemJson": problem}
    for operations in description["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                if _PROBLEM_TYPE in answer.get("content", {}):
                    answer["content"][_PROBLEM_TYPE] = {"schema": {"$ref": _REF + "ProblemJson"}}
    description["paths"] = _plain(description["paths"], schemas)
    description["components"]["schemas"] = {
        name.removesuffix(_SUFFIX): {**_plain(shape, schemas), "description": _stopless(shape)}
        for name, shape in sorted(schemas.items())
        if "enum" not in shape and not _is_page(name)
    }
    return description


def _is_page(name: str) -> bool:
    return "PageJson" in name


def _stopless(shape: Mapping[str, Any]) -> str:
    return str(shape.get("description") or "").removesuffix(".")


def _plain(value: Any, schemas: Mapping[str, Any]) -> Any:
    """The value with lists of words and pages in place, without the titles that repeat a key's name."""
    if isinstance(value, list):
        return [_plain(one, schemas) for one in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref") or "").removeprefix(_REF)
    more = {key: _plain(one, schemas) for key, one in value.items() if not _is_title(key, one)}
    if name and "enum" in schemas[name]:
        more.pop("$ref")
        return {"type": "string", "enum": schemas[name]["enum"], **more}
    if name and _is_page(name):
        return _plain({key: one for key, one in schemas[name].items() if key != "description"}, schemas)
    return {**more, **({"$ref": _REF + name.removesuffix(_SUFFIX)} if name else {})}


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)
