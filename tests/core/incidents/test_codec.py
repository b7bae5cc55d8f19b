"""The JSON of derived values: the shape of the contract, key by key."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.diagnosis.diagnose import Beside
from monitor.core.incidents.codec import (
    incident_to_column,
    incident_to_json,
    read_diagnosis,
    stored_incident_to_json,
)
from monitor.core.incidents.derive import derive, to_json
from monitor.core.incidents.incident import Diagnosis, IncidentKind, SuspectedCell
from monitor.core.incidents.reconcile import diagnosis_of
from monitor.core.model import Outcome
from monitor.core.outages.marks import Mark
from monitor.core.outages.rule import Rule
from tests.support.examples import examples
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import T0, matrices, minutes, row, together
from tests.support.sample_incident import FAILING, closed_window, document, incident


def test_a_replay_prints_every_key_of_the_contract() -> None:
    """Windows, gaps, blind spans and incidents, with times as text and null for what is not known."""
    runs = together(row("FFF??....."), row(".........   ", model="b"))
    shown = to_json(derive(MemoryHistory(runs), Rule(), now=minutes(14)))
    assert list(shown) == ["rule", "windows", "gaps", "blind", "incidents"]
    assert shown["windows"] == [
        {
            "target": "azure-sweden/gpt-4o-transcribe/realtime",
            "location": "berlin",
            "state": "down",
            "start": "2025-11-17T08:30:10Z",
            "start_after": None,
            "end": "2025-11-17T08:35:10Z",
            "end_after": "2025-11-17T08:32:10Z",
            "failed": 3,
            "total": 3,
            "open": False,
        }
    ]
    assert shown["gaps"] == [
        {
            "target": f"azure-sweden/{model}/realtime",
            "location": "berlin",
            "from": start,
            "to": "2025-11-17T08:44:10Z",
        }
        for model, start in (("b", "2025-11-17T08:38:10Z"), ("gpt-4o-transcribe", "2025-11-17T08:39:10Z"))
    ]
    assert shown["blind"] == [
        {
            "location": "berlin",
            "from": "2025-11-17T08:33:10Z",
            "to": "2025-11-17T08:35:10Z",
            "reason": "runs could not be measured",
        }
    ]
    (found,) = shown["incidents"]
    assert found == {
        "number": 1,
        "start": "2025-11-17T08:30:10Z",
        "end": "2025-11-17T08:35:10Z",
        "open": False,
        "blame": "account",
        "scope": [{"model": "gpt-4o-transcribe"}],
        "aliases": [],
        "ambiguous": False,
        "alternatives": [],
        "affected": ["azure-sweden/gpt-4o-transcribe/realtime"],
        "unaffected": [{"target": "azure-sweden/b/realtime", "location": "berlin", "passed": 5, "total": 5}],
        "title": "gpt-4o-transcribe · realtime · swedencentral down 08:30:10–08:35:10 UTC. "
        "Unaffected: b realtime 5/5.",
    }


def test_what_is_shown_of_a_stored_incident_adds_what_pages_need() -> None:
    """The keys of a replay, then reason, windows with their decisions, gaps inside and signatures."""
    derived = derive(MemoryHistory(row(".FFF     F")), Rule(), now=minutes(9))
    (found,) = derived.incidents
    stored = replace(incident(number=1), diagnosis=diagnosis_of(found, derived.gaps), title=found.title)
    shown = stored_incident_to_json(stored)
    replayed = incident_to_json(found)
    assert list(shown)[: len(replayed)] == list(replayed)
    assert [shown[key] for key in ("affected", "scope", "title")] == [
        replayed[key] for key in ("affected", "scope", "title")
    ]
    assert (
        shown["windows"][0] | {"decided_at": "2025-11-17T08:33:10Z", "closed_at": None} == shown["windows"][0]
    )
    assert shown["windows"][0]["continues_until"] == "2025-11-17T08:54:10Z"
    assert shown["gaps"][0]["from"] == "2025-11-17T08:33:10Z"
    assert shown["signatures"][0]["count"] == 4
    assert shown["blame_reason"] == "same configuration passed 1/1 in 24 h; no change recorded"


@settings(max_examples=examples(60), deadline=None)
@given(matrices(most=40, interval=True), st.lists(st.integers(-40, 60), max_size=3))
def test_what_is_written_to_the_store_is_read_as_the_same_value(
    runs: list[Outcome], noted: list[int]
) -> None:
    """Any derived diagnosis, with its gaps and marks; so a turn that finds the same stores nothing."""
    history = MemoryHistory(runs, marks=[Mark(minutes(at), f"at {at}", "ann", at) for at in noted])
    derived = derive(history, Rule(), now=minutes(60))
    for found in derived.incidents:
        known = diagnosis_of(found, derived.gaps, derived.gaps[:1])
        document = incident_to_column(replace(incident(), diagnosis=known))
        assert read_diagnosis(json.loads(json.dumps(document))) == known


@pytest.mark.parametrize(
    "diagnosis",
    [
        Diagnosis(),
        Diagnosis(subject="berlin", spans=((T0, minutes(1)), (minutes(2), None)), blame_reason="dark"),
        Diagnosis(affected=("a/b/c",), subject="a · b · c", suspected=(SuspectedCell(FAILING, T0),)),
        Diagnosis(dismissed="joined incident 7", joined=7, beside=Beside(failing=2, unknown=1)),
    ],
)
@pytest.mark.parametrize("kind", list(IncidentKind))
def test_what_has_no_windows_is_read_as_the_same_value(diagnosis: Diagnosis, kind: IncidentKind) -> None:
    """Suspicions, what was dismissed, and what the monitor could not do."""
    outage = kind is IncidentKind.OUTAGE
    known = replace(diagnosis, spans=()) if outage else replace(diagnosis, beside=None)
    document = incident_to_column(incident(kind=kind, diagnosis=known))
    assert read_diagnosis(json.loads(json.dumps(document))) == known


def test_a_document_of_an_earlier_version_is_read() -> None:
    """It lacks what was added since: nothing was known of it, and the subject is the first target."""
    later = ("subject", "beside", "pauses")
    whole = document(420, closed_window())
    old = {key: value for key, value in whole.items() if key not in later}
    found = read_diagnosis(old)
    assert (found.beside, found.pauses, found.signatures[0].said) == (None, (), None)
    assert found.subject == "azure-sweden · gpt-4o-transcribe · realtime"
    assert replace(found, subject=whole["subject"]) == read_diagnosis(whole)
