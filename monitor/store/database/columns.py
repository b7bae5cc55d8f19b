"""Column types and the conversions behind them: instants as whole milliseconds, documents as JSON text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Integer, Label, Text, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EVER, NEVER = -(2**62), 2**62  # ms: before and after any instant
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970 in UTC, parts of one dropped; ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset: only aware instants are stored")
    return (instant - _EPOCH) // _MILLISECOND


def ceil_ms(instant: datetime) -> int:
    """The first whole millisecond at or after the instant."""
    return -((_EPOCH - instant) // _MILLISECOND)


def from_ms(milliseconds: int) -> datetime:
    """The aware instant in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_json(value: Any) -> str:
    """Compact JSON; what orjson refuses (integers beyond 64 bits, lone surrogates) is written in ASCII."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"), default=str)


def from_json(text: str) -> Any:
    """The value that `to_json` wrote."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


class Instant(TypeDecorator[datetime]):
    """An aware instant as milliseconds since 1970: the same on every database, and cheap to compare."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Milliseconds; ValueError for a naive instant."""
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """The instant in UTC."""
        return None if value is None else from_ms(value)


class JsonText(TypeDecorator[Any]):
    """A JSON document as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """The document's text."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """The document."""
        return None if value is None else from_json(value)


# An id of SQLite counts by itself only when its column is exactly INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")
# Runs are ordered by id as Python and SQLite order strings; Postgres would follow the database's language.
Ordered = Text().with_variant(Text(collation="C"), "postgresql")


def raw(column: ColumnElement[datetime]) -> Label[int]:
    """The column's milliseconds as they are: hot paths compare and subtract them without making instants."""
    return type_coerce(column, BigInteger).label(column.key)
