"""Incidents, what was sent, policies and now give notices, each with a reason; silence too.

Everything follows from rows: what was told stands in the notices themselves. It sends nothing, and
it never tells the end of an incident to a channel that was not told its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.alerting.message import compose_body, corrections, differences, rises
from monitor.core.alerting.notice import Notice, NoticeKind, notice_id
from monitor.core.alerting.wording import RELAPSE, Latest, MessageFacts, MessageSettings, silence_words
from monitor.core.incidents.annotations import Opinion, as_told
from monitor.core.incidents.incident import IncidentKind, Phase, StoredIncident
from monitor.core.model import Blame, Cell

# Alertmanager's words: how long a changed group waits for more, and how old news may be to be news.
GROUP_INTERVAL = timedelta(minutes=5)
LONG_PAST = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one channel wants: `when` holds some of `down degraded account monitor`."""

    channel: str
    when: frozenset[str] = frozenset({"down", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a notice is owed to a channel about an incident, and why (also why not)."""

    send: bool
    reason: str
    notice: Notice | None = None
    channel: str = ""
    incident_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KindOwed:
    """What one channel is owed about one incident: a kind, or silence where it is None."""

    kind: NoticeKind | None
    reason: str
    changed: tuple[str, ...] = ()


def decide(
    incidents: Iterable[StoredIncident],
    sent: Iterable[Notice],
    policies: Sequence[Policy],
    *,
    now: datetime,
    voice: MessageSettings,
    latest: Callable[[StoredIncident], Mapping[Cell, Latest]] | None = None,
    opinions: Mapping[str, Opinion] | None = None,
) -> list[Decision]:
    """One decision for every incident and channel, in the order of incidents, then of policies.

    *incidents* are those not yet resolved and those just resolved; *sent* holds every notice about
    them, delivered or not; *latest* reads how an incident's cells stand, and is asked only where a
    text is written; *opinions* holds by id what people say of them. The same rows give the same ids, so
    that a decision taken twice is one.
    """
    told: dict[tuple[str | None, str], list[Notice]] = {}
    for notice in sorted(sent, key=lambda notice: notice.sequence):
        told.setdefault((notice.incident_id, notice.channel), []).append(notice)
    decisions = []
    for computed in incidents:
        opinion = (opinions or {}).get(computed.id, Opinion())
        incident = as_told(computed, opinion)
        for policy in policies:
            known = told.get((incident.id, policy.channel), [])
            owed = _owed(incident, known, policy, now, voice, opinion)
            decisions.append(_decision(incident, owed, known, policy.channel, now, voice, latest, opinion))
    return decisions


def topic(incident: StoredIncident) -> str:
    """The word of a channel's `when` that this incident falls under.

    What is the account's and the provider's at once is told as an outage.
    """
    if incident.kind is not IncidentKind.OUTAGE:
        return str(Blame.MONITOR)
    ours = incident.blame in (Blame.ACCOUNT, Blame.MONITOR) and incident.diagnosis.also_blamed is None
    return str(incident.blame) if ours else str(incident.state)


def _owed(
    incident: StoredIncident,
    told: Sequence[Notice],
    policy: Policy,
    now: datetime,
    voice: MessageSettings,
    opinion: Opinion,
) -> _KindOwed:
    if incident.phase is Phase.SUSPECTED:
        return _KindOwed(kind=None, reason="a suspicion is shown, not sent")
    if not told:
        return _first(incident, policy, now)
    if told[0].gave_up_at is not None:
        return _KindOwed(
            kind=None, reason=f"its opening could not be delivered: {told[0].last_reply or 'gave up'}"
        )
    state = str(told[-1].body["data"]["state"])
    if incident.phase in (Phase.RESOLVED, Phase.DISMISSED):
        return _ending(incident, told[-1], state)
    if incident.phase is Phase.RECOVERING:
        return _recovery(told, state, now)
    return _while_open(incident, told, state, now, voice, opinion)


def _ending(incident: StoredIncident, last: Notice, state: str) -> _KindOwed:
    """The end, once; and what came late, where it moves an edge that was told."""
    if state != "resolved":
        return _KindOwed(kind=NoticeKind.RESOLVED, reason=incident.diagnosis.dismissed or "resolved")
    changed = () if incident.phase is Phase.DISMISSED else corrections(incident, last.body["data"])
    if changed:
        return _KindOwed(kind=NoticeKind.UPDATED, reason="; ".join(changed), changed=changed)
    return _KindOwed(kind=None, reason="its end was told")


def _first(incident: StoredIncident, policy: Policy, now: datetime) -> _KindOwed:
    if incident.phase is Phase.DISMISSED:
        return _KindOwed(kind=None, reason="it came to nothing before anything was sent")
    if topic(incident) not in policy.when:
        return _KindOwed(kind=None, reason=f"the channel does not ask for '{topic(incident)}'")
    if incident.phase is Phase.RESOLVED:
        return _KindOwed(kind=None, reason="it ended before anything was sent")
    newest = max((window.end_after for window in incident.diagnosis.windows), default=incident.start)
    if now - newest > LONG_PAST:
        return _KindOwed(kind=None, reason="its last bad run is older than 24 hours")
    return _KindOwed(kind=NoticeKind.OPENED, reason="first notice")


def _recovery(told: Sequence[Notice], state: str, now: datetime) -> _KindOwed:
    if state in ("recovering", "resolved"):
        return _KindOwed(kind=None, reason="the recovery was told")
    if _is_news_again(told, "recovering") and now - told[-1].created_at < GROUP_INTERVAL:
        return _KindOwed(kind=None, reason="another recovery inside the group interval")
    return _KindOwed(kind=NoticeKind.RECOVERING, reason="passing again")


def _while_open(
    incident: StoredIncident,
    told: Sequence[Notice],
    state: str,
    now: datetime,
    voice: MessageSettings,
    opinion: Opinion,
) -> _KindOwed:
    since = now - told[-1].created_at
    worse = _rise(incident, told)
    if state in ("recovering", "resolved"):
        if (
            not worse
            and len(told) > 2
            and since < GROUP_INTERVAL
            and any(RELAPSE in _changed(old) for old in told)
        ):
            return _KindOwed(kind=None, reason="another relapse inside the group interval")
        return _KindOwed(kind=NoticeKind.UPDATED, reason="relapse", changed=(RELAPSE, *worse))
    changed = differences(incident, told[-1].body["data"])
    if worse:  # no brake holds it, and it waits behind no other notice
        return _KindOwed(
            kind=NoticeKind.UPDATED, reason="; ".join(changed or worse), changed=changed or worse
        )
    if told[-1].sent_at is None and told[-1].gave_up_at is None:
        return _KindOwed(kind=None, reason="the previous notice is still on its way")
    if changed and since >= GROUP_INTERVAL:
        return _KindOwed(kind=NoticeKind.UPDATED, reason="; ".join(changed), changed=changed)
    if since >= voice.repeat:
        return _reminder(incident, told, now, opinion)
    if changed:
        return _KindOwed(kind=None, reason="changed inside the group interval")
    return _KindOwed(kind=None, reason="nothing changed inside the repeat interval")


def _reminder(incident: StoredIncident, told: Sequence[Notice], now: datetime, opinion: Opinion) -> _KindOwed:
    """The word after the repeat interval, or why there is none."""
    if incident.kind is IncidentKind.UNSTABLE:
        return _KindOwed(kind=None, reason="what is unstable is told once")
    if opinion.acknowledged:
        return _KindOwed(kind=None, reason=f"acknowledged by {opinion.acknowledged.author}: no reminder")
    if _is_paused(incident, now):
        return _KindOwed(kind=None, reason="planned maintenance: no reminder")
    if incident.silent_since is not None:
        return _silence(incident, told)
    return _KindOwed(kind=NoticeKind.UPDATED, reason="the repeat interval has passed")


def _is_paused(incident: StoredIncident, now: datetime) -> bool:
    """Whether everything that fails is in planned maintenance now."""
    failing = {window.cell for window in incident.diagnosis.windows if window.end is None}
    paused = {pause.cell for pause in incident.diagnosis.pauses if pause.start <= now < pause.end}
    return bool(failing) and failing <= paused


def _silence(incident: StoredIncident, told: Sequence[Notice]) -> _KindOwed:
    """That nothing is known any more, once: a target that is watched no more is not reminded of for ever."""
    words = silence_words(incident)
    if words in _changed(told[-1]):
        return _KindOwed(kind=None, reason=words)
    return _KindOwed(kind=NoticeKind.UPDATED, reason=words, changed=(words,))


def _rise(incident: StoredIncident, told: Sequence[Notice]) -> tuple[str, ...]:
    """In words, what is worse now than what was told last of the failing incident; empty where nothing is."""
    failing = [
        one.body["data"] for one in told if one.body["data"]["state"] not in ("recovering", "resolved")
    ]
    return rises(incident, failing[-1]) if failing else ()


def _is_news_again(told: Sequence[Notice], state: str) -> bool:
    return any(notice.body["data"]["state"] == state for notice in told)


def _changed(notice: Notice) -> Sequence[str]:
    changed: Sequence[str] = notice.body["data"].get("changed", ())
    return changed


def _decision(
    incident: StoredIncident,
    owed: _KindOwed,
    told: Sequence[Notice],
    channel: str,
    now: datetime,
    voice: MessageSettings,
    latest: Callable[[StoredIncident], Mapping[Cell, Latest]] | None,
    opinion: Opinion,
) -> Decision:
    if owed.kind is None:
        return Decision(send=False, reason=owed.reason, channel=channel, incident_id=incident.id)
    before = told[-1].body["data"] if told else {}
    telling = MessageFacts(
        incident=incident,
        now=now,
        voice=voice,
        latest=latest(incident) if latest else {},
        told_failed=before.get("failed"),
        told_total=before.get("total"),
        told_state=before.get("state"),
        changed=owed.changed,
        acknowledged=opinion.acknowledged.author if opinion.acknowledged else "",
    )
    sequence = told[-1].sequence + 1 if told else 1
    notice = Notice(
        id=notice_id(incident.id, channel, owed.kind, sequence),
        channel=channel,
        incident_id=incident.id,
        kind=owed.kind,
        sequence=sequence,
        created_at=now,
        body=compose_body(owed.kind, telling, sequence),
        due_at=now,
    )
    return Decision(send=True, reason=owed.reason, notice=notice, channel=channel, incident_id=incident.id)
