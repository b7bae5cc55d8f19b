"""What the facts speak against, and what they leave possible; never a guess."""

from __future__ import annotations

from monitor.core.evidence.bundle_facts import Role
from monitor.core.incidents.incident import Phase
from monitor.core.model import Blame, Failure, Stage
from monitor.reports.ticket.summary import render_ticket
from tests.support.sample_bundle_facts import bare, dossier, exhibit, exhibits, failed, line
from tests.support.sample_incident import START, closed_window, document, incident, signature


def test_without_any_failed_run_nothing_is_weighed() -> None:
    """No facts, no hypotheses, no symptom."""
    text = render_ticket(bare(exhibits=[]))
    assert not line(text, "Ruled")
    assert not line(text, "Cannot be ruled out from here")
    assert not line(text, "Symptom")


def test_without_controls_more_remains_possible() -> None:
    """What no run spoke against stands under "Cannot be ruled out from here"."""
    alone = incident(Phase.RESOLVED, document=document(420, closed_window(), unaffected=[]))
    shown = [shown for shown in exhibits() if shown.role in (Role.FIRST_FAILED, Role.LAST_FAILED)]
    text = render_ticket(dossier(incident=alone, exhibits=shown))
    assert line(text, "Ruled") == (
        "Ruled out: network and key (session opened), quota (no 429 seen). "
        "Cannot be ruled out from here: host, missing deployment, a limit on your internal call"
    )
    assert not line(text, "Unaffected")
    assert "unaffected" not in line(text, "Subject")


def test_a_pass_before_with_the_same_configuration_speaks_against_a_missing_deployment() -> None:
    """What passed a minute earlier was deployed."""
    alone = incident(Phase.RESOLVED, document=document(420, closed_window(), unaffected=[]))
    assert "missing deployment (passed before with the same configuration)" in render_ticket(
        dossier(incident=alone)
    )


def test_a_429_is_never_talked_away() -> None:
    """Once a limit was seen, quota stays possible."""
    hidden = failed(
        "first", START, message="Input transcription failed for item 'item_1'. 429 Too Many Requests"
    )
    text = render_ticket(dossier(exhibits=[exhibit(Role.FIRST_FAILED, hidden), *exhibits()[1:]]))
    assert "no 429 seen" not in text
    assert "Cannot be ruled out from here: quota, a limit" in text
    seen = incident(
        Phase.RESOLVED, document=document(4, closed_window(), signatures=[signature(1, failure="quota")])
    )
    assert "Cannot be ruled out from here: quota" in render_ticket(dossier(incident=seen))


def test_a_network_fault_is_weighed_by_its_neighbours() -> None:
    """Before any answer only a passing neighbour speaks against the network."""
    run = failed("first", START, failure=Failure.CONNECT, stage=Stage.CONNECT, type=None, message="refused")
    blamed = incident(Phase.RESOLVED, blame=Blame.NETWORK)
    text = render_ticket(dossier(incident=blamed, exhibits=[exhibit(Role.FIRST_FAILED, run, frames=[])]))
    assert "Ruled out: network (gpt-4o-transcribe rest passed over it)" in text
    assert (
        line(text, "Request")
        == "Request: say from these ids what your side saw, and on which side the fault lies"
    )
