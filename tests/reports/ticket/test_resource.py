"""Resource, deployments and path, in the words of each provider."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.evidence.bundle_facts import Role
from monitor.core.incidents.incident import Phase
from monitor.core.model import Cell, Endpoint
from monitor.reports.ticket.summary import render_ticket
from tests.support.sample_bundle_facts import ENDPOINT, dossier, exhibit, failed, line, target
from tests.support.sample_incident import FAILING, REST, START, closed_window, control, document, incident


def test_controls_elsewhere_are_kept_apart() -> None:
    """A pass on another resource says less, and is labelled so."""
    other = Cell("openai-us", "gpt-4o-transcribe", "realtime", "berlin")
    contents = document(420, closed_window(), unaffected=[control(REST, 420), control(other, 84)])
    text = render_ticket(dossier(incident=incident(Phase.RESOLVED, document=contents)))
    assert line(text, "Unaffected") == (
        "Unaffected, same resource, key and minutes: stt-prod rest 420/420. "
        "Unaffected, elsewhere in the same minutes: gpt-4o-transcribe realtime on openai-us 84/84"
    )
    assert "REST and gpt-4o-transcribe realtime on openai-us unaffected" in line(text, "Subject")


def test_a_configured_control_elsewhere_names_its_endpoint() -> None:
    """Two resources may call a deployment alike: the place tells them apart."""
    other = Cell("openai-us", "gpt-4o-transcribe", "realtime", "berlin")
    contents = document(420, closed_window(), unaffected=[control(REST, 420), control(other, 84)])
    known = {
        REST.target: target(REST),
        other.target: target(other, endpoint=replace(ENDPOINT, name="openai-us", deployments={})),
    }
    text = render_ticket(dossier(incident=incident(Phase.RESOLVED, document=contents), targets=known))
    assert line(text, "Unaffected") == (
        "Unaffected, same resource, key and minutes: stt-prod rest 420/420. "
        "Unaffected, elsewhere in the same minutes: "
        "gpt-4o-transcribe realtime on gpt-realtime at openai-us 84/84"
    )


def test_many_controls_are_cut_with_their_number() -> None:
    """Three by name, the rest by count."""
    many = [control(Cell("azure-sweden", f"m{number}", "rest", "berlin"), 3) for number in range(9)]
    text = render_ticket(
        dossier(incident=incident(Phase.RESOLVED, document=document(3, closed_window(), unaffected=many)))
    )
    assert line(text, "Unaffected").endswith("m2 rest 3/3; and 6 more")


def test_openai_is_described_by_organization_project_and_model() -> None:
    """No deployments, no api-version, and the key's kind in OpenAI's words."""
    openai = Endpoint(
        name="openai-us", provider="openai", url="https://api.openai.com/v1", key="env:K",
        organization="org-1", project="proj-1", details={"tier": "4"},
    )  # fmt: skip
    shown = exhibit(
        Role.FIRST_FAILED, failed("first", START), url="wss://api.openai.com/v1/realtime?intent=transcription"
    )
    text = render_ticket(
        dossier(targets={FAILING.target: target(FAILING, endpoint=openai)}, exhibits=[shown])
    )
    assert line(text, "Resource").startswith(
        "Resource: api.openai.com, organization org-1, project proj-1, tier 4, x-ms-region"
    )
    assert "Models: gpt-4o-transcribe, host gpt-realtime" in text
    assert "intent=transcription, GA, bearer key; PCM16" in text


def test_other_settings_of_the_path_are_said() -> None:
    """Preview dialect, dated version, server VAD, no key."""
    preview = replace(ENDPOINT, dialect="preview", api_version="2025-04-01-preview", auth="none")
    text = render_ticket(
        dossier(targets={FAILING.target: target(FAILING, endpoint=preview, turn="server_vad")})
    )
    assert "preview, api-version 2025-04-01-preview, no key; PCM16 24 kHz mono 3.29 s, server VAD" in text
    assert "Ruled out: network (session opened)," in text
