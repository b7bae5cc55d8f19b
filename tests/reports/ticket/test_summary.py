"""The ticket word for word, and at its edges: never longer than a form takes, never a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.clock_offset import Offset
from monitor.core.errors import MonitorError
from monitor.core.evidence.bundle_facts import Observer
from monitor.core.incidents.incident import Phase
from monitor.core.model import Blame, Cell
from monitor.reports.ticket.summary import LONGEST_TICKET, checked, render_ticket
from tests.support.sample_bundle_facts import (
    ENDPOINT,
    bare,
    baselines,
    dossier,
    exhibit,
    exhibits,
    failed,
    line,
    target,
)
from tests.support.sample_incident import (
    FAILING,
    REASON,
    REST,
    START,
    WHISPER,
    closed_window,
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
Symptom: session.updated and committed normal, then conversation.item.input_audio_transcription.failed: server_error, code null, "Input transcription failed for item '…'."; no error event, socket stays open; the same error 420 times
Unaffected, same resource, key and minutes: stt-prod rest 420/420; whisper-1 realtime on rt-host 420/420
Baseline, same configuration: 1,440/1,440 in 24 h before, 10,079/10,080 in 7 days before, 30/30 since
Ruled out: network and key (session opened), host (whisper-1 passed on it), missing deployment (rest passed on stt-prod), quota (no 429 seen). Cannot be ruled out from here: a limit on your internal call
First failed 08:30:10.412Z: apim-request-id apim-first session sess_first item item_first event event_first, ours x-ms-client-request-id ours-first
Last failed 15:29:10.412Z: apim-request-id apim-last session sess_last item item_last event event_last, ours x-ms-client-request-id ours-last
Last passed 08:29:10.412Z: apim-request-id apim-before session sess_before item item_before, ours x-ms-client-request-id ours-before. First passed 15:30:10.412Z: apim-request-id apim-after session sess_after item item_after, ours x-ms-client-request-id ours-after. Control whisper-1 realtime 08:30:14.090Z: apim-request-id apim-control session sess_control item item_control, ours x-ms-client-request-id ours-control
Observer: location berlin, client earwitness/0.1.0; times are starts of runs, in UTC
Request: confirm the cause from these ids, say whether it can recur on this deployment type, and whether the SLA covers it
Attached: incident-1.zip, checksums in its SHA256SUMS; frames of first, last and control, reproducer without key, every run as outcomes.jsonl
"""  # noqa: E501


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
        "Ruled",
        "First",
        "Observer",
        "Request",
        "Attached",
    ]
    assert line(text, "Size").startswith("Size: 420/420 runs failed, one a minute. Start between")
    assert line(text, "First failed") == "First failed 08:30:10.000Z"
    assert "None" not in text


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


def test_several_targets_are_named_together() -> None:
    """Two models on one pathway, or a whole resource: the subject stays one line."""
    mini = Cell("azure-sweden", "gpt-4o-mini-transcribe", "realtime", "berlin")
    two = [closed_window(), closed_window(mini)]
    both = incident(Phase.RESOLVED, document=document(420, two[0], windows=two))
    text = render_ticket(dossier(incident=both))
    assert "with gpt-4o-mini-transcribe and gpt-4o-transcribe failed" in line(text, "Subject")
    assert "840/840 runs failed, over 2 targets, one a minute" in text
    mixed = [closed_window(), closed_window(REST)]
    wide = incident(Phase.RESOLVED, document=document(420, mixed[0], windows=mixed, subject="azure-sweden"))
    assert line(render_ticket(dossier(incident=wide)), "Subject").startswith(
        "Subject: Speech-to-text (azure-sweden) failed"
    )


def test_the_subject_gives_the_failure_its_own_span() -> None:
    """Two minutes of failure inside half an hour of slowness are not half an hour of failure."""
    slow = closed_window(state="degraded", start="2025-11-17T08:20:10Z", end="2025-11-17T08:50:10Z")
    down = closed_window(end="2025-11-17T08:32:50Z", end_after="2025-11-17T08:32:10Z", failed=3, total=3)
    stored = incident(
        Phase.RESOLVED,
        document=document(3, slow, windows=[slow, down]),
        start=START - timedelta(minutes=10),
        end=START + timedelta(minutes=20),
    )
    text = render_ticket(dossier(incident=stored))
    assert "failed 08:30:10–08:32:50 UTC, 17 Nov 2025" in text.splitlines()[0]
    assert "end between 08:32:10 and 08:32:50." in text
    assert "Degraded 08:20:10–08:50:10 UTC, 17 Nov 2025." in text


def test_a_degraded_incident_does_not_claim_failure() -> None:
    """Slow and wrong is told as what it is, open or over."""
    slow = incident(Phase.RESOLVED, document=document(9, closed_window(state="degraded", failed=9, total=30)))
    text = render_ticket(dossier(incident=slow))
    assert "with gpt-4o-transcribe was degraded 08:30:10–15:30:10" in text
    assert "Size: 9/30 runs failed, slow or wrong" in text
    still = incident(document=document(9, window(state="degraded")))
    assert "degraded since 08:30:10 UTC, 17 Nov 2025, and still is" in render_ticket(dossier(incident=still))


def test_the_observer_says_what_it_knows_of_itself() -> None:
    """Egress and clock offset only where they are known."""
    known = Observer(
        locations=["berlin", "oslo"],
        client="earwitness/0.1.0",
        egress="192.0.2.1",
        clock_offset=Offset(least=timedelta(seconds=-0.59), most=timedelta(seconds=0.4)),
    )
    assert line(render_ticket(dossier(observer=known)), "Observer") == (
        "Observer: location berlin, oslo, egress 192.0.2.1, "
        "clock offset -0.6 to +0.4 s by your Date headers, client earwitness/0.1.0; "
        "times are starts of runs, in UTC"
    )


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
