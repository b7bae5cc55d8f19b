"""Outcome lines into the store: each line's fate by its number, and nothing lost by a bad one."""

from __future__ import annotations

import io
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.outcome_json import outcome_to_line
from monitor.pipeline import import_outcomes
from monitor.pipeline.derive import DerivationSettings, judge_what_was_left
from monitor.pipeline.import_outcomes import ImportResult, import_lines
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import read_windows
from monitor.store.outcomes.read import read_evidence, stream_outcomes
from tests.support.stored_outcomes import any_example, make


def line(number: int, **changes: object) -> bytes:
    """The line of a run, some keys of it changed."""
    return orjson.dumps({**outcome_to_line(make(number)), **changes})


def taken(database: Database, lines: Iterable[bytes]) -> tuple[ImportResult, list[str]]:
    """What taking in these lines gives, and what was refused."""
    refusals: list[str] = []
    done = import_lines(io.BytesIO(b"\n".join(lines)), database, refusals.append)
    return done, refusals


def test_good_lines_are_stored_with_their_evidence(database: Database) -> None:
    """Every line is an outcome afterwards, equal to what the line said."""
    done, refusals = taken(database, [line(0), line(1, evidence={"frames": [1]})])
    assert (done, refusals) == (ImportResult(added=2), [])
    with database.read() as tx:
        assert list(stream_outcomes(tx)) == [make(0), make(1)]
        assert read_evidence(tx, make(1).id) == {"frames": [1]}


def test_the_same_lines_again_are_known(sqlite_database: Database) -> None:
    """Taking in is idempotent by id."""
    lines = [line(number) for number in range(5)]
    taken(sqlite_database, lines)
    assert taken(sqlite_database, lines)[0] == ImportResult(known=5)


def test_bad_lines_are_refused_by_number_and_the_rest_is_stored(sqlite_database: Database) -> None:
    """JSON that is none, no object, a missing key, a time without an offset: each says its line."""
    lines = [
        line(0),
        b"{nonsense",
        b"[]",
        b"",
        line(1, verdict=None),
        line(2, started_at="2025-11-17T08:30:00"),
        line(3, finished_at="2025-11-16T00:00:00Z"),
        line(4, verdict="excellent"),
        b"\xff\xfe",
        line(5),
    ]
    done, refusals = taken(sqlite_database, lines)
    assert done == ImportResult(added=2, refused=7)
    assert refusals[0].startswith("line 2: is no JSON: ")
    assert refusals[1:6] == [
        "line 3: a JSON object is expected",
        "line 5: verdict: is missing",
        "line 6: started_at: '2025-11-17T08:30:00' has no offset: append Z, or one such as +01:00",
        "line 7: finished_at: lies before started_at",
        "line 8: verdict: 'excellent' is none of passed, degraded, failed, inconclusive",
    ]
    assert refusals[6].startswith("line 9: is no JSON: ")


def test_a_byte_order_mark_and_line_ends_of_windows_are_passed_over(sqlite_database: Database) -> None:
    """A file that an editor on Windows saved reads like any other; elsewhere the mark is no JSON."""
    mark = b"\xef\xbb\xbf"
    done, refusals = taken(sqlite_database, [mark + line(0) + b"\r", line(1) + b"\r", mark + line(2)])
    assert done == ImportResult(added=2, refused=1)
    assert [refusal[:8] for refusal in refusals] == ["line 3: "]


def test_a_taken_id_or_slot_is_refused_by_line(sqlite_database: Database) -> None:
    """Other content under a stored id, and a second scheduled run of a slot, name what they collide with."""
    done, refusals = taken(sqlite_database, [line(0), line(0, wer=0.5), line(0, id="other")])
    assert done == ImportResult(added=1, refused=2)
    slot = "slot 2025-11-17T00:00:00Z of this target and location"
    assert refusals == [
        "line 2: id 'run-000000' is stored already with other content",
        f"line 3: {slot} is taken by the scheduled run 'run-000000'",
    ]


def test_numbers_go_on_over_several_commits(sqlite_database: Database) -> None:
    """A refusal far down the file names its own line, whichever batch it is in."""
    size = import_outcomes.LINES_PER_COMMIT
    lines = [*(line(number) for number in range(size)), b"nonsense", line(size)]
    done, refusals = taken(sqlite_database, lines)
    assert done == ImportResult(added=size + 1, refused=1)
    assert refusals[0].startswith(f"line {size + 1}: ")


def test_a_line_without_end_is_refused_without_being_held(sqlite_database: Database) -> None:
    """A line longer than the bound is passed over, the one after it is stored."""
    endless = b'{"x": "' + b"a" * import_outcomes.LONGEST_LINE + b'"}'
    done, refusals = taken(sqlite_database, [endless, line(0)])
    assert done == ImportResult(added=1, refused=1)
    assert refusals == ["line 1: longer than 16 MiB"]


def test_nothing_is_nothing(sqlite_database: Database) -> None:
    """An empty file adds nothing and refuses nothing."""
    assert taken(sqlite_database, []) == (ImportResult(), [])


@any_example
@given(lines=st.lists(st.binary(max_size=80) | st.sampled_from([line(0), line(1), b'{"schema": 1}'])))
def test_no_line_breaks_the_intake(sqlite_database: Database, lines: list[bytes]) -> None:
    """Whatever stands in a file, every line is stored, known, refused or empty, and nothing raises."""
    text = b"\n".join(lines)
    refusals: list[str] = []
    done = import_lines(io.BytesIO(text), sqlite_database, refusals.append)
    filled = sum(1 for one in text.split(b"\n") if one.strip())
    assert done.added + done.known + done.refused == filled
    assert len(refusals) == done.refused


class CutShort(io.BytesIO):
    """A file during whose reading the process is killed, once that many lines were read."""

    def __init__(self, lines: Iterable[bytes], after: int) -> None:
        super().__init__(b"\n".join(lines))
        self.left = after

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, or the end of the process."""
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().readline(size)


@pytest.mark.parametrize("after", [5, 9, 12])
def test_what_a_killed_import_stored_is_judged_by_the_next_start(
    sqlite_database: Database, after: int
) -> None:
    """Wherever it was killed, no stored outcome stays without the windows that follow from it."""
    lines = [line(number, verdict="failed", failure="server") for number in range(12)]
    with pytest.raises(KeyboardInterrupt):
        import_lines(CutShort(lines, after), sqlite_database, lambda _refusal: None, per_commit=4)
    assert judge_what_was_left(sqlite_database, DerivationSettings())
    with sqlite_database.read() as tx:
        stored = list(stream_outcomes(tx))
        assert len(stored) == after // 4 * 4
        assert [window.failed for window in read_windows(tx)] == [len(stored)]
    assert not judge_what_was_left(sqlite_database, DerivationSettings())
