"""The page at /docs: the OpenAPI description as plain HTML, without scripts from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """One parameter of an operation."""

    name: str
    place: str
    kind: str
    text: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """One operation: method, path, what it is for."""

    method: str
    path: str
    summary: str
    text: str
    parameters: Sequence[ParameterRow]
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsPage:
    """The whole description."""

    title: str
    text: str
    operations: Sequence[OperationRow]


def docs_page(description: Mapping[str, Any]) -> DocsPage:
    """The page of an OpenAPI description."""
    return DocsPage(
        title="API",
        text=str(description["info"].get("description") or ""),
        operations=tuple(
            _operation(method, path, operations[method])
            for path, operations in description["paths"].items()
            for method in _METHODS
            if method in operations
        ),
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> OperationRow:
    return OperationRow(
        method=method.upper(),
        path=path,
        summary=str(operation.get("summary") or ""),
        text=str(operation.get("description") or ""),
        parameters=tuple(_parameter(one) for one in operation.get("parameters") or ()),
        answers=tuple(
            (code, str(one.get("description") or "")) for code, one in operation["responses"].items()
        ),
    )


def _parameter(parameter: Mapping[str, Any]) -> ParameterRow:
    schema = parameter.get("schema") or {}
    kinds = [schema, *schema.get("anyOf", ())]
    kind = next((str(one["type"]) for one in kinds if one.get("type") not in {None, "null"}), "")
    return ParameterRow(
        name=str(parameter["name"]),
        place=str(parameter["in"]),
        kind=kind,
        text=str(parameter.get("description") or ""),
        required=bool(parameter.get("required")),
    )
