"""Outcomes as a table: every run a row, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reports.csv import COLUMNS, neutralised, render
from tests.support.sample_bundle_facts import failed, runs
from tests.support.sample_incident import START


def table(**parts: Any) -> dict[str, str]:
    """The one row of an export of one failed run."""
    text = b"".join(render([failed("first", START, **parts)])).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def test_every_run_is_a_row_under_the_same_columns() -> None:
    """The header is fixed, whatever the runs hold."""
    rows = list(csv.reader(io.StringIO(b"".join(render(runs(400))).decode())))
    assert rows[0] == list(COLUMNS)
    assert len(rows) == 1 + 3 * 400
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_times_ids_and_timings_have_their_own_columns() -> None:
    """A spreadsheet can sort by what matters."""
    row = table(timings_ms={"connect": 41, "final": None}, ids={"session_id": "sess_1", "other": "x"})
    assert (row["started_at"], row["verdict"], row["failure"]) == ("2025-11-17T08:30:10Z", "failed", "server")
    assert (row["connect_ms"], row["final_ms"], row["session_id"]) == ("41", "", "sess_1")
    assert row["extra"] == '{"other": "x"}'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1"])
def test_a_formula_becomes_text(text: str) -> None:
    """A leading sign that a spreadsheet would run is put behind an apostrophe."""
    assert neutralised(text) == f"'{text}"
    assert table(message=text)["message"] == f"'{text}"


def test_numbers_stay_numbers() -> None:
    """Only text is neutralised; a negative number is no formula."""
    assert neutralised(-1.5) == -1.5
    assert neutralised(None) is None
    assert table(http_status=503)["http_status"] == "503"


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    """Whatever the provider says, and it stays one cell of one row."""
    shown = table(message=text)["message"]
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_an_empty_export_has_its_header() -> None:
    """No rows is still a table."""
    assert b"".join(render([])).decode().strip() == ",".join(COLUMNS)
