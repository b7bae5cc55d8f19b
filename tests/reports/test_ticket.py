"""The ticket word for word, and at its edges: never longer than a form takes, never a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.dossier import Baseline, Dossier, Observer, Role
from monitor.core.errors import MonitorError
from monitor.core.incidents import Phase
from monitor.core.model import Blame, Cell, Endpoint, Failure, Stage, Verdict
from monitor.reports.ticket import LONGEST_TICKET, checked, render_ticket
from tests.sample_dossier import (
    ENDPOINT,
    baselines,
    dossier,
    evidence,
    exhibit,
    exhibits,
    failed,
    outcome,
    target,
)
from tests.sample_incident import (
    END,
    FAILING,
    LAST_BAD,
    MINUTE,
    REASON,
    REST,
    START,
    WHISPER,
    closed_window,
    control,
    document,
    incident,
    signature,
    window,
)

GOLDEN = """\
Subject: Realtime input transcription with gpt-4o-transcribe failed 08:30:10–15:30:10 UTC, 17 Nov 2025; REST and whisper-1 unaffected
Size: 420/420 runs failed, one a minute, coverage 100 %. Start between 08:29:10 and 08:30:10, end between 15:29:10 and 15:30:10. Passing since.
Resource: /subscriptions/0000/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/contoso, swedencentral, x-ms-region Sweden Central. Deployments: stt-prod = gpt-4o-transcribe (version 2025-03-20, type Standard), host rt-host = gpt-realtime (version 2025-08-28, type GlobalStandard)
Path: wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host, GA, no api-version, api-key; PCM16 24 kHz mono 3.29 s, manual commit, no retries
Symptom: session.updated and committed normal, then conversation.item.input_audio_transcription.failed: server_error, code null, "Input transcription failed for item '…'."; no error event, socket stays open; 1 signature × 420
Unaffected, same resource, key and minutes: stt-prod rest 420/420; whisper-1 realtime on rt-host 420/420
Baseline, same configuration: 1,440/1,440 in 24 h before, 10,079/10,080 in 7 days before, 30/30 since
Speaks against: network and key (session opened), host (whisper-1 passed on it), missing deployment (rest passed on stt-prod), quota (no 429 seen). Not excluded: a limit on your internal call
First failed 08:30:10.412Z: apim-request-id apim-first session sess_first item item_first event event_first, ours x-ms-client-request-id ours-first
Last failed 15:29:10.412Z: apim-request-id apim-last session sess_last item item_last event event_last, ours x-ms-client-request-id ours-last
Last passed 08:29:10.412Z: apim-request-id apim-before session sess_before item item_before event event_before, ours x-ms-client-request-id ours-before. First passed 15:30:10.412Z: apim-request-id apim-after session sess_after item item_after event event_after, ours x-ms-client-request-id ours-after. Control whisper-1 realtime 08:30:14.090Z: apim-request-id apim-control session sess_control item item_control event event_control, ours x-ms-client-request-id ours-control
Observer: location berlin, client earwitness/0.1.0; times are starts of runs, in UTC
Request: confirm the cause from these ids, say whether it can recur on this deployment type, and whether the SLA covers it
Attached: incident-1.zip, checksums in its SHA256SUMS; frames of first, last and control, reproducer without key, every run as outcomes.jsonl
"""  # noqa: E501


def line(text: str, start: str) -> str:
    """The line of the ticket that begins so; empty where there is none."""
    return next((found for found in text.splitlines() if found.startswith(start)), "")


def bare(**parts: Any) -> Dossier:
    """An incident of which only outcomes were imported: no settings, no evidence, no baselines."""
    run = failed("first", START, ids={})
    values: dict[str, Any] = {
        "incident": incident(Phase.RESOLVED),
        "exhibits": [replace(exhibit(Role.FIRST_FAILED, run), evidence=None)],
        "observer": Observer(locations=[], client="earwitness/0.1.0"),
        "outcomes": lambda: iter(()),
    }
    return Dossier(**{**values, **parts})


def test_the_ticket_reads_as_agreed() -> None:
    """Every line that support asks for, in the agreed order and words."""
    assert render_ticket(dossier()) == GOLDEN


def test_the_ticket_beside_its_bundle_names_the_checksum() -> None:
    """Printed next to the zip it can say the zip's own hash; inside the zip it cannot."""
    assert "incident-1.zip, SHA-256 abc; frames" in render_ticket(dossier(), bundle_sha256="abc")


