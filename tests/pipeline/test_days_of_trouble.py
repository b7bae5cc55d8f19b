"""Whole days of trouble, recorded as they arrive, are stored as exactly what was planned."""

from __future__ import annotations

import pytest

from monitor.core.incidents.codec import incident_to_json
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import IncidentKind, Phase
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.incidents.incidents import read_numbered_incidents, read_windows
from tests.support.days_of_trouble import Shape
from tests.support.planned_days import SHAPES

CHOSEN = (
    "spreading",
    "two that overlap",
    "one location blind inside an outage",
    "an outage that is known only an hour later",
    "another configuration at the edge",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_recorded_day_is_stored_as_planned(sqlite_database: Database, name: str) -> None:
    """Portion by portion through the transaction of the service: stored, derived and planned agree."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    house = DerivationSettings(location="berlin")
    for now, runs in shape.batches():
        record(sqlite_database, [Observed(outcome=run, evidence=None) for run in runs], house, now=now)
    record(sqlite_database, [], house, now=shape.now)
    with sqlite_database.read() as tx:
        derived = derive(StoreHistory(tx), house.rule, now=shape.now)
        outages = read_numbered_incidents(tx, kinds=[IncidentKind.OUTAGE])
        stored = [one for one in reversed(outages) if one.phase is not Phase.DISMISSED]
        assert read_windows(tx) == derived.windows
    assert [one.number for one in stored] == list(range(1, len(shape.expected) + 1))
    assert [(one.title, one.start, one.end, one.blame) for one in stored] == [
        (one.title, one.start, one.end, one.blame) for one in derived.incidents
    ]
    check_plan(shape, [incident_to_json(one) for one in stored])


def check_plan(shape: Shape, documents: list[dict[str, object]]) -> None:
    """What is stored of each incident names its planned scope."""
    assert [one["scope"] for one in documents] == [list(map(dict, plan.scope)) for plan in shape.expected]
