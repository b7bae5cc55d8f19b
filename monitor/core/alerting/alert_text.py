"""Write the text of an alert: what a person reads on a phone at three in the morning.

::

    DOWN gpt-4o-transcribe realtime (azure-sweden) since 09:30 CET, 2 min
    Works now: whisper-1 realtime, gpt-4o-transcribe rest
    Error: server_error "Input transcription failed". Looks like: provider (passed until 09:29)
    https://earwitness.example/incidents/1 · next word 10:32 CET

Times are in the configured zone, which is named. What stands before the link is at most 240 characters long:
where it would be more, the provider's message is cut first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from monitor.core.alerting.wording import RELAPSE, MessageFacts, link, subject
from monitor.core.diagnosis.title import cell_name
from monitor.core.incidents.incident import Diagnosis, IncidentKind, Phase, StoredIncident
from monitor.core.model import Blame, State, split_target
from monitor.core.sanitize import cut, defuse
from monitor.core.timefmt import duration_words

LONGEST = 240  # characters before the link: what a phone shows at once
# Characters that a provider's message or a reason may take, the most that fits; below 0 fewer names too.
_LIMITS = (160, 100, 60, 30, 0, -1)
_MINUTE, _SHORT = timedelta(minutes=1), timedelta(minutes=10)
_LOOKS_LIKE = {
    Blame.PROVIDER: "provider",
    Blame.ACCOUNT: "our account",
    Blame.NETWORK: "our network",
    Blame.MONITOR: "this monitor",
    Blame.UNKNOWN: "not clear yet",
}


def opened_text(facts: MessageFacts) -> str:
    """What is down since when, what works now, what the provider says, whose fault it looks like."""
    if facts.incident.phase is Phase.RECOVERING:
        return recovering_text(facts)
    return _lasting(facts, facts.incident.state.upper())


def updated_text(facts: MessageFacts) -> str:
    """The hourly word while it lasts, and the word on a change or a relapse."""
    state = facts.incident.state.upper()
    if RELAPSE in facts.changed:
        return _lasting(facts, f"{state} AGAIN")
    still = facts.told_state in (None, facts.incident.condition)
    return _lasting(facts, f"{'STILL' if still else 'NOW'} {state}")


def recovering_text(facts: MessageFacts) -> str:
    """Since when it passes again, and until when it is not safe to go back."""
    incident = facts.incident
    since = f"passes since {local(incident.end, facts)}" if incident.end else "passes again"
    settles = incident.diagnosis.settles_at
    until = f"before {local(settles, facts)}" if settles else "before the word RESOLVED"
    return _assembled(
        facts,
        lambda _: [
            f"RECOVERING {_name(incident)}: {since}{_passes(facts)}",
            f"Not safe to go back {until}",
            _was(facts),
        ],
    )


def resolved_text(facts: MessageFacts) -> str:
    """That it is safe to go back, how long it lasted at least and at most, and where the evidence is."""
    incident = facts.incident
    ticket = f"For a ticket: earwitness evidence {incident.number}" if incident.number else ""
    return _assembled(
        facts,
        lambda _: [
            f"RESOLVED {_name(incident)}: safe to go back{_passes(facts)}",
            _was(facts),
            ticket,
        ],
    )


def unwatched_text(facts: MessageFacts) -> str:
    """That its targets left the configuration while they failed: no word that it is over."""
    incident = facts.incident
    since = f" since {local(incident.end, facts)}" if incident.end else ""
    first = f"WATCHED NO MORE {_name(incident)}{since}: it failed until then"
    return _assembled(facts, lambda _: [first, _was(facts), "Nothing more is told of it"])


def corrected_text(facts: MessageFacts) -> str:
    """What came late changed an incident whose end was told: what it was before, and what it was."""
    first = f"CORRECTED {_name(facts.incident)}: runs that came late changed it"
    return _assembled(facts, lambda limit: [first, _changes(facts, limit), _was(facts)])


def merged_text(facts: MessageFacts) -> str:
    """An incident whose targets another one goes on with: its number, and that nothing is over."""
    incident, joined = facts.incident, facts.incident.diagnosis.joined
    first = f"{_name(incident)} is part of incident {joined}: one event, told there from now on"
    address = link(facts.voice, joined) or f"Incident {incident.number} ends here"
    return "\n".join([first, "Nothing is over by this", address])


def withdrawn_text(facts: MessageFacts) -> str:
    """An incident that was told and is none: why, so that nobody waits for its end."""
    incident = facts.incident
    began = incident.diagnosis.began or incident.start
    return _assembled(
        facts,
        lambda limit: [
            f"WITHDRAWN {_name(incident)}: {_why_withdrawn(incident, limit)}",
            f"It was told as {incident.condition} since {local(began, facts)}",
        ],
    )


def _why_withdrawn(incident: StoredIncident, limit: int) -> str:
    return defuse(incident.diagnosis.dismissed, limit) or "no incident any more"


def owner_text(facts: MessageFacts) -> str:
    """What only the owner is told: what cannot be measured since when, or which target is unstable."""
    incident = facts.incident
    is_open = incident.phase is Phase.OPEN
    word = incident.condition.upper()
    if is_open or incident.end is None:
        first = f"{word} {subject(incident)} since {local(incident.start, facts)}"
    else:
        first = f"NO LONGER {word} {subject(incident)}, was so {_span(incident.start, incident.end, facts)}"
    return _assembled(
        facts,
        lambda limit: [
            f"{first}: {defuse(incident.diagnosis.blame_reason, limit).rstrip('. ')}",
            _OWNER_LINES[incident.kind, is_open],
        ],
    )


_OWNER_LINES = {
    (IncidentKind.BLIND, True): "Neither up nor down until it is measured again: no outage can be seen",
    (IncidentKind.BLIND, False): "It is measured again; what happened meanwhile is unknown",
    (IncidentKind.UNSTABLE, True): "Told once; each of its outages is told by its own incident",
    (IncidentKind.UNSTABLE, False): "It went down six times or fewer in the last 24 hours",
}


def local(instant: datetime, facts: MessageFacts, form: str = "%H:%M") -> str:
    """``09:30 CET``, with the day where it is not today: ``22:31 CET, 16 Nov``."""
    there, now = (one.astimezone(facts.voice.zone) for one in (instant, facts.now))
    day = "" if there.date() == now.date() else f", {there.day} {there:%b}"
    return f"{there:{form}} {there:%Z}{day}"


def last_line(facts: MessageFacts) -> str:
    """The address of the incident, or its number, and when more is told, or who has taken it."""
    incident = facts.incident
    parts = [link(facts.voice, incident.number) or (f"Incident {incident.number}" if incident.number else "")]
    if facts.acknowledged:
        parts.append(f"acknowledged by {defuse(facts.acknowledged, 60)}")
    elif incident.phase is Phase.OPEN and incident.kind is not IncidentKind.UNSTABLE:
        parts.append(f"next word {local(facts.now + facts.voice.repeat, facts)}")
    return " · ".join(part for part in parts if part)


def _lasting(facts: MessageFacts, state: str) -> str:
    incident, found = facts.incident, facts.incident.diagnosis
    began = found.began or incident.start
    if found.ended is not None:  # the worse state is over, degraded goes on
        when = f"{_span(began, found.ended, facts)}, degraded since"
    else:
        when = f"since {local(began, facts)}, {_length(facts.now - began)}{_news(facts)}"
    return _assembled(
        facts,
        lambda limit: [
            f"{state} {_name(incident)} {when}",
            _changes(facts, limit),
            _works_now(facts, 1 if limit < 0 else 3),
            f"{_error(found, limit)}Looks like: {_looks_like(facts, limit)}",
        ],
    )


def _assembled(facts: MessageFacts, lines: Callable[[int], Iterable[str]]) -> str:
    """The lines with as much of the provider's words as fits, and the last line below them."""
    for limit in _LIMITS:
        text = "\n".join(line for line in lines(limit) if line)
        if len(text) <= LONGEST:
            break
    return "\n".join(part for part in (cut(text, LONGEST), last_line(facts)) if part)


