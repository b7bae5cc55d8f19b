"""Ids and instants of single runs, quoted as support looks them up."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.evidence.bundle_facts import Role
from monitor.core.model import Verdict
from monitor.reports.ticket.summary import LONGEST_TICKET, render_ticket
from tests.support.sample_bundle_facts import dossier, exhibit, exhibits, outcome
from tests.support.sample_incident import FAILING, MINUTE, START


def test_real_ids_fit() -> None:
    """With ids of the length that the live services give, nothing has to be cut."""
    ids = {
        "apim_request_id": "0d9c8b7a-6f5e-4d3c-2b1a-0f9e8d7c6b5a",
        "session_id": "sess_CcnHcYc2wVh3pOQ7bWk5R",
        "item_id": "item_CcnHforF7TNkgG594R1Q1",
        "event_id": "event_CcnHj7YYMIdh88hgEeWUj",
    }
    sent = {"x-ms-client-request-id": "0193a5b2-7c1d-7e3f-8a9b-0c1d2e3f4a5b"}
    long = [exhibit(shown.role, replace(shown.outcome, ids=ids), sent_ids=sent) for shown in exhibits()]
    text = render_ticket(dossier(exhibits=long))
    assert len(text) <= LONGEST_TICKET
    assert text.count(sent["x-ms-client-request-id"]) == 5


def test_a_run_without_evidence_still_gives_its_ids() -> None:
    """Evidence ages away; the outcome keeps the ids."""
    own = outcome(
        "before",
        FAILING,
        START - MINUTE,
        Verdict.PASSED,
        ids={"request_id": "req-1", "client_request_id": "c-1"},
    )
    shown = replace(exhibit(Role.LAST_PASSED, own), evidence=None)
    assert "Last passed 08:29:10.000Z: x-request-id req-1, ours client request id c-1" in render_ticket(
        dossier(exhibits=[shown])
    )
