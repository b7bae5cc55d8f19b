"""Checks of a client's JSON against what the live service accepts, with its words for what it refuses.

A check takes a value and its path and gives the complaint, or None. Nothing is changed or stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.sandbox.common.refusals import Complaint

LONGEST_SHOWN = 200  # characters of a client's own value in a complaint
Check = Callable[[Any, str], Complaint | None]

_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def missing(path: str) -> Complaint:
    """A required parameter that is not there."""
    return Complaint("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def unknown(path: str) -> Complaint:
    """A parameter this dialect does not have."""
    shown = path[:LONGEST_SHOWN]
    return Complaint("unknown_parameter", f"Unknown parameter: '{shown}'.", shown)


def unsupported(value: object, path: str, right: tuple[str, ...]) -> Complaint:
    """A value outside a closed list."""
    names = [f"'{name}'" for name in right]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, and {names[-1]}"
    shown = str(value)[:LONGEST_SHOWN]
    return Complaint("invalid_value", f"Invalid value: '{shown}'. Supported values are: {listed}.", path)


def wrong_type(value: object, path: str, expected: str) -> Complaint:
    """A value of another JSON type."""
    got = _KINDS.get(type(value), "something else")
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return Complaint("invalid_type", message, path)


def anything(value: Any, path: str) -> Complaint | None:  # noqa: ARG001
    """Accepts every value."""
    return None


def text(value: Any, path: str) -> Complaint | None:
    """A string."""
    return None if isinstance(value, str) else wrong_type(value, path, "a string")


def short_text(longest: int) -> Check:
    """A string of so many characters at most."""

    def check(value: Any, path: str) -> Complaint | None:
        if not isinstance(value, str):
            return wrong_type(value, path, "a string")
        if len(value) <= longest:
            return None
        message = (
            f"Invalid '{path}': string too long. Expected a string with maximum length {longest},"
            f" but got a string with length {len(value)} instead."
        )
        return Complaint("string_above_max_length", message, path)

    return check


def flag(value: Any, path: str) -> Complaint | None:
    """A boolean."""
    return None if isinstance(value, bool) else wrong_type(value, path, "a boolean")


def or_null(check: Check) -> Check:
    """*check*, or null."""
    return lambda value, path: None if value is None else check(value, path)


def choice(*right: str) -> Check:
    """One of a closed list of strings."""

    def check(value: Any, path: str) -> Complaint | None:
        if not isinstance(value, str):
            return wrong_type(value, path, "a string")
        return None if value in right else unsupported(value, path, right)

    return check


def integer(low: int, high: int) -> Check:
    """An integer between two bounds, both included."""
    return _bounded("integer", "an integer", low, high, (int,))


def number(low: float, high: float) -> Check:
    """A number between two bounds, both included."""
    return _bounded("decimal", "a decimal", low, high, (int, float))


def _bounded(kind: str, article: str, low: float, high: float, types: tuple[type, ...]) -> Check:
    def check(value: Any, path: str) -> Complaint | None:
        if type(value) not in types:
            return wrong_type(value, path, article)
        if value < low:
            return _outside(kind, "below minimum", f">= {low}", value, path)
        return _outside(kind, "above maximum", f"<= {high}", value, path) if value > high else None

    return check


def _outside(kind: str, where: str, bound: str, value: object, path: str) -> Complaint:
    message = f"Invalid '{path}': {kind} {where} value. Expected a value {bound}, but got {value} instead."
    return Complaint(f"{kind}_{where.split(maxsplit=1)[0]}_{where.split()[1][:3]}_value", message, path)


def listing(check: Check) -> Check:
    """An array whose members all satisfy *check*."""

    def members(value: Any, path: str) -> Complaint | None:
        if not isinstance(value, list):
            return wrong_type(value, path, "an array")
        found = (check(member, f"{path}[{index}]") for index, member in enumerate(value))
        return next((complaint for complaint in found if complaint), None)

    return members


def table(checks: Mapping[str, Check], *required: str) -> Check:
    """An object with these members and no others; *required* ones must be there."""

    def members(value: Any, path: str) -> Complaint | None:
        if not isinstance(value, dict):
            return wrong_type(value, path, "an object")
        prefix = f"{path}." if path else ""
        for name in value:
            if name not in checks:
                return unknown(prefix + name)
        for name in required:
            if name not in value:
                return missing(prefix + name)
        found = (checks[name](member, prefix + name) for name, member in value.items())
        return next((complaint for complaint in found if complaint), None)

    return members


def by_type(kinds: Mapping[str, Check], *, required: bool = True) -> Check:
    """An object whose `type` says which check it must satisfy; without one the first of *kinds*."""

    def members(value: Any, path: str) -> Complaint | None:
        if not isinstance(value, dict):
            return wrong_type(value, path, "an object")
        if "type" not in value:
            return missing(f"{path}.type") if required else next(iter(kinds.values()))(value, path)
        kind = value["type"]
        if not isinstance(kind, str) or kind not in kinds:
            return unsupported(kind, f"{path}.type", tuple(kinds))
        return kinds[kind](value, path)

    return members