def _name(incident: StoredIncident) -> str:
    """``gpt-4o-transcribe realtime (azure-sweden)``; of several targets what they share, and how many."""
    affected = incident.diagnosis.affected
    if len(affected) == 1:
        endpoint, model, pathway = split_target(affected[0])
        return defuse(f"{model} {pathway} ({endpoint})", 100)
    count = f" ({len(affected):,} targets)" if affected else ""
    return f"{cut(subject(incident).replace(' · ', ' '), 90)}{count}"


def _length(length: timedelta) -> str:
    """``2 min``: whole minutes, seconds below one."""
    whole = length // _MINUTE * _MINUTE if length >= _MINUTE else length // timedelta(seconds=1)
    return duration_words(whole if isinstance(whole, timedelta) else timedelta(seconds=whole))


def _news(facts: MessageFacts) -> str:
    if facts.told_total is None or facts.told_failed is None:
        return ""
    failed = max(facts.incident.diagnosis.failed - facts.told_failed, 0)
    total = max(facts.incident.diagnosis.total - facts.told_total, 0)
    return (
        f": {failed:,} of {total:,} failed since the last word" if total else ": no run since the last word"
    )


def _changes(facts: MessageFacts, limit: int) -> str:
    """What is another than it was told; that its targets are not run any more."""
    silent_since = facts.incident.silent_since
    if silent_since is not None:
        since = local(silent_since, facts)
        return f"No run since {since}: nobody knows whether it lasts; next word when it runs"
    words = "; ".join(defuse(change, 120) for change in facts.changed if change != RELAPSE)
    return f"Changed: {cut(words, max(limit, 100))}" if words else ""


