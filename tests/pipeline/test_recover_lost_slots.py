"""Slots around the end of a process: each is on record, and what may have been paid for counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.core.scheduling.attention import Attention, Slots, Watching
from monitor.core.scheduling.slots import slot_at, slots_between
from monitor.pipeline.recover import DOWN, account, resume
from monitor.store.database.engine import Database
from monitor.store.heartbeats import KILLED, PAUSE, add_skips, beat, read_accounted_slots
from monitor.store.outcomes.add import add_outcomes
from tests.support.scripted_transport import target
from tests.support.skipped_slots import read_skipped_slots
from tests.support.stored_outcomes import DAY, MINUTE, make

TARGET = target()
CELL = make(0).cell
FIRST = slot_at(TARGET.key, MINUTE, DAY + timedelta(hours=1))
SECOND = timedelta(seconds=1)


def lived(database: Database, until: datetime, *slots: datetime) -> None:
    """A process ran these slots, and gave its last sign of life at *until*."""
    with database.write() as tx:
        add_outcomes(tx, [(make(number, slot=slot), None) for number, slot in enumerate(slots)])
        beat(tx, until, timedelta(0), location="berlin")


def started(database: Database, now: datetime, *, attention: Attention = Attention.CALM) -> int:
    """What the next process puts on record."""
    watched = [Watching(cell=CELL, attention=attention)]
    return account(database, [TARGET], watched, location="berlin", now=now)


def skipped(database: Database) -> list[tuple[datetime, str]]:
    """Every recorded skip."""
    with database.read() as tx:
        rows = read_skipped_slots(tx, DAY, DAY + timedelta(days=1))
    return [(slot, why) for _, slots, why in rows for slot in slots]


def test_the_run_under_way_and_the_slots_until_the_start_are_on_record(database: Database) -> None:
    """Due slots are outcomes and skips, across a kill; the same start again adds nothing."""
    lived(database, FIRST + MINUTE + SECOND, FIRST)  # the second slot's run never ended
    now = FIRST + 3 * MINUTE + 30 * SECOND
    assert started(database, now) == 3
    assert started(database, now) == 0
    assert skipped(database) == [
        (FIRST + MINUTE, KILLED),
        (FIRST + 2 * MINUTE, DOWN),
        (FIRST + 3 * MINUTE, DOWN),
    ]
    with database.read() as tx:
        had = read_accounted_slots(tx, "berlin", FIRST)[CELL]
    assert had == {FIRST, *slots_between(TARGET.key, MINUTE, FIRST, now)}


def test_what_was_put_on_record_before_stays(database: Database) -> None:
    """A slot that was skipped has its own reason; a long silence is the heartbeats' to tell."""
    lived(database, FIRST + MINUTE + SECOND, FIRST)
    with database.write() as tx:
        add_skips(tx, [(CELL, Slots(first=FIRST + MINUTE), "quota: full")])
    assert started(database, FIRST + MINUTE + SECOND + 2 * PAUSE) == 0
    assert [why for _, why in skipped(database)] == ["quota: full"]


def test_slots_of_an_open_window_are_a_minute_apart(database: Database) -> None:
    """They are counted as they came due, not by the plain interval."""
    slow = replace(target("rest"), every=30 * MINUTE)
    with database.write() as tx:
        first = slot_at(slow.key, slow.every, FIRST)
        add_outcomes(tx, [(make(0, slot=first, pathway="rest"), None)])
        beat(tx, first + 20 * MINUTE, timedelta(0), location="berlin")
    watched = [Watching(cell=make(0, pathway="rest").cell, attention=Attention.OPEN)]
    now = first + 22 * MINUTE + SECOND
    assert account(database, [slow], [], location="berlin", now=now) == 0
    assert account(database, [slow], watched, location="berlin", now=now) == 3


@pytest.mark.parametrize("location", ["berlin", "oslo"])
def test_a_first_start_and_a_new_target_lose_nothing(database: Database, location: str) -> None:
    """Without a sign of life, or without a slot of the target, nothing was due."""
    assert account(database, [TARGET], [], location=location, now=FIRST) == 0
    with database.write() as tx:
        beat(tx, FIRST, timedelta(0), location="berlin")
    assert account(database, [TARGET], [], location=location, now=FIRST + MINUTE) == 0


def test_a_killed_run_counts_against_quota_and_budget(database: Database) -> None:
    """Kill upon kill, no start and no money comes back; a slot in which nothing ran costs nothing."""
    lived(database, FIRST + MINUTE + SECOND, FIRST)
    now = FIRST + 2 * MINUTE - SECOND
    started(database, now + 2 * SECOND)
    found = resume(database, [TARGET], {TARGET.key: 0.25}, location="berlin", now=now)
    assert found.spent == {"azure-sweden": pytest.approx(0.5)}
    assert found.starts == [(TARGET.key, FIRST + MINUTE)]
