from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.exc import StatementError

from monitor.store.database.columns import ceil_ms, from_json, from_ms, to_json, to_ms
from monitor.store.database.engine import Database
from monitor.store.database.tables import marks

NAIVE = datetime(2025, 11, 17)  # noqa: DTZ001 - wrong on purpose
LAST = datetime(9000, 1, 1)  # noqa: DTZ001 - the zone is drawn beside it
instants = st.datetimes(max_value=LAST, timezones=st.just(UTC))


@given(instants)
def test_instants_are_whole_milliseconds(instant: datetime) -> None:
    """An instant is stored as the millisecond that it lies in; its ceiling is the first not before it."""
    stored = from_ms(to_ms(instant))
    assert stored <= instant < stored + timedelta(milliseconds=1)
    assert from_ms(ceil_ms(instant)) - timedelta(milliseconds=1) < instant <= from_ms(ceil_ms(instant))


def test_an_instant_is_the_same_in_every_zone() -> None:
    """Two spellings of one instant are one number, and UTC comes back."""
    berlin = datetime(2025, 11, 17, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert from_ms(to_ms(berlin)) == datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
    assert from_ms(to_ms(berlin)).tzinfo is UTC


def test_naive_instants_are_refused(database: Database) -> None:
    """An instant without an offset reaches no column."""
    with pytest.raises(ValueError, match="has no offset: only aware instants are stored"):
        to_ms(NAIVE)
    naive = insert(marks).values(at=NAIVE, text="x", author="x")
    with database.write() as tx, pytest.raises(StatementError, match="has no offset"):
        tx.execute(naive)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_any_document_comes_back(document: object) -> None:
    """Whatever JSON can say is read back as it was, integers of any size and odd text included."""
    assert from_json(to_json(document)) == document


def test_half_characters_do_not_break_a_document() -> None:
    """A lone surrogate, which UTF-8 cannot hold, survives in ASCII."""
    assert from_json(to_json(["\ud800"])) == ["\ud800"]