def _works_now(facts: MessageFacts, most: int) -> str:
    """What to switch to: so many targets whose newest run passed, and began after the outage did."""
    found = facts.incident.diagnosis
    healthy = [
        near.cell
        for near in found.unaffected
        if (standing := facts.latest.get(near.cell)) is not None and standing.healthy
    ]
    among = [window.cell for window in found.windows]
    names = [defuse(cell_name(cell, among), 60) for cell in healthy[:most]]
    more = f" and {len(healthy) - most} more" if len(healthy) > most else ""
    return f"Works now: {', '.join(names)}{more}" if names else ""


def _error(found: Diagnosis, limit: int) -> str:
    """``Error: server_error "Input transcription failed". ``: the newest run's own words."""
    if not found.signatures:
        return ""
    newest = max(found.signatures, key=lambda one: (one.last_at, one.count))
    kind = defuse(newest.code or newest.type or newest.failure or "unknown", 60)
    said = defuse(newest.said or newest.message or "", limit) if limit > 0 else ""
    more = len(found.signatures) - 1
    others = f" (and {more} other error{'s' * (more > 1)})" if more else ""
    return f'Error: {kind} "{said}"{others}. ' if said else f"Error: {kind}{others}. "


def _looks_like(facts: MessageFacts, limit: int) -> str:
    incident = facts.incident
    also = incident.diagnosis.also_blamed
    words = _LOOKS_LIKE[incident.blame]
    if also is not None:
        words += " and something unclear" if also is Blame.UNKNOWN else f" and {_LOOKS_LIKE[also]}"
    passed = [window.start_after for window in incident.diagnosis.leading if window.start_after]
    if limit <= 0:
        return words
    if incident.blame is Blame.PROVIDER and passed and also is None:
        return f"{words} (passed until {local(max(passed), facts)})"
    reason = defuse(incident.diagnosis.blame_reason, limit).rstrip(". ")
    return f"{words} ({reason})" if reason else words


def _passes(facts: MessageFacts) -> str:
    """``, 5 of 5 runs passed``: since the end, over all affected cells; empty where nothing was counted."""
    cells = {window.cell for window in facts.incident.diagnosis.windows}
    seen = [facts.latest[cell] for cell in cells if cell in facts.latest]
    total = sum(standing.total for standing in seen)
    return f", {sum(one.passed for one in seen):,} of {total:,} runs passed" if total else ""


def _was(facts: MessageFacts) -> str:
    """``Was down 09:30–16:30 CET (at least 6 h 59 min, at most 7 h 1 min), 420 of 420 runs failed``."""
    found = facts.incident.diagnosis
    began = found.began or facts.incident.start
    when = _span(began, found.ended, facts) if found.ended else f"from {local(began, facts)}"
    word = "failed" if facts.incident.state is State.DOWN else "failed, slow or wrong"
    counted = f"{found.failed:,} of {found.total:,} runs {word}"
    return f"Was {facts.incident.state} {when} ({found.bounds.text()}), {counted}"


def _span(start: datetime, end: datetime, facts: MessageFacts) -> str:
    """``09:30–16:30 CET``; each with its day where they lie on two, with seconds where it was short."""
    first, last = (one.astimezone(facts.voice.zone) for one in (start, end))
    if first.date() == last.date():
        form = "%H:%M:%S" if end - start < _SHORT else "%H:%M"
        return f"{first:{form}}–{local(end, facts, form)}"
    return f"{local(start, facts)} – {local(end, facts)}"
