"""The page at /docs: the OpenAPI description as plain HTML, without scripts from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from monitor.web.frame.context import WebContext

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
class AnswerRow:
    """One status of an operation, and the name of the shape that it answers with, alone or in a list."""

    code: str
    text: str
    shape: str
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeRow:
    """One shape with its keys."""

    name: str
    text: str
    keys: Sequence[ParameterRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """One operation: method, path, what it is for."""

    method: str
    path: str
    summary: str
    text: str
    parameters: Sequence[ParameterRow]
    answers: Sequence[AnswerRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsPage:
    """The whole description."""

    title: str
    text: str
    operations: Sequence[OperationRow]
    shapes: Sequence[ShapeRow]


def routes(context: WebContext, describe: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """The page; *describe* gives the API's description once all routes are there."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> Response:
        return HTMLResponse(context.render("pages/docs.html", docs_page(describe())))

    return router


def docs_page(description: Mapping[str, Any]) -> DocsPage:
    """The page of an OpenAPI description."""
    shapes: Mapping[str, Any] = (description.get("components") or {}).get("schemas") or {}
    return DocsPage(
        title="API",
        text=str(description["info"].get("description") or ""),
        operations=tuple(
            _operation(method, path, operations[method], shapes)
            for path, operations in description["paths"].items()
            for method in _METHODS
            if method in operations
        ),
        shapes=tuple(
            ShapeRow(name=name, text=str(shape.get("description") or ""), keys=_keys(shape, "answer"))
            for name, shape in sorted(shapes.items())
            if shape.get("properties")
        ),
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], shapes: Mapping[str, Any]
) -> OperationRow:
    return OperationRow(
        method=method.upper(),
        path=path,
        summary=str(operation.get("summary") or ""),
        text=str(operation.get("description") or ""),
        parameters=(
            *(_parameter(one) for one in operation.get("parameters") or ()),
            *_keys(shapes.get(_named(_content(operation.get("requestBody") or {}))) or {}, "body"),
        ),
        answers=tuple(_answer(code, one) for code, one in operation["responses"].items()),
    )


def _parameter(parameter: Mapping[str, Any]) -> ParameterRow:
    return ParameterRow(
        name=str(parameter["name"]),
        place=str(parameter["in"]),
        kind=_kind(parameter.get("schema") or {}).removesuffix(" or null"),  # it is left out instead
        text=str(parameter.get("description") or ""),
        required=bool(parameter.get("required")),
    )


def _keys(shape: Mapping[str, Any], place: str) -> tuple[ParameterRow, ...]:
    """The keys of an object."""
    required = shape.get("required") or ()
    return tuple(
        ParameterRow(name=name, place=place, kind=_kind(key), text=_meaning(key), required=name in required)
        for name, key in (shape.get("properties") or {}).items()
    )


def _answer(code: str, answer: Mapping[str, Any]) -> AnswerRow:
    schema = _content(answer)
    items = ((schema.get("properties") or {}).get("items") or {}).get("items")
    name = _named(items or schema)
    return AnswerRow(
        code=code, text=str(answer.get("description") or ""), shape=name, listed=bool(items and name)
    )


def _content(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body, whatever its media type."""
    found = next(iter((holder.get("content") or {}).values()), None) or {}
    schema: Mapping[str, Any] = found.get("schema") or {}
    return schema


def _named(schema: Mapping[str, Any]) -> str:
    """The name of the shape that a schema refers to; empty for none."""
    return str(schema.get("$ref") or "").rpartition("/")[2]


def _kind(schema: Mapping[str, Any]) -> str:
    """The type in a word: ``string or null``, ``list of Window``."""
    if schema.get("anyOf"):
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}" if schema["items"] else "list"
    return _named(schema) or str(schema.get("format") or schema.get("type") or "")


def _meaning(schema: Mapping[str, Any]) -> str:
    parts: Sequence[Mapping[str, Any]] = (schema, *schema.get("anyOf", ()))
    told = next((str(one["description"]) for one in parts if one.get("description")), "")
    values = next((one["enum"] for one in parts if one.get("enum")), ())
    said = [told, ", ".join(str(value) for value in values)]
    return ": ".join(part for part in said if part)
