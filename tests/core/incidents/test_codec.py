"""The JSON of derived values: the shape of the contract, key by key."""

from __future__ import annotations

import json

from monitor.core.incidents.codec import incident_document
from monitor.core.incidents.derive import derive, to_json
from monitor.core.outages.history import MemoryHistory
from monitor.core.outages.rule import Rule
from tests.support.outcomes import minutes, row, together


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
    (incident,) = shown["incidents"]
    assert incident == {
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


def test_a_stored_document_adds_what_pages_need() -> None:
    """Reason, windows with their decisions, the gaps inside and signatures; all of it JSON."""
    derived = derive(MemoryHistory(row(".FFF     F")), Rule(), now=minutes(9))
    document = incident_document(derived.incidents[0], derived.gaps)
    assert json.loads(json.dumps(document)) == document
    assert (
        document["windows"][0] | {"decided_at": "2025-11-17T08:33:10Z", "closed_at": None}
        == document["windows"][0]
    )
    assert document["windows"][0]["continues_until"] == "2025-11-17T08:54:10Z"
    assert document["gaps"][0]["from"] == "2025-11-17T08:33:10Z"
    assert document["signatures"][0]["count"] == 4
    assert document["blame_reason"] == "same configuration passed 1/1 in 24 h; no change recorded"
