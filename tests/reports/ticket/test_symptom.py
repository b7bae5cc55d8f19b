"""What a failed run looked like, in the words of its protocol."""

from __future__ import annotations

from typing import Any

from monitor.core.evidence.bundle_facts import Role
from monitor.core.incidents.incident import Phase
from monitor.core.model import Failure, Stage
from monitor.reports.ticket.summary import render_ticket
from tests.support.sample_bundle_facts import dossier, evidence, exhibit, failed, line
from tests.support.sample_incident import START, closed_window, document, incident, signature


def test_an_http_refusal_is_worded_as_one() -> None:
    """REST has no session, no socket and no event; it has a status."""
    run = failed(
        "first", START, pathway="rest", http_status=503, stage=Stage.TRANSCRIBE, type=None, code="Timeout",
        message="<b>down</b>",
    )  # fmt: skip
    broken = exhibit(Role.FIRST_FAILED, run, url="https://contoso.openai.azure.com/x", frames=[], close=None)
    text = render_ticket(dossier(exhibits=[broken]))
    assert line(text, "Symptom") == 'Symptom: HTTP 503: code Timeout, "‹b›down‹/b›"; the same error 420 times'
    assert line(text, "Path") == (
        "Path: https://contoso.openai.azure.com/x, no api-version, api-key; WAV PCM16 mono 3.29 s, no retries"
    )
    assert "network (HTTP 503 came back), key (gpt-4o-transcribe rest passed with it)" in text


def test_a_refused_upgrade_a_closed_socket_and_silence_are_told_apart() -> None:
    """Each end of a session has its own words."""

    def symptom(run_parts: dict[str, Any], **parts: Any) -> str:
        values = {"type": None, "message": None, **run_parts}
        shown = exhibit(Role.FIRST_FAILED, failed("first", START, **values), **parts)
        return line(render_ticket(dossier(exhibits=[shown])), "Symptom").removesuffix(
            "; the same error 420 times"
        )

    refused = symptom({"http_status": 401, "stage": Stage.HANDSHAKE, "failure": Failure.AUTH}, frames=[])
    assert refused == "Symptom: upgrade refused with HTTP 401: no words"
    closed = symptom(
        {"close_code": 1011}, frames=evidence("x")["frames"][:3], close={"by": "peer", "code": 1011}
    )
    assert (
        closed
        == "Symptom: session.updated normal, then connection closed with 1011: no words; no error event"
    )
    silent = symptom({"failure": Failure.SILENT}, frames=evidence("x")["frames"][:5])
    assert silent == (
        "Symptom: session.updated and committed normal, then silent at transcribe: no words; "
        "no error event, socket stays open"
    )


def test_further_signatures_are_listed_by_size() -> None:
    """Four counts, then a sign that there are more."""
    six = [signature(count, code=str(count)) for count in (400, 10, 5, 3, 1, 1)]
    text = render_ticket(
        dossier(incident=incident(Phase.RESOLVED, document=document(420, closed_window(), signatures=six)))
    )
    assert "6 different errors: × 400, × 10, × 5, × 3 …" in text
