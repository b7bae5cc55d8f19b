"""An endpoint's own list of models: what is asked, what is read, and what is no list."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from monitor.checks.model_list import LONGEST_NAME, MOST_MODELS, models
from monitor.core.conversation import Answer, End, Fault, FaultKind, Finding, Responded, Silent, Upload
from monitor.core.model import Endpoint, Stage
from tests.support.scripted_peer import Player

ENDPOINT = Endpoint(name="us", provider="openai", url="https://api.openai.com/v1", key="env:KEY")
URL = "https://api.openai.com/v1/models"


def ask(answer: Answer) -> tuple[Finding, Upload]:
    """The finding of one such answer, and the request that it answered."""
    player = Player([answer])
    finding = player.hold(models(ENDPOINT, URL, "ours-1"))
    (upload,) = player.asks
    assert isinstance(upload, Upload)
    return finding, upload


def listed(*entries: Any) -> Answer:
    """A list of those entries."""
    body = json.dumps({"object": "list", "data": list(entries)}).encode()
    return Responded(at=0.2, status=200, headers=(("x-request-id", "req-1"),), body=body)


def test_the_list_is_got_with_the_key_and_an_id_of_ours() -> None:
    """One GET without a body, by the provider's own headers."""
    finding, upload = ask(listed())
    assert (upload.method, upload.url, upload.body) == ("GET", URL, b"")
    assert upload.credential is not None
    assert upload.credential.reference == "env:KEY"
    assert ("X-Client-Request-Id", "ours-1") in upload.headers
    assert (finding.end, dict(finding.ends)) == (End.LISTED, {})
    assert finding.ids["client_request_id"] == "ours-1"
    assert finding.ids["request_id"] == "req-1"


def test_last_days_are_read_by_their_model() -> None:
    """A model without one, and an entry that names none, has none; the rest of the list counts."""
    finding, _ = ask(
        listed(
            {"id": "whisper-1", "shutdown_date": "2027-02-26"},
            {"id": "gpt-transcribe", "shutdown_date": None},
            {"id": "gpt-realtime"},
            {"id": 7, "shutdown_date": "2027-02-26"},
            {"id": "x" * (LONGEST_NAME + 1), "shutdown_date": "2027-02-26"},
            {"id": "odd", "shutdown_date": {"day": 1}},
            "no entry",
            None,
        )
    )
    assert dict(finding.ends) == {"whisper-1": date(2027, 2, 26)}


def test_an_endless_list_is_read_up_to_a_bound() -> None:
    """What a hostile server lists does not fill the memory."""
    entries = [{"id": f"m{number}", "shutdown_date": "2027-02-26"} for number in range(MOST_MODELS + 10)]
    finding, _ = ask(listed(*entries))
    assert len(finding.ends) == MOST_MODELS


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (Responded(at=0.1, status=200, headers=(), body=b"[]"), End.MALFORMED),
        (Responded(at=0.1, status=200, headers=(), body=b'{"data": {}}'), End.MALFORMED),
        (Responded(at=0.1, status=200, headers=(), body=b"<html>"), End.MALFORMED),
        (Responded(at=0.1, status=404, headers=(), body=b'{"error": {"message": "no"}}'), End.ERROR),
        (Responded(at=0.1, status=200, headers=(), body=b'{"error": {"message": "no"}}'), End.ERROR),
        (Silent(at=10.0), End.SILENT),
        (Fault(at=0.1, stage=Stage.CONNECT, kind=FaultKind.REFUSED, detail="refused"), End.FAULT),
    ],
)
def test_what_is_no_list_gives_no_days(answer: Answer, end: End) -> None:
    """Whatever came instead is said as such."""
    finding, _ = ask(answer)
    assert (finding.end, dict(finding.ends)) == (end, {})
