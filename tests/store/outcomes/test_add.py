from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from monitor.core.model import Kind, Outcome, Verdict
from monitor.store.database.engine import Database
from monitor.store.database.tables import contexts, outcomes, transcripts
from monitor.store.derivation.history import StoreHistory
from monitor.store.outcomes.add import Added, add_outcomes
from monitor.store.outcomes.pack import pack_evidence
from monitor.store.outcomes.read import read_evidence, read_outcome, stream_outcomes
from tests.support.stored_outcomes import DAY, MINUTE, any_example, make, rolled_back
from tests.support.stored_outcomes import outcomes as any_outcomes

HOSTILE = "=cmd()|' \u202e \x00 <script> \ud800 🎙"


def added(database: Database, *runs: Outcome) -> list[str]:
    """Add runs in one transaction; what became of each."""
    with database.write() as tx:
        return [result.added.value for result in add_outcomes(tx, [(run, None) for run in runs])]


def test_what_is_stored_is_read_back(database: Database) -> None:
    """Every field of an outcome survives, whatever it holds, and unknown keys too."""
    failed = make(
        2,
        Verdict.FAILED,
        http_status=500,
        close_code=1011,
        code="quota",
        extra={"team": "speech", "big": 2**80, "deep": [{"x": None}]},
    )
    bare = replace(make(3), provider=None, region=None, every_s=None, clip=None, configuration=None, wer=None,
                   completeness=None, transcript="", timings_ms={}, ids={})  # fmt: skip
    assert added(database, make(1), failed, bare) == ["added"] * 3
    with database.read() as tx:
        assert [read_outcome(tx, run.id) for run in (make(1), failed, bare)] == [make(1), failed, bare]


@given(runs=any_outcomes())
@any_example
def test_any_outcome_is_read_back(database: Database, runs: list[Outcome]) -> None:
    """Whatever arrives in whatever order is streamed back whole, by start, then id."""
    with rolled_back(database) as tx:
        add_outcomes(tx, [(run, None) for run in runs])
        expected = sorted(runs, key=lambda run: (run.started_at, run.id))
        assert list(stream_outcomes(tx)) == expected


def test_hostile_text_is_stored_as_text(database: Database) -> None:
    """Markup and marks of direction are kept; NUL and half characters, which no database takes, are not."""
    added(database, make(1, Verdict.FAILED, message=HOSTILE, transcript=HOSTILE))
    with database.read() as tx:
        stored = read_outcome(tx, "run-000001")
    assert stored.message == stored.transcript == "=cmd()|' \u202e \ufffd <script> ? 🎙"


def test_the_same_outcome_again_changes_nothing(database: Database) -> None:
    """The same id with the same content is a duplicate, in the same batch and in a later one."""
    assert added(database, make(1), make(2, Verdict.FAILED), make(1)) == ["added", "added", "duplicate"]
    assert added(database, make(2, Verdict.FAILED), make(3), make(1)) == ["duplicate", "added", "duplicate"]
    with database.read() as tx:
        assert StoreHistory(tx).count(make(1).cell, None, None) == 3


def test_the_same_id_with_other_content_is_refused(database: Database) -> None:
    """A second outcome under a taken id conflicts, whichever field differs, and the first one stays."""
    added(database, make(1))
    others = [
        replace(make(1), verdict=Verdict.DEGRADED),
        replace(make(1), transcript="other words"),
        replace(make(1), timings_ms={"connect": 41, "ready": 180, "first_text": None, "final": 641}),
        replace(make(1), location="oslo"),
        replace(make(1), finished_at=make(1).finished_at + timedelta(milliseconds=1)),
        replace(make(1), extra={"note": "x"}),
    ]
    with database.write() as tx:
        results = add_outcomes(tx, [(other, None) for other in others])
    assert {result.added for result in results} == {Added.CONFLICT}
    assert {result.reason for result in results} == {"id 'run-000001' is stored already with other content"}
    with database.read() as tx:
        assert list(stream_outcomes(tx)) == [make(1)]


def test_a_refusal_is_one_line_whatever_the_id(database: Database) -> None:
    """An id with line ends is stored as it is; the sentence that refuses its double stays one line."""
    first = replace(make(1), id="one\nline 9: two\u2028three")
    assert added(database, first) == ["added"]
    same_id, same_slot = replace(first, transcript="other words"), replace(first, id="other")
    with database.write() as tx:
        results = add_outcomes(tx, [(same_id, None), (same_slot, None)])
    assert [(result.reason or "").splitlines()[1:] for result in results] == [[], []]
    with database.read() as tx:
        assert list(stream_outcomes(tx)) == [first]


def test_a_slot_is_run_once(database: Database) -> None:
    """A slot of a cell belongs to one scheduled run, in one batch or in two; other kinds may share it."""
    first, second = make(1), replace(make(1), id="other")
    confirming = replace(make(1), id="third", kind=Kind.CONFIRMING)
    elsewhere = replace(make(1), id="fourth", location="oslo")
    assert added(database, first, second, confirming, elsewhere) == ["added", "conflict", "added", "added"]
    with database.write() as tx:
        (result,) = add_outcomes(tx, [(second, None)])
    assert result.reason == (
        "slot 2025-11-17T00:01:00Z of this target and location is taken by the scheduled run 'run-000001'"
    )


