"""What is owed to whom, when and why: driven through the life of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.core.alerting.decide import Decision, Policy, decide
from monitor.core.alerting.notice import Notice, NoticeKind, notice_id
from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import IncidentKind, Phase, StoredIncident
from monitor.core.model import Blame
from tests.support.sample_incident import (
    DECIDED,
    END,
    FAILING,
    MINUTE,
    VOICE,
    document,
    incident,
    latest_at,
    window,
)

FAILING_CELL = {"target": FAILING.target, "location": FAILING.location}
ONCALL = Policy(channel="oncall")
OWNER = Policy(channel="owner", when=frozenset({"account", "monitor"}))


def ask(
    stored: StoredIncident, sent: Sequence[Notice] = (), now: datetime = DECIDED, policy: Policy = ONCALL
) -> Decision:
    """The one decision about one incident on one channel."""
    (decision,) = decide([stored], sent, [policy], now=now, voice=VOICE, latest=lambda _story: latest_at(now))
    return decision


def tell(stored: StoredIncident, sent: Sequence[Notice] = (), now: datetime = DECIDED) -> Notice:
    """The notice that is owed, delivered at once."""
    notice = ask(stored, sent, now).notice
    assert notice is not None
    return replace(notice, sent_at=now)


def grown(runs: int, **parts: Any) -> StoredIncident:
    """The open incident after so many bad runs."""
    last: dict[str, Any] = {"end_after": "2025-11-17T09:30:10Z"} if runs > 3 else {}
    return incident(document=document(runs, window(failed=runs, total=runs, **last)), **parts)


def test_a_suspicion_is_not_sent() -> None:
    """One bad run wakes nobody."""
    assert ask(incident(Phase.SUSPECTED, number=None)).reason == "a suspicion is shown, not sent"
    assert not ask(incident(Phase.DISMISSED, number=None)).send


def test_an_open_incident_is_told_once_per_channel() -> None:
    """The second decision over the same rows is silence, with its reason."""
    opened = tell(incident())
    assert opened.kind is NoticeKind.OPENED
    assert (opened.sequence, opened.due_at) == (1, DECIDED)
    again = ask(incident(), [opened], DECIDED + MINUTE)
    assert (again.send, again.reason) == (False, "nothing changed inside the repeat interval")


def test_the_same_rows_give_the_same_notice() -> None:
    """A crash between deciding and storing cannot make two notices of one."""
    assert ask(incident()).notice == ask(incident()).notice
    assert ask(incident(), now=DECIDED + MINUTE).notice.id == ask(incident()).notice.id  # type: ignore[union-attr]


def test_ids_differ_by_incident_channel_kind_and_sequence() -> None:
    """No two different notices share an id."""
    kinds = (NoticeKind.OPENED, NoticeKind.UPDATED)
    ids = {notice_id(i, c, k, n) for i in "ab" for c in "xy" for k in kinds for n in (1, 2)}
    assert len(ids) == 16
    assert all(identity.startswith("msg_") and len(identity) == 36 for identity in ids)


def test_an_update_comes_every_hour_also_when_nothing_changed() -> None:
    """Silence for seven hours is no answer to "is it still down?"."""
    sent = [tell(grown(3))]
    for hour in range(1, 8):
        now = DECIDED + timedelta(hours=hour)
        assert not ask(grown(3 + 60 * hour), sent, now - MINUTE).send
        sent.append(tell(grown(3 + 60 * hour), sent, now))
    assert [notice.kind for notice in sent[1:]] == [NoticeKind.UPDATED] * 7
    assert [notice.sequence for notice in sent] == list(range(1, 9))
    assert "60 of 60 failed since the last word" in sent[-1].body["data"]["text"]


def test_a_changed_blame_is_told_after_the_group_interval() -> None:
    """Changes wait five minutes for more of their kind, then go out with their words."""
    opened = tell(incident(blame=Blame.UNKNOWN))
    waiting = ask(incident(), [opened], DECIDED + 4 * MINUTE)
    assert (waiting.send, waiting.reason) == (False, "changed inside the group interval")
    due = ask(incident(), [opened], DECIDED + 5 * MINUTE)
    assert due.reason == "blame provider (was unknown)"
    assert due.notice is not None
    assert due.notice.body["data"]["changed"] == ["blame provider (was unknown)"]


def test_a_rise_is_told_at_once_whatever_brake_is_on() -> None:
    """Degraded to down, major to critical, a wider scope: inside the group interval, and behind a notice."""
    soon = DECIDED + timedelta(seconds=10)
    slow = document(3, window(state="degraded"))
    opened = tell(incident(document=slow, severity=Severity.MINOR))
    undelivered = replace(opened, sent_at=None)
    for told in (opened, undelivered):
        risen = ask(incident(), [told], soon).notice
        assert risen is not None
        assert risen.body["data"]["title"].startswith("Now down: ")
        assert risen.body["data"]["changed"] == ["now down (was degraded)", "severity major (was minor)"]
    opened = tell(incident())
    assert ask(incident(severity=Severity.CRITICAL), [opened], soon).reason == "severity critical (was major)"
    two = document(3, window(), affected=["a/b/c", "a/b/d"], subject="gpt-4o-transcribe · swedencentral")
    assert ask(incident(document=two), [opened], soon).reason == "2 targets affected (was 1)"
    more = document(3, window(), affected=["a/b/c", "a/b/d"])
    assert ask(incident(document=more), [opened], soon).reason == "changed inside the group interval"


def test_a_relapse_that_is_worse_waits_for_nothing() -> None:
    """What flaps as degraded and then goes down is told in the same second."""
    slow: dict[str, Any] = {
        "document": document(3, window(state="degraded")),
        "severity": Severity.MINOR,
    }
    now = DECIDED + 10 * MINUTE
    sent = [tell(incident(**slow))]
    sent.append(tell(incident(Phase.RECOVERING, **slow), sent, now))
    sent.append(tell(incident(**slow), sent, now + MINUTE))
    sent.append(tell(incident(Phase.RECOVERING, **slow), sent, now + 6 * MINUTE))
    assert not ask(incident(**slow), sent, now + 7 * MINUTE).send
    down = ask(incident(), sent, now + 7 * MINUTE).notice
    assert down is not None
    assert down.body["data"]["title"].startswith("Down again: ")


def test_maintenance_inside_an_outage_sends_no_reminder_and_is_left_out_of_its_length() -> None:
    """Between its start and end nobody is reminded; at least is what was measured as failing."""
    hour = timedelta(hours=1)
    pause = {**FAILING_CELL, "from": "2025-11-17T09:00:10Z", "to": "2025-11-17T10:00:10Z"}
    failing = window(failed=60, total=60, end_after="2025-11-17T10:30:10Z")
    stored = incident(document=document(60, failing, pauses=[pause]))
    opened = tell(incident())
    held = ask(stored, [opened], DECIDED + hour)
    assert (held.send, held.reason) == (False, "planned maintenance: no reminder")
    reminder = ask(stored, [opened], DECIDED + 2 * hour).notice
    assert reminder is not None
    assert reminder.body["data"]["at_least_s"] == hour.total_seconds()


def test_what_has_no_runs_any_more_is_told_so_once() -> None:
    """A target that is watched no more reminds nobody for ever; a run brings the reminders back."""
    hour = timedelta(hours=1)
    gap = {**FAILING_CELL, "from": "2025-11-17T08:32:10Z", "to": "2025-11-17T09:32:10Z"}
    silent = incident(document=document(3, window(), gaps=[gap]))
    sent = [tell(incident())]
    sent.append(tell(silent, sent, DECIDED + hour))
    words = (
        "no run since 08:32:10 UTC, 17 Nov 2025: not known whether it lasts, no reminder until it runs again"
    )
    assert sent[-1].body["data"]["changed"] == [words]
    assert "No run since 08:32 UTC: " in sent[-1].body["data"]["text"]
    for hours in range(2, 30):
        assert ask(silent, sent, DECIDED + hours * hour).reason == words
    assert ask(grown(63), sent, DECIDED + 31 * hour).reason == "the repeat interval has passed"


def test_recovery_and_resolution_are_told_once_each() -> None:
    """The story ends with recovering, then resolved, then silence."""
    sent = [tell(incident())]
    sent.append(tell(incident(Phase.RECOVERING), sent, END + 4 * MINUTE))
    assert ask(incident(Phase.RECOVERING), sent, END + 9 * MINUTE).reason == "the recovery was told"
    sent.append(tell(incident(Phase.RESOLVED), sent, END + 20 * MINUTE))
    assert [notice.kind for notice in sent] == [NoticeKind.OPENED, NoticeKind.RECOVERING, NoticeKind.RESOLVED]
    assert [notice.body["data"]["state"] for notice in sent] == ["down", "recovering", "resolved"]
    assert ask(incident(Phase.RESOLVED), sent, END + 21 * MINUTE).reason == "its end was told"


def test_a_relapse_is_told_at_once_and_flapping_is_held_back() -> None:
    """The first relapse is news; the next ones wait for the group interval."""
    now = DECIDED + 10 * MINUTE
    sent = [tell(incident())]
    sent.append(tell(incident(Phase.RECOVERING), sent, now))
    relapse = ask(incident(), sent, now + MINUTE)
    assert (relapse.send, relapse.reason) == (True, "relapse")
    sent.append(tell(incident(), sent, now + MINUTE))
    assert "DOWN AGAIN " in sent[-1].body["data"]["text"]
    held = ask(incident(Phase.RECOVERING), sent, now + 2 * MINUTE)
    assert held.reason == "another recovery inside the group interval"
    sent.append(tell(incident(Phase.RECOVERING), sent, now + 6 * MINUTE))
    assert ask(incident(), sent, now + 7 * MINUTE).reason == "another relapse inside the group interval"
    assert ask(incident(), sent, now + 11 * MINUTE).reason == "relapse"


def test_the_end_is_never_told_without_the_beginning() -> None:
    """A channel that heard nothing is not told that nothing is over."""
    assert ask(incident(Phase.RESOLVED), [], END).reason == "it ended before anything was sent"


def test_after_an_opening_that_could_not_be_delivered_there_is_silence() -> None:
    """A receiver that never heard of the incident gets neither updates nor its end."""
    lost = replace(tell(incident()), sent_at=None, gave_up_at=DECIDED, last_reply="status 410")
    decision = ask(incident(Phase.RESOLVED), [lost], END)
    assert (decision.send, decision.reason) == (False, "its opening could not be delivered: status 410")


def test_updates_do_not_pile_up_before_a_receiver_that_is_away() -> None:
    """While a notice is undelivered no update joins it; recovery and end do, in their order."""
    waiting = replace(tell(incident()), sent_at=None)
    assert (
        ask(incident(), [waiting], DECIDED + 120 * MINUTE).reason == "the previous notice is still on its way"
    )
    recovering = ask(incident(Phase.RECOVERING), [waiting], END).notice
    assert recovering is not None
    assert recovering.sequence == 2


def test_a_channel_that_hears_of_it_during_the_recovery_hears_the_truth() -> None:
    """Its first notice says recovering, and the next one is the end."""
    sent = [tell(incident(Phase.RECOVERING), now=END + 4 * MINUTE)]
    assert (sent[0].kind, sent[0].body["data"]["state"]) == (NoticeKind.OPENED, "recovering")
    assert not ask(incident(Phase.RECOVERING), sent, END + 9 * MINUTE).send
    assert tell(incident(Phase.RESOLVED), sent, END + 20 * MINUTE).kind is NoticeKind.RESOLVED


@pytest.mark.parametrize("blame", [Blame.ACCOUNT, Blame.MONITOR])
def test_our_own_faults_go_only_to_channels_that_ask_for_them(blame: Blame) -> None:
    """The owner hears of a revoked key; whoever is on call does not."""
    stored = incident(blame=blame)
    assert ask(stored).reason == f"the channel does not ask for '{blame}'"
    assert ask(stored, policy=OWNER).send


def test_an_outage_goes_not_to_a_channel_for_our_own_faults() -> None:
    """The other way round as well, and degraded is a word of its own."""
    assert ask(incident(), policy=OWNER).reason == "the channel does not ask for 'down'"
    slow = incident(document=document(4, window(state="degraded")))
    assert not ask(slow, policy=Policy(channel="x", when=frozenset({"down"}))).send


def test_whoever_heard_the_beginning_hears_the_end_though_the_blame_moved() -> None:
    """A blame refined to the account does not leave a channel with an open alert for ever."""
    opened = tell(incident(blame=Blame.UNKNOWN))
    moved = incident(Phase.RESOLVED, blame=Blame.ACCOUNT)
    assert ask(moved, [opened], END).notice.kind is NoticeKind.RESOLVED  # type: ignore[union-attr]


def test_an_open_incident_out_of_an_old_import_wakes_nobody() -> None:
    """What was last seen failing a day ago is history."""
    assert (
        ask(incident(), now=DECIDED + timedelta(days=2)).reason == "its last bad run is older than 24 hours"
    )


def test_channels_do_not_share_what_they_were_told() -> None:
    """Each channel has its own sequence; a new one starts with the opening."""
    opened = tell(incident())
    new = Policy(channel="second")
    first, second = decide([incident()], [opened], [ONCALL, new], now=DECIDED + MINUTE, voice=VOICE)
    assert (first.send, second.send) == (False, True)
    assert (second.channel, second.incident_id) == ("second", "0193-incident")


def test_what_came_late_corrects_an_end_that_was_told() -> None:
    """One more notice, with what was said before; then silence again."""
    sent = [tell(incident())]
    sent.append(tell(incident(Phase.RESOLVED), sent, END + 20 * MINUTE))
    longer = incident(Phase.RESOLVED, end=END + 10 * MINUTE)
    corrected = ask(longer, sent, END + 90 * MINUTE).notice
    assert corrected is not None
    data = corrected.body["data"]
    assert (corrected.kind, corrected.sequence, data["state"]) == (NoticeKind.UPDATED, 3, "resolved")
    assert data["title"].startswith("Corrected: ")
    assert "Changed: ended 2025-11-17T15:40:10Z (was 2025-11-17T15:30:10Z)" in data["text"]
    sent.append(replace(corrected, sent_at=END + 90 * MINUTE))
    assert ask(longer, sent, END + 91 * MINUTE).reason == "its end was told"


def test_a_beginning_that_moved_is_told_while_it_lasts() -> None:
    """A spool that arrives late may show that it began earlier."""
    opened = tell(incident())
    earlier = incident(start=incident().start - 5 * MINUTE)
    assert ask(earlier, [opened], DECIDED + 6 * MINUTE).reason == (
        "began 2025-11-17T08:25:10Z (was 2025-11-17T08:30:10Z)"
    )


def test_an_incident_that_another_one_goes_on_with_is_told_as_part_of_it() -> None:
    """Nothing is withdrawn where one event was told as two: its end names the number that stays."""
    joined = document(3, window(), dismissed="joined incident 7", joined=7)
    notice = ask(incident(Phase.DISMISSED, document=joined), [tell(incident())], DECIDED + MINUTE).notice
    assert notice is not None
    data = notice.body["data"]
    assert (notice.kind, data["state"]) == (NoticeKind.RESOLVED, "resolved")
    assert data["title"].startswith("Now part of incident 7: ")
    assert "is part of incident 7: one event" in data["text"]


def test_an_incident_that_was_told_and_is_none_is_withdrawn_once() -> None:
    """Nobody waits for its end; who was told nothing hears nothing."""
    opened = tell(incident())
    gone = incident(Phase.DISMISSED, document=document(3, window(), dismissed="nothing bears it out"))
    withdrawn = ask(gone, [opened], DECIDED + MINUTE).notice
    assert withdrawn is not None
    data = withdrawn.body["data"]
    assert (withdrawn.kind, data["state"]) == (NoticeKind.RESOLVED, "resolved")
    assert data["title"].startswith("Withdrawn: ")
    assert ": nothing bears it out" in data["text"]
    assert not ask(gone, [opened, replace(withdrawn, sent_at=DECIDED)], DECIDED + 2 * MINUTE).send
    assert ask(gone).reason == "it came to nothing before anything was sent"


def owners(kind: IncidentKind, phase: Phase = Phase.OPEN, **parts: Any) -> StoredIncident:
    """An incident that only the owner is told."""
    contents = {
        "subject": "berlin",
        "affected": [],
        "scope": [{"location": "berlin"}],
        "blame_reason": "nothing was reachable: a, b",
    }
    return incident(
        phase, blame=Blame.MONITOR, severity=Severity.NOTICE, document=contents, kind=kind, **parts
    )


def test_blindness_is_told_to_the_owner_alone_and_repeated() -> None:
    """With its reason, and that nothing is known meanwhile; and that it is over."""
    stored = owners(IncidentKind.BLIND)
    assert ask(stored).reason == "the channel does not ask for 'monitor'"
    opened = ask(stored, policy=OWNER).notice
    assert opened is not None
    data = opened.body["data"]
    assert (data["state"], data["title"]) == ("blind", "Blind: berlin")
    assert data["text"].startswith("BLIND berlin since 08:30 UTC: nothing was reachable: a, b\nNeither ")
    sent = [replace(opened, sent_at=DECIDED)]
    hourly = ask(stored, sent, DECIDED + timedelta(hours=1), policy=OWNER)
    assert hourly.reason == "the repeat interval has passed"
    over = ask(owners(IncidentKind.BLIND, Phase.RESOLVED), sent, END + 20 * MINUTE, policy=OWNER).notice
    assert over is not None
    assert over.body["data"]["text"].startswith("NO LONGER BLIND berlin, was so 08:30–15:30 UTC: ")


def test_instability_is_told_once() -> None:
    """No hourly word, no promise of one, and its end."""
    stored = owners(IncidentKind.UNSTABLE)
    opened = ask(stored, policy=OWNER).notice
    assert opened is not None
    assert "next update" not in opened.body["data"]["text"]
    sent = [replace(opened, sent_at=DECIDED)]
    assert (
        ask(stored, sent, DECIDED + timedelta(hours=5), policy=OWNER).reason
        == "what is unstable is told once"
    )
    assert ask(owners(IncidentKind.UNSTABLE, Phase.RESOLVED), sent, END, policy=OWNER).send


@pytest.mark.parametrize(
    ("blame", "also"), [("account", "provider"), ("monitor", "unknown"), ("account", "network")]
)
def test_what_is_ours_and_the_providers_at_once_is_told_to_on_call(blame: str, also: str) -> None:
    """Ours alone is the owner's; with the other side in it the channel for outages is told."""
    ours = incident(blame=Blame(blame))
    assert not ask(ours).send
    both = replace(ours, diagnosis=replace(ours.diagnosis, also_blamed=Blame(also)))
    assert ask(both).send
    assert not ask(both, policy=OWNER).send
