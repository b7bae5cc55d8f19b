"""Rehearsed alerts: the real text, marked in every place that a reader looks at."""

from __future__ import annotations

import pytest

from monitor.core.alerting.drill import drill_notice, sample_incident
from monitor.core.alerting.notice import NoticeKind
from tests.support.sample_incident import DECIDED, FAILING, REST, VOICE, WHISPER


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (NoticeKind.OPENED, ": DOWN gpt-4o-transcribe realtime (azure-sweden) since "),
        (NoticeKind.UPDATED, "STILL DOWN "),
        (NoticeKind.RECOVERING, "RECOVERING "),
        (NoticeKind.RESOLVED, "RESOLVED "),
        (NoticeKind.RETIREMENT, "Its vendor ends gpt-4o-transcribe on 2025-12-17 (in 30 days)"),
        (NoticeKind.TEST, "Earwitness can reach this channel (oncall)"),
    ],
)
def test_a_drill_has_the_real_text_and_is_marked(kind: NoticeKind, words: str) -> None:
    """Nobody can break a provider to test an alert, and nobody may take the test for one."""
    sample = sample_incident(kind, DECIDED, FAILING, [REST, WHISPER], region="swedencentral", number=7)
    notice = drill_notice(kind, "oncall", DECIDED, sample, voice=VOICE)
    assert notice.body["type"] == kind
    assert notice.body["data"]["drill"] is True
    assert notice.body["data"]["title"].startswith("DRILL: ")
    assert notice.body["data"]["text"].startswith("DRILL, nothing is broken: ")
    assert words in notice.body["data"]["text"]
    page = "targets" if kind is NoticeKind.RETIREMENT else "incidents"
    assert f"https://earwitness.example/{page}" in notice.body["data"]["text"]
