"""A dossier read from stored rows: the right runs are chosen, and the counts are those of the rows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from monitor.core.alerting.wording import Latest
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.errors import NotFound
from monitor.core.evidence.bundle_facts import BundleFacts, Role
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Diagnosis, Phase, StoredIncident
from monitor.core.incidents.reconcile import diagnosis_of
from monitor.core.model import Cell, Outcome, Verdict
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.reports.bundle import render
from monitor.reports.ticket.summary import render_ticket
from monitor.store.database.engine import Database
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.self_observations import add_self_observations
from monitor.store.incidents.evidence import read_background, read_dossier, read_latest
from monitor.store.incidents.incidents import save_incident
from monitor.store.outcomes.add import add_outcomes
from tests.support.sample_bundle_facts import RECORDING, evidence, target
from tests.support.sample_incident import FAILING, REST, WHISPER
from tests.support.stored_outcomes import DAY, MINUTE, make

NOW = DAY + timedelta(hours=2)
BAD = range(30, 60)


def runs(cell: Cell, minutes: range, **changes: Any) -> Iterator[Outcome]:
    """One run a minute of a cell; the failing one is bad in its minutes, and once in other words."""
    for minute in minutes:
        bad = cell == FAILING and minute in BAD
        verdict = Verdict.FAILED if bad else Verdict.PASSED
        run = make(minute, verdict, id=f"{cell.pathway}-{cell.model}-{minute:03}", **changes)
        run = replace(run, endpoint=cell.endpoint, model=cell.model, pathway=cell.pathway)
        yield replace(run, message="quite another sentence") if bad and minute == 40 else run


def fill(tx: Connection, minutes: range = range(120), **changes: Any) -> None:
    """The three cells of the reference outage, an outage of half an hour among two hours."""
    for cell in (FAILING, REST, WHISPER):
        kept = [(run, evidence(run.id) if cell != REST else None) for run in runs(cell, minutes, **changes)]
        add_outcomes(tx, kept)


def save(
    tx: Connection, phase: Phase = Phase.RESOLVED, now: datetime = NOW, **changes: Any
) -> StoredIncident:
    """The derived incident, stored under number 1."""
    derivation = derive(StoreHistory(tx), Rule(), now=now)
    (found,) = derivation.incidents
    values: dict[str, Any] = {
        "id": "i-1",
        "number": 1,
        "phase": phase,
        "severity": Severity.MAJOR,
        "blame": found.blame,
        "title": found.title,
        "start": found.start,
        "end": found.end,
        "opened_at": found.start + 2 * MINUTE,
        "recovering_at": found.end,
        "resolved_at": found.end,
        "updated_at": now,
        "rule": {},
        "configurations": ["9f2c"],
        "diagnosis": diagnosis_of(found),
    }
    stored = StoredIncident(**{**values, **changes})
    save_incident(tx, stored)
    return stored


def read(tx: Connection, now: datetime = NOW) -> BundleFacts:
    """The dossier of incident 1."""
    targets = {cell.target: target(cell) for cell in (FAILING, REST, WHISPER)}
    return read_dossier(
        tx, 1, targets=targets, recordings={"amiable": RECORDING}, client="earwitness/0.1.0", now=now
    )


def test_the_telling_runs_are_chosen_with_their_evidence(database: Database) -> None:
    """First and last failed, the other signature, the passes around, and the control on the same pathway."""
    with database.write() as tx:
        fill(tx)
        save(tx)
        shown = read(tx).exhibits
    assert [(one.role, one.outcome.id.rpartition("-")[2]) for one in shown] == [
        (Role.FIRST_FAILED, "030"),
        (Role.LAST_FAILED, "059"),
        (Role.SIGNATURE, "040"),
        (Role.LAST_PASSED, "029"),
        (Role.FIRST_PASSED, "060"),
        (Role.CONTROL, "030"),
    ]
    assert shown[-1].outcome.cell == WHISPER
    assert all(one.evidence == evidence(one.outcome.id) for one in shown)


def test_baselines_count_the_rows_around_the_incident(database: Database) -> None:
    """A day, a week and a month before and since, of the configuration of the incident only."""
    with database.write() as tx:
        fill(tx, range(30))
        other = [
            make(minute, slot=DAY - MINUTE * minute, id=f"o{minute}", configuration="old")
            for minute in (3, 2, 1)
        ]
        add_outcomes(tx, [(run, None) for run in other])
        fill(tx, range(30, 120))
        save(tx)
        counted = [(base.period, base.passed, base.total) for base in read(tx).baselines]
    before = [(f"in {span} before", 30, 30) for span in ("24 h", "7 days", "30 days")]
    assert counted == [*before, ("since", 60, 60)]


def test_runs_without_a_named_configuration_are_compared_among_themselves(database: Database) -> None:
    """An import that names none has one configuration, the unnamed."""
    with database.write() as tx:
        fill(tx, configuration=None)
        save(tx, configurations=[])
        assert [base.total for base in read(tx).baselines] == [30, 30, 30, 60]


def test_the_page_reads_the_two_runs_at_the_edge(database: Database) -> None:
    """The first failed run and the last pass before it with their evidence, and the same baselines."""
    with database.write() as tx:
        fill(tx)
        incident = save(tx)
        runs, baselines = read_background(tx, incident, now=NOW)
        assert [base.period for base in baselines] == [base.period for base in read(tx).baselines]
        assert read_background(tx, replace(incident, diagnosis=Diagnosis()), now=NOW) == ({}, ())
    assert {role: one.outcome.id.rpartition("-")[2] for role, one in runs.items()} == {
        Role.FIRST_FAILED: "030",
        Role.LAST_PASSED: "029",
    }
    assert all(one.evidence == evidence(one.outcome.id) for one in runs.values())


def test_the_outcomes_reach_one_interval_beyond_the_window(database: Database) -> None:
    """From one minute before the first bad run to one after the first good one, all three cells."""
    with database.write() as tx:
        fill(tx)
        save(tx)
        found = read(tx)
        starts = [run.started_at for run in found.outcomes()]
        assert list(found.outcomes()) == list(found.outcomes())
    incident = found.incident
    assert incident.end is not None
    assert (starts[0], starts[-1]) == (incident.start - MINUTE, incident.end + MINUTE)
    assert len(starts) == 3 * 33


def test_an_open_incident_has_no_after(database: Database) -> None:
    """Neither a first pass nor a baseline since; the runs go up to the newest."""
    with database.write() as tx:
        fill(tx, range(45))
        save(tx, Phase.OPEN, now=DAY + 45 * MINUTE, recovering_at=None, resolved_at=None)
        found = read(tx, DAY + 45 * MINUTE)
        assert len(list(found.outcomes())) == 3 * 16
    assert Role.FIRST_PASSED not in [one.role for one in found.exhibits]
    assert [base.period for base in found.baselines] == [
        "in 24 h before",
        "in 7 days before",
        "in 30 days before",
    ]
    assert found.coverage == 1.0


def test_a_gap_inside_is_taken_off_the_coverage(database: Database) -> None:
    """Ten of the thirty minutes were not measured."""
    with database.write() as tx:
        fill(tx, range(40))
        fill(tx, range(49, 120))
        save(tx)
        coverage = read(tx).coverage
    assert coverage == pytest.approx(1 - 10 / 30)


def test_a_stretch_in_which_the_monitor_was_unfit_is_taken_off_the_coverage(database: Database) -> None:
    """As on the page: what `replay` calls blind is not covered, though runs were made in it."""
    with database.write() as tx:
        fill(tx, range(120))
        save(tx)
        own = (DAY + 35 * MINUTE, DAY + 41 * MINUTE)
        add_self_observations(
            tx, [SelfObservation("berlin", SelfObservationKind.OWN, "clock", False, *own, "asleep")]
        )
        coverage = read(tx).coverage
    assert coverage == pytest.approx(1 - 6 / 30)


def test_ticket_and_bundle_come_out_of_it(database: Database) -> None:
    """What is stored is enough for everything that support asks for."""
    with database.write() as tx:
        fill(tx)
        save(tx)
        found = read(tx)
        bundle = render(found, ["canary-key-1234"])
    ticket = render_ticket(found)
    assert (
        "Size: 30/30 runs failed, one a minute, coverage 100 %. Start between 00:29:00 and 00:30:00" in ticket
    )
    assert "2 different errors: × 29, × 1" in ticket
    assert "stt-prod rest 30/30; whisper-1 realtime on rt-host 30/30" in ticket
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert len(archive.read("outcomes.jsonl").splitlines()) == 99
        assert json.loads(archive.read("incident.json"))["number"] == 1


def test_a_bundle_asked_for_later_is_the_same_to_the_byte(database: Database) -> None:
    """Where nothing was stored in between, its digest can be quoted: no clock stands in it."""
    with database.write() as tx:
        fill(tx)
        save(tx)
        now, later = (render(read(tx, NOW + timedelta(hours=hours)), []) for hours in (0, 30))
    assert now == later


def test_how_the_cells_stand_now_is_read_for_the_texts(database: Database) -> None:
    """Passes since the end for the affected cell, last pass and health for the controls."""
    with database.write() as tx:
        fill(tx, range(70))
        incident = save(tx, Phase.RECOVERING, now=DAY + 70 * MINUTE)
        add_outcomes(tx, [(replace(make(71, Verdict.FAILED, id="x"), pathway="rest"), None)])
        found = read_latest(tx, incident, DAY + 72 * MINUTE)
    newest = DAY + 69 * MINUTE + timedelta(milliseconds=412)
    assert found[FAILING] == Latest(last_pass=newest, healthy=True, passed=10, total=10)
    assert found[WHISPER].healthy
    assert (found[REST].last_pass, found[REST].healthy) == (newest, False)


def test_a_neighbour_without_a_run_since_it_began_is_not_healthy_now(database: Database) -> None:
    """What passed before an outage says nothing about the way out of it."""
    with database.write() as tx:
        fill(tx, range(70))
        incident = save(tx, Phase.OPEN, now=DAY + 70 * MINUTE)
        later = replace(incident, start=DAY + 80 * MINUTE)
        now = DAY + 90 * MINUTE
        assert read_latest(tx, incident, now)[REST].healthy
        assert not read_latest(tx, later, now)[REST].healthy


def test_a_run_dated_ahead_is_no_health_now(database: Database) -> None:
    """Whatever it says: the clock has not reached it."""
    with database.write() as tx:
        fill(tx, range(70))
        incident = save(tx, Phase.OPEN, now=DAY + 70 * MINUTE)
        add_outcomes(tx, [(replace(make(71, Verdict.FAILED, id="x"), pathway="rest"), None)])
        add_outcomes(tx, [(replace(make(500, id="ahead"), pathway="rest"), None)])
        stood = read_latest(tx, incident, DAY + 72 * MINUTE)[REST]
        assert (stood.healthy, stood.last_pass) == (False, DAY + 69 * MINUTE + timedelta(milliseconds=412))
        assert read_latest(tx, incident, DAY + 501 * MINUTE)[REST].healthy


def test_an_unknown_number_is_said_to_be_unknown(database: Database) -> None:
    """No incident, no dossier."""
    with database.read() as tx, pytest.raises(NotFound, match="there is no incident 1"):
        read(tx)
