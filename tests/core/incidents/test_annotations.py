"""What people say of an incident stands beside what was computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.annotations import Opinion, as_told, checked_entry, entry_words, opinion_of
from monitor.core.incidents.incident import Diagnosis, Entry, EntryKind
from monitor.core.model import Blame
from tests.support.outcomes import T0
from tests.support.sample_incident import incident


def say(kind: str, text: str = "", author: str = "ann", **more: Any) -> Entry:
    """A person's entry."""
    return checked_entry(kind, text, author, incident_id="i1", at=T0, **more)


def test_the_latest_of_each_kind_stands() -> None:
    """A blame of one and a severity of another stand side by side; a note changes nothing."""
    first = say("reclassified", blame="account", severity="critical")
    second = say("reclassified", author="bob", blame="network")
    acknowledged = say("acknowledged")
    opinion = opinion_of([first, acknowledged, second, say("note", "looking")])
    assert opinion == Opinion(acknowledged=acknowledged, blamed=second, rated=first)
    assert opinion_of([]) == Opinion()


def test_a_story_is_told_with_the_persons_blame_and_the_computed_one() -> None:
    """Nothing is lost: the computed blame stands in the reason."""
    stored = incident()
    opinion = opinion_of([say("reclassified", "we revoked it", blame="account", severity="notice")])
    told = as_told(stored, opinion)
    assert (told.blame, told.severity) == (Blame.ACCOUNT, Severity.NOTICE)
    assert told.diagnosis.blame_reason == (
        f"reclassified by ann: we revoked it (computed: provider: {stored.diagnosis.blame_reason})"
    )
    assert as_told(stored, Opinion()) == stored
    quiet = as_told(
        replace(stored, diagnosis=Diagnosis()), opinion_of([say("reclassified", blame="network")])
    )
    assert quiet.diagnosis.blame_reason == "reclassified by ann (computed: provider)"


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("opened", {}, "a kind is one of acknowledged, note, reclassified"),
        ("reclassified", {"text": "why"}, "names a blame, a severity, or both"),
        ("reclassified", {"blame": "me"}, "a blame is one of account, provider"),
        ("reclassified", {"severity": "huge"}, "a severity is one of critical"),
        ("note", {"text": "x", "blame": "account"}, "only kind 'reclassified'"),
        ("note", {"text": "  "}, "a note needs a text"),
        ("note", {"text": "x" * 2001}, "at most 2000"),
        ("acknowledged", {"author": ""}, "an author has"),
    ],
)
def test_what_cannot_be_appended_is_refused(kind: str, more: dict[str, str], said: str) -> None:
    """Each with what would be right."""
    with pytest.raises(ValueError, match=said):
        say(kind, **more)


def test_an_entry_says_what_it_names() -> None:
    """One line for the timeline."""
    entry = say("reclassified", "ours", blame="account", severity="minor")
    assert entry_words(entry) == "blame account, severity minor: ours"
    assert entry_words(say("reclassified", blame="account")) == "blame account"
    assert entry_words(say("acknowledged")) == ""
    assert entry_words(Entry(incident_id="i", at=T0, kind=EntryKind.NOTE, text="x")) == "x"