def test_evidence_is_kept_apart_and_whole(database: Database) -> None:
    """The frames of a run come back as they were, packed beforehand or not; other runs have none."""
    frames = {"schema": "earwitness.evidence/1", "frames": [{"n": 1, "body": HOSTILE}]}
    packed = pack_evidence({"frames": []})
    with database.write() as tx:
        add_outcomes(tx, [(make(1), frames), (make(2), packed), (make(3), None), (make(1), {"late": 1})])
    with database.read() as tx:
        assert [read_evidence(tx, f"run-00000{n}") for n in (1, 2, 3, 4)] == [
            frames,
            {"frames": []},
            None,
            None,
        ]


def test_what_many_runs_share_is_stored_once(database: Database) -> None:
    """Provider, clip, configuration and the words of a pass take one row for all runs that share them."""
    added(database, *(make(number) for number in range(50)))
    added(database, *(make(number) for number in range(50, 100)))
    with database.read() as tx:
        sizes = [
            tx.execute(select(func.count()).select_from(table)).scalar() for table in (contexts, transcripts)
        ]
    assert sizes == [1, 1]


def test_a_late_run_moves_the_numbers_of_its_tail(database: Database) -> None:
    """A run that arrives an hour late gets its number, and every later run the next one."""
    added(database, *(make(number) for number in range(120) if number != 60))
    added(database, make(60, Verdict.FAILED))
    with database.read() as tx:
        numbers = tx.execute(select(outcomes.c.number).order_by(outcomes.c.started_at)).scalars().all()
        history = StoreHistory(tx)
        cell = make(1).cell
        assert numbers == list(range(1, 121))
        assert [run.number for run in history.not_passed(cell, None, None)] == [1, 61]
        assert history.start_of(cell, 61) == make(60).started_at


def test_a_late_run_ends_a_silence(database: Database) -> None:
    """What looked like a gap is none once the missing runs have arrived."""
    added(database, *(make(number) for number in (0, 1, 8, 9)))
    with database.read() as tx:
        silent = StoreHistory(tx).not_passed(make(0).cell, None, None)
    assert [(run.number, run.gap_since) for run in silent] == [(1, None), (3, make(1).started_at)]
    added(database, *(make(number) for number in range(7, 1, -1)))
    with database.read() as tx:
        assert [run.number for run in StoreHistory(tx).not_passed(make(0).cell, None, None)] == [1]


OF_ONE_CELL = "SELECT uid FROM outcomes WHERE cell_id = 1 AND notable = 1 AND started_at >= 5"
OF_ALL = """SELECT uid FROM outcomes WHERE cell_id IN (SELECT id FROM cells) AND notable = 1
    AND started_at >= 5 ORDER BY cell_id, started_at, uid"""
NEWEST = """SELECT started_at, number FROM outcomes WHERE cell_id = 1 AND started_at <= 5
    ORDER BY started_at DESC, number DESC LIMIT 1"""


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (OF_ONE_CELL, "INDEX ix_outcomes_notable (cell_id=? AND started_at>?)"),
        (OF_ALL, "INDEX ix_outcomes_notable (cell_id=? AND started_at>?)"),
        (NEWEST, "COVERING INDEX ix_outcomes_cell_id_started_at_number (cell_id=? AND started_at<?)"),
    ],
)
def test_indexes_alone_answer_the_verdict(sqlite_database: Database, question: str, index: str) -> None:
    """What did not pass is sought in its own index, counts and starts in one alone; nothing is sorted."""
    with sqlite_database.read() as tx:
        plan = " ".join(str(row[3]) for row in tx.execute(text(f"EXPLAIN QUERY PLAN {question}")))
    assert f"USING {index}" in plan
    assert "TEMP B-TREE" not in plan


def test_starts_are_found_in_a_long_history(database: Database) -> None:
    """The run of any number is found, however unevenly the runs lie."""
    minutes = [*range(300), *range(5000, 5400), 9000, *range(20_000, 20_300)]
    added(database, *(make(minute) for minute in minutes))
    with database.read() as tx:
        history = StoreHistory(tx)
        found = [history.start_of(make(0).cell, number) for number in range(1, len(minutes) + 1)]
    assert found == [DAY + minute * MINUTE + timedelta(milliseconds=412) for minute in minutes]


@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4))
@any_example
def test_rollups_count_what_is_stored(database: Database, sizes: list[int]) -> None:
    """The table of hours counts each outcome once, however the batches are cut."""
    runs = [make(number, list(Verdict)[number % 4]) for number in range(sum(sizes))]
    with rolled_back(database) as tx:
        start = 0
        for size in sizes:
            add_outcomes(tx, [(run, None) for run in runs[start : start + size]])
            start += size
        row = tx.execute(text("SELECT passed, degraded, failed, inconclusive FROM daily")).one()
        assert list(row) == [sum(run.verdict is verdict for run in runs) for verdict in Verdict]
