"""What a channel may show of a notice."""

from __future__ import annotations

from monitor.core.alerting.notice_facts import read_facts
from tests.notifiers.samples import LINK, notice


def test_the_link_stands_beside_the_text_and_not_in_it() -> None:
    """Channels with a button show it once."""
    facts = read_facts(notice())
    assert facts.link == LINK
    assert facts.text == "Since 08:30:10 UTC. Unaffected: whisper-1 rest 3/3."


def test_every_fact_is_there_whatever_the_kind() -> None:
    """A notice about no incident has no severity, subject or link, and is not over."""
    facts = read_facts(notice(link=None, severity=None, subject=None, state=None, title=None))
    assert (facts.link, facts.severity, facts.subject, facts.is_over) == ("", "", "", False)
    assert facts.title == "Earwitness"