def test_an_open_incident_is_told_as_one_that_lasts() -> None:
    """No end, no since, and a request that fits a fault of this hour."""
    text = render_ticket(dossier(Phase.OPEN, baselines=baselines()[:2]))
    assert "failing since 08:30:10 UTC, 17 Nov 2025, and still is; REST and whisper-1 unaffected" in text
    assert "last seen failing at 08:32:10. Still open." in text
    assert (
        line(text, "Request")
        == "Request: it fails now; find the cause from these ids and say when it will work again"
    )
    assert "since" not in line(text, "Baseline")


def test_what_is_not_known_is_left_out() -> None:
    """Without settings and evidence the lines about them are gone, not empty."""
    text = render_ticket(bare())
    starts = [found.split(" ")[0].rstrip(":,") for found in text.splitlines()]
    assert starts == [
        "Subject",
        "Size",
        "Symptom",
        "Unaffected",
        "Speaks",
        "First",
        "Observer",
        "Request",
        "Attached",
    ]
    assert line(text, "Size").startswith("Size: 420/420 runs failed. Start between")
    assert line(text, "First failed") == "First failed 08:30:10.000Z"
    assert "None" not in text


def test_without_any_failed_run_nothing_is_weighed() -> None:
    """No facts, no hypotheses, no symptom."""
    text = render_ticket(bare(exhibits=[]))
    assert not line(text, "Speaks")
    assert not line(text, "Not excluded")
    assert not line(text, "Symptom")


