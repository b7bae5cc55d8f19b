"""One table of the file against its form, with every fault told in our own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.config.file_model import Table
from monitor.config.problems import KeyPath, Problems, kind_of, nearest

T = TypeVar("T", bound=Table)
_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A table as far as it could be read: wrong keys are left out of `table` and named in `wrong`."""

    table: T
    wrong: frozenset[str]


def read_table(form: type[T], raw: object, path: KeyPath, problems: Problems) -> Read[T] | None:
    """The table, with every fault recorded; None where too little is left of it.

    Keys that are wrong but optional are left out, so that what the others mean together is still
    checked and told at once.
    """
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be a table, not {kind_of(raw)}")
        return None
    try:
        return Read(form.model_validate(dict(raw)), frozenset())
    except ValidationError as error:
        faults = error.errors(include_url=False)
    for fault in faults:
        problems.add((*path, *fault["loc"]), _sentence(form, fault))
    wrong = frozenset(str(fault["loc"][0]) for fault in faults)
    try:
        return Read(form.model_validate({key: raw[key] for key in raw if key not in wrong}), wrong)
    except ValidationError:
        return None


def _sentence(form: type[Table], fault: ErrorDetails) -> str:
    kind, context, value = fault["type"], fault.get("ctx", {}), fault["input"]
    key = str(fault["loc"][0])
    if kind == "extra_forbidden":
        return f"unknown key, {nearest(key, list(form.model_fields))}"
    if kind == "missing":
        return f"is missing, write such as {key} = {_example(form.model_fields[key])}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {kind_of(value)}"
    return _bounds(kind, context, value)


def _bounds(kind: str, context: Mapping[str, Any], value: object) -> str:
    match kind:
        case "greater_than_equal":
            return f"must be at least {context['ge']:.10g}, got {value}"
        case "less_than_equal":
            return f"must be at most {context['le']:.10g}, got {value}"
        case "too_short":
            return "must name at least one"
        case _:
            return "is not of the form that is expected here"


def _example(field: FieldInfo) -> str:
    return json.dumps((field.examples or ["…"])[0], ensure_ascii=False)
