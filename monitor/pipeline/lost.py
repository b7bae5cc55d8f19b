"""Slots lost with the process before this one: put on record at the start, like every slot without a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.core.model import Cell, Target
from monitor.core.sampling import Attention, Slots, Watching, interval, slots_between
from monitor.store.engine import Database
from monitor.store.heartbeats import KILLED, PAUSE, accounted_slots, add_skips, last_beat

DOWN = "down: the process did not run"
LOOK_BACK = timedelta(hours=1)  # of a target without a slot in it nothing is said
LATEST_START = timedelta(seconds=15)  # after its slot
LATEST_BEAT = timedelta(seconds=2)  # a process that lives says so at least this often


def account(
    database: Database,
    targets: Iterable[Target],
    watched: Iterable[Watching],
    *,
    location: str,
    now: datetime,
) -> int:
    """Record the slots around the last sign of life that have neither outcome nor reason; their number.

    A slot that came due before the end may have been run and paid for; one after it was not. After a pause
    in which the heartbeats themselves show that nothing ran, only the former are recorded. *watched* tells
    which targets had closer slots.
    """
    attention = {one.cell: one.attention for one in watched}
    with database.write() as tx:
        ended = last_beat(tx, location=location)
        if ended is None or ended > now:
            return 0
        until = now if now - ended <= PAUSE else ended + LATEST_BEAT
        lost: list[tuple[Cell, Slots, str]] = []
        known = accounted_slots(tx, location, ended - LOOK_BACK)
        for target in targets:
            cell = Cell(target.endpoint.name, target.model, target.pathway, location)
            had = known.get(cell)
            if had:  # else it was not watched lately
                every = interval(target, attention.get(cell, Attention.CALM))
                begun = max(min(had), ended - target.timeout - LATEST_START)
                due = slots_between(target.key, every, begun, until)
                lost += (
                    (cell, Slots(first=slot), KILLED if slot <= ended + LATEST_BEAT else DOWN)
                    for slot in due
                    if slot not in had
                )
        add_skips(tx, lost)
    return len(lost)