def test_without_controls_more_remains_possible() -> None:
    """What no run spoke against stands under "Not excluded"."""
    alone = incident(Phase.RESOLVED, document=document(420, closed_window(), unaffected=[]))
    shown = [shown for shown in exhibits() if shown.role in (Role.FIRST_FAILED, Role.LAST_FAILED)]
    text = render_ticket(dossier(incident=alone, exhibits=shown))
    assert line(text, "Speaks") == (
        "Speaks against: network and key (session opened), quota (no 429 seen). "
        "Not excluded: host, missing deployment, a limit on your internal call"
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
    assert "Not excluded: quota, a limit" in text
    seen = incident(
        Phase.RESOLVED, document=document(4, closed_window(), signatures=[signature(1, failure="quota")])
    )
    assert "Not excluded: quota" in render_ticket(dossier(incident=seen))


def test_an_http_refusal_is_worded_as_one() -> None:
    """REST has no session, no socket and no event; it has a status."""
    run = failed(
        "first", START, pathway="rest", http_status=503, stage=Stage.TRANSCRIBE, type=None, code="Timeout",
        message="<b>down</b>",
    )  # fmt: skip
    broken = exhibit(Role.FIRST_FAILED, run, url="https://contoso.openai.azure.com/x", frames=[], close=None)
    text = render_ticket(dossier(exhibits=[broken]))
    assert line(text, "Symptom") == 'Symptom: HTTP 503: code Timeout, "‹b›down‹/b›"; 1 signature × 420'
    assert line(text, "Path") == (
        "Path: https://contoso.openai.azure.com/x, no api-version, api-key; WAV PCM16 mono 3.29 s, no retries"
    )
    assert "network (HTTP 503 came back), key (gpt-4o-transcribe rest passed with it)" in text


def test_a_refused_upgrade_a_closed_socket_and_silence_are_told_apart() -> None:
    """Each end of a session has its own words."""

    def symptom(run_parts: dict[str, Any], **parts: Any) -> str:
        values = {"type": None, "message": None, **run_parts}
        shown = exhibit(Role.FIRST_FAILED, failed("first", START, **values), **parts)
        return line(render_ticket(dossier(exhibits=[shown])), "Symptom").removesuffix("; 1 signature × 420")

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


def test_a_network_fault_is_weighed_by_its_neighbours() -> None:
    """Before any answer only a passing neighbour speaks against the network."""
    run = failed("first", START, failure=Failure.CONNECT, stage=Stage.CONNECT, type=None, message="refused")
    blamed = incident(Phase.RESOLVED, blame=Blame.NETWORK)
    text = render_ticket(dossier(incident=blamed, exhibits=[exhibit(Role.FIRST_FAILED, run, frames=[])]))
    assert "Speaks against: network (gpt-4o-transcribe rest passed over it)" in text
    assert (
        line(text, "Request")
        == "Request: say from these ids what your side saw, and on which side the fault lies"
    )


@pytest.mark.parametrize(
    ("blame", "words"),
    [
        (
            Blame.ACCOUNT,
            f"Request: our own account is suspected ({REASON}); say from these ids what was refused and why",
        ),
        (Blame.MONITOR, "Request: none; the fault lies with our own monitor"),
        (Blame.UNKNOWN, "Request: say from these ids what your side saw, and on which side the fault lies"),
    ],
)
def test_the_request_fits_the_blame(blame: Blame, words: str) -> None:
    """Nobody asks a provider for an SLA over our own key."""
    assert line(render_ticket(dossier(incident=incident(Phase.RESOLVED, blame=blame))), "Request") == words


def test_several_windows_are_counted_and_bounded_together() -> None:
    """A flapping outage says how many windows and how long they were together."""
    first = closed_window(end="2025-11-17T09:30:10Z", end_after="2025-11-17T09:29:10Z", failed=60, total=60)
    second = closed_window(
        start="2025-11-17T14:30:10Z", start_after="2025-11-17T14:29:10Z", failed=60, total=60
    )
    flapping = incident(Phase.RESOLVED, document=document(120, first, windows=[first, second]))
    assert line(render_ticket(dossier(incident=flapping, coverage=0.9996)), "Size") == (
        "Size: 120/120 runs failed, one a minute, coverage 99.9 %. 2 windows, together at least 1 h 58 min, "
        "at most 2 h 2 min. Start between 08:29:10 and 08:30:10, end between 15:29:10 and 15:30:10. "
        "Passing since."
    )


def test_several_targets_are_named_together() -> None:
    """Two models on one pathway, or a whole resource: the subject stays one line."""
    mini = Cell("azure-sweden", "gpt-4o-mini-transcribe", "realtime", "berlin")
    two = [closed_window(), closed_window(mini)]
    both = incident(Phase.RESOLVED, document=document(420, two[0], windows=two))
    text = render_ticket(dossier(incident=both))
    assert "with gpt-4o-mini-transcribe and gpt-4o-transcribe failed" in line(text, "Subject")
    assert "840/840 runs failed, over 2 targets, one a minute" in text
    mixed = [closed_window(), closed_window(REST)]
    wide = incident(
        Phase.RESOLVED, document=document(420, mixed[0], windows=mixed), title="azure-sweden down since"
    )
    assert line(render_ticket(dossier(incident=wide)), "Subject").startswith(
        "Subject: Speech-to-text (azure-sweden) failed"
    )


def test_an_edge_without_a_good_run_before_it_says_so() -> None:
    """The start of an outage that was there when we came is only a bound."""
    cut_off = incident(Phase.RESOLVED, document=document(420, closed_window(start_after=None)))
    assert "Start at or before 08:30:10, no good run precedes it" in render_ticket(dossier(incident=cut_off))


def test_edges_on_another_day_carry_their_date() -> None:
    """An end after midnight is not an end before the start."""
    night = closed_window(end="2025-11-18T01:00:10Z", end_after="2025-11-18T00:59:10Z")
    over = incident(Phase.RESOLVED, document=document(420, night), end=END + timedelta(hours=9, minutes=30))
    text = render_ticket(dossier(incident=over))
    assert "failed 08:30:10 UTC, 17 Nov 2025 – 01:00:10 UTC, 18 Nov 2025" in text
    assert "end between 00:59:10 (18 Nov 2025) and 01:00:10 (18 Nov 2025)" in text
    late = exhibit(Role.LAST_FAILED, failed("last", LAST_BAD + timedelta(hours=9, minutes=30)))
    assert "Last failed 2025-11-18T00:59:10Z:" in render_ticket(dossier(incident=over, exhibits=[late]))


def test_a_return_that_is_not_whole_is_counted() -> None:
    """The words "Passing since" are only said when every run since has passed."""
    shaky = Baseline(label="since", since=END, until=END + 30 * MINUTE, passed=28, total=30)
    assert "Since then 28/30 passed." in render_ticket(dossier(baselines=[shaky]))


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
        name="openai-us", provider="openai", url="https://api.openai.com/v1", organization="org-1",
        project="proj-1", details={"tier": "4"},
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
    assert "Speaks against: network (session opened)," in text


def test_a_degraded_incident_does_not_claim_failure() -> None:
    """Slow and wrong is told as what it is, open or over."""
    slow = incident(Phase.RESOLVED, document=document(9, closed_window(state="degraded", failed=9, total=30)))
    text = render_ticket(dossier(incident=slow))
    assert "with gpt-4o-transcribe was degraded 08:30:10–15:30:10" in text
    assert "Size: 9/30 runs failed, slow or wrong" in text
    still = incident(document=document(9, window(state="degraded")))
    assert "degraded since 08:30:10 UTC, 17 Nov 2025, and still is" in render_ticket(dossier(incident=still))


def test_further_signatures_are_listed_by_size() -> None:
    """Four counts, then a sign that there are more."""
    six = [signature(count, code=str(count)) for count in (400, 10, 5, 3, 1, 1)]
    text = render_ticket(
        dossier(incident=incident(Phase.RESOLVED, document=document(420, closed_window(), signatures=six)))
    )
    assert "6 signatures: × 400, × 10, × 5, × 3 …" in text


def test_the_observer_says_what_it_knows_of_itself() -> None:
    """Egress and clock offset only where they are known."""
    known = Observer(
        locations=["berlin", "oslo"], client="earwitness/0.1.0", egress="192.0.2.1", clock_offset_ms=-12.4
    )
    assert line(render_ticket(dossier(observer=known)), "Observer") == (
        "Observer: location berlin, oslo, egress 192.0.2.1, clock offset -12 ms, client earwitness/0.1.0; "
        "times are starts of runs, in UTC"
    )


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


@settings(max_examples=40)
@given(st.text(max_size=4000), st.text(min_size=1, max_size=4000))
def test_it_never_grows_beyond_what_a_form_takes(message: str, name: str) -> None:
    """Whatever the provider says, under 3,000 characters and every line at its place."""
    run = failed("first", START, message=message, type=name, ids={"session_id": name, "item_id": message})
    hostile = replace(ENDPOINT, resource_id=name, region=message)
    contents = document(
        420, closed_window(), blame_reason=message, signatures=[signature(3, message=message)] * 9
    )
    text = render_ticket(
        dossier(
            incident=incident(Phase.RESOLVED, document=contents, title=f"{name} down since"),
            exhibits=[exhibit(shown.role, run) for shown in exhibits()],
            targets={cell.target: target(cell, endpoint=hostile) for cell in (FAILING, REST, WHISPER)},
        )
    )
    assert len(text) <= LONGEST_TICKET
    assert len(text.splitlines()) == 14
    assert not set(text) & set("<>`[]*\\\r\t")


def test_a_secret_in_the_ticket_stops_it() -> None:
    """The same last look as the bundle's."""
    assert checked(dossier(), ["sandbox-key"]) == GOLDEN.encode()
    with pytest.raises(MonitorError, match=r"summary\.md: holds a secret of this process"):
        checked(dossier(), ["apim-first"])


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
