"""What people read about an incident: facts with their counts, in bounded lines; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote

from monitor.core.diagnosis.diagnose import Control, Signature
from monitor.core.diagnosis.title import cell_name
from monitor.core.incidents.incident import Diagnosis, IncidentKind, Phase, StoredIncident
from monitor.core.model import Cell, State
from monitor.core.sanitize import cut, defuse
from monitor.core.timefmt import clock, day, moment, span_words

RELAPSE = "relapse"
LONGEST_TEXT = 2400
_LONGEST_LINE = 820
_NAMED_CONTROLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """How one cell stands now, read beside the incident.

    `passed` of `total` conclusive runs since the incident's end; both 0 while it has none.
    """

    last_pass: datetime | None = None
    healthy: bool = False  # its newest conclusive run is good, and began when the incident had begun
    passed: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSettings:
    """What every text of this monitor shares: address of its pages, zone of its people, repeat interval."""

    public_url: str | None = None
    zone: tzinfo = UTC
    repeat: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """One text to be written: the incident, how its cells stand, when, and what was told before.

    `told_failed` and `told_total` are the counts of the previous notice, `told_state` its state; `changed`
    says in words what differs from it.
    """

    incident: StoredIncident
    now: datetime
    voice: MessageSettings = MessageSettings()
    latest: Mapping[Cell, Latest] = field(default_factory=dict)
    told_failed: int | None = None
    told_total: int | None = None
    told_state: str | None = None
    changed: Sequence[str] = ()
    acknowledged: str = ""  # by whom


def counted(incident: StoredIncident) -> str:
    """``420/420 runs failed``."""
    word = "failed" if incident.state is State.DOWN else "failed, slow or wrong"
    return f"{incident.diagnosis.failed:,}/{incident.diagnosis.total:,} runs {word}"


def symptom_words(symptom: Signature) -> str:
    """``server at transcribe: server_error, code null, "Input transcription failed"``.

    Failure, stage and the provider's own words in the newest run that says so.
    """
    place = " at ".join(part for part in (symptom.failure or "unknown", symptom.stage) if part)
    code = defuse(symptom.code, 60) if symptom.code else ""
    message = defuse(symptom.said or symptom.message or "", 160)
    kind = f"{defuse(symptom.type, 60)}, code {code or 'null'}" if symptom.type else code
    said = ", ".join(part for part in (kind, f'"{message}"' if message else "") if part)
    return f"{place}: {said}" if said else place


def subject(incident: StoredIncident) -> str:
    """What the incident is about, bounded: ``gpt-4o-transcribe · realtime · swedencentral``."""
    return defuse(incident.diagnosis.subject, 160)


def headline(incident: StoredIncident) -> str:
    """The two lines on top of an incident's page: what, from when to when, how much; what was fine."""
    ended, lasted = incident.diagnosis.ended, incident.diagnosis.bounds.text()
    if ended is not None:
        when = f"was {incident.state} {span_words(_began(incident), ended)} ({lasted})"
    else:
        began = _began(incident)
        when = f"{incident.state} since {clock(began)} UTC, {day(began)} ({lasted})"
    controls = _counts(incident.diagnosis) or _no_control(incident)
    silent = f" N{silence_words(incident)[1:]}." if incident.silent_since else ""
    what = f"{subject(incident)} {when}: {counted(incident)}.{around(incident)}{silent}"
    return f"{what}\nUnaffected: {controls}. Blame: {incident.blame}."


def around(incident: StoredIncident) -> str:
    """`` Degraded 21:25:00–21:40:10 UTC, 17 Nov 2025 around it.`` where it was longer degraded than down."""
    slow = [window for window in incident.diagnosis.windows if window.state is State.DEGRADED]
    if incident.state is not State.DOWN or not slow:
        return ""
    began = min(window.start for window in slow)
    ends = [window.end for window in slow if window.end is not None]
    if len(ends) < len(slow):
        return f" Degraded since {clock(began)} UTC, {day(began)}, and still is."
    return f" Degraded {span_words(began, max(ends))}."


def silence_words(incident: StoredIncident) -> str:
    """That an open incident has no runs any more, so that nobody can say whether it lasts."""
    since = (
        f" since {clock(incident.silent_since)} UTC, {day(incident.silent_since)}"
        if incident.silent_since
        else ""
    )
    return f"no run{since}: not known whether it lasts, no reminder until it runs again"


def _began(incident: StoredIncident) -> datetime:
    return incident.diagnosis.began or incident.start


def opened_text(telling: MessageFacts) -> str:
    """The first alert: what is down since when, what is fine beside it, whose fault and why."""
    if telling.incident.phase is Phase.RECOVERING:
        return recovering_text(telling)
    return _alert(telling, f"{subject(telling.incident)} {telling.incident.state} since")


def updated_text(telling: MessageFacts) -> str:
    """The hourly word while it lasts, and the word on a change or a relapse."""
    relapsed = RELAPSE in telling.changed
    state = (
        f"{telling.incident.state} again (relapse), first"
        if relapsed
        else f"{_still(telling)} {telling.incident.state}"
    )
    return _alert(telling, f"{subject(telling.incident)} {state} since")


def _still(telling: MessageFacts) -> str:
    return "still" if telling.told_state in (None, telling.incident.condition) else "now"


def recovering_text(telling: MessageFacts) -> str:
    """Since when it passes again, with how many runs; and that it is too early to go back."""
    incident, voice = telling.incident, telling.voice
    since = f" since {moment(incident.end, now=telling.now, zone=voice.zone)}" if incident.end else " again"
    passes = _passes(telling, ", {} runs passed")
    first = f"{subject(incident)} recovering: passing{since}{passes}. {_was(incident)}"
    settles_at = incident.diagnosis.settles_at
    until = f"until {clock(settles_at)} UTC" if settles_at else "before the word 'resolved'"
    last = f"Not yet safe to go back: a relapse {until} continues this incident."
    return _three(first, _beside_after(incident), f"{last} {_reference(telling)}")


def resolved_text(telling: MessageFacts) -> str:
    """That it is safe to go back, how long it lasted with both bounds, and where the evidence is."""
    incident = telling.incident
    passes = _passes(telling, ": {} runs passed since")
    first = f"{subject(incident)} resolved, safe to go back{passes}. {_was(incident)}"
    ticket = f"Evidence for a ticket: earwitness evidence {incident.number}." if incident.number else ""
    return _three(first, _beside_after(incident), f"{ticket} {_reference(telling)}")


def unwatched_text(telling: MessageFacts) -> str:
    """That its targets left the configuration while they failed: no word that it is over."""
    incident = telling.incident
    since = f" since {moment(incident.end, now=telling.now, zone=telling.voice.zone)}" if incident.end else ""
    first = f"{subject(incident)} is watched no more{since}, and failed until then. {_was(incident)}"
    return _three(first, "Nothing more will be told of it.", _reference(telling))


def corrected_text(telling: MessageFacts) -> str:
    """What came late changed an incident whose end was told: what it was before, and what it was."""
    incident = telling.incident
    first = f"{subject(incident)} corrected by runs that came late. {_was(incident)}"
    return _three(first, f"{_changes(telling)}{_beside_after(incident)}", _reference(telling))


def merged_text(telling: MessageFacts) -> str:
    """An incident whose targets another one goes on with: its number, and that nothing is over."""
    incident, joined = telling.incident, telling.incident.diagnosis.joined
    first = f"{subject(incident)} is part of incident {joined}: one event, told there from now on."
    address = link(telling.voice, joined)
    return _three(first, "Nothing is over by this.", address or f"Incident {incident.number} ends here.")


def withdrawn_text(telling: MessageFacts) -> str:
    """An incident that was told and is none: why, so that nobody waits for its end."""
    incident = telling.incident
    why = defuse(incident.diagnosis.dismissed, 200) or "no incident any more"
    first = f"{subject(incident)} withdrawn: {why}."
    return _three(
        first,
        f"It was told as {incident.condition} since {clock(_began(incident))} UTC.",
        _reference(telling),
    )


def owner_text(telling: MessageFacts) -> str:
    """What only the owner is told: what cannot be measured since when, or which target is unstable."""
    incident, voice = telling.incident, telling.voice
    reason = defuse(incident.diagnosis.blame_reason, 400).rstrip(". ")
    if incident.phase is Phase.OPEN:
        since = moment(incident.start, now=telling.now, zone=voice.zone)
        first = f"{subject(incident)} {incident.condition} since {since}: {reason}."
    else:
        when = (
            span_words(incident.start, incident.end) if incident.end else f"from {clock(incident.start)} UTC"
        )
        first = f"{subject(incident)} was {incident.condition} {when}: {reason}."
    return _three(first, _OWNER_LINES[incident.kind, incident.phase is Phase.OPEN], _reference(telling))


_OWNER_LINES = {
    (
        IncidentKind.BLIND,
        True,
    ): "Until it is measured again it is neither up nor down, and no outage can be seen.",
    (
        IncidentKind.BLIND,
        False,
    ): "It is measured again. What happened meanwhile is unknown, and is nobody's outage.",
    (
        IncidentKind.UNSTABLE,
        True,
    ): "This is told once; every outage of it goes on to be told by its own incident.",
    (IncidentKind.UNSTABLE, False): "It went down six times or fewer in the last 24 hours.",
}


def short_title(incident: StoredIncident, word: str) -> str:
    """One line for a channel's title, at most 150 characters: ``Still down: gpt-4o-transcribe · …``."""
    return cut(f"{word}: {subject(incident)}", 150)


def link(voice: MessageSettings, number: int | None) -> str | None:
    """The address of the incident's page; None where no public address is configured."""
    if not voice.public_url:
        return None
    page = "" if number is None else f"/{quote(str(number))}"
    return f"{voice.public_url.rstrip('/')}/incidents{page}"


def _alert(telling: MessageFacts, opening: str) -> str:
    incident, voice = telling.incident, telling.voice
    since = moment(_began(incident), now=telling.now, zone=voice.zone)
    found, ended = incident.diagnosis, incident.diagnosis.ended
    if ended is not None:  # degraded goes on
        opening, since = f"{subject(incident)} was {incident.state}", span_words(_began(incident), ended)
    first = f"{opening} {since}: {counted(incident)}{_news(telling)}{_said(incident)}.{around(incident)}"
    controls = _passing(telling) or _no_control(incident)
    second = f"Unaffected: {controls}. {_changes(telling)}{_blame(incident)}"
    healthy = _names(found, [near for near in found.unaffected if _is_healthy(telling, near)])
    now = f"Healthy now: {healthy or 'none that is known'}. " if telling.latest else ""
    third = f"{now}{_reference(telling)}"
    return _three(first, second, third)


def _was(incident: StoredIncident) -> str:
    began, ended = _began(incident), incident.diagnosis.ended
    lasted = incident.diagnosis.bounds.text()
    when = span_words(began, ended) if ended else f"from {clock(began)} UTC, {day(began)}"
    return f"Was {incident.state} {when} ({lasted}): {counted(incident)}.{around(incident)}"


def _news(telling: MessageFacts) -> str:
    if telling.told_total is None or telling.told_failed is None:
        return ""
    failed = max(telling.incident.diagnosis.failed - telling.told_failed, 0)
    total = max(telling.incident.diagnosis.total - telling.told_total, 0)
    return f", {failed:,}/{total:,} since the last update" if total else ", no run since the last update"


def _said(incident: StoredIncident) -> str:
    said = incident.diagnosis.signatures
    if not said:
        return ""
    more = len(said) - 1
    others = f" (and {more} other error{'s' * (more > 1)})" if more else ""
    newest = max(said, key=lambda one: (one.last_at, one.count))
    return f", {symptom_words(newest)}{others}"


def _changes(telling: MessageFacts) -> str:
    words = "; ".join(defuse(change, 120) for change in telling.changed if change != RELAPSE)
    return f"Changed: {cut(words, 240)}. " if words else ""


def _blame(incident: StoredIncident) -> str:
    reason = defuse(incident.diagnosis.blame_reason, 260).rstrip(". ")
    return f"Blame: {incident.blame}: {reason}." if reason else f"Blame: {incident.blame}."


def _beside_after(incident: StoredIncident) -> str:
    controls = _counts(incident.diagnosis) or _no_control(incident)
    return f"Unaffected: {controls}. {_blame(incident)}"


def _reference(telling: MessageFacts) -> str:
    incident = telling.incident
    parts = [] if incident.number is None else [f"Incident {incident.number}"]
    if incident.opened_at:
        parts.append(f"decided {clock(incident.opened_at)}")
    if telling.acknowledged:
        parts.append(f"acknowledged by {defuse(telling.acknowledged, 60)}")
    elif incident.phase is Phase.OPEN and incident.kind is not IncidentKind.UNSTABLE:
        parts.append(f"next update {(telling.now + telling.voice.repeat).astimezone(UTC):%H:%M}")
    address = link(telling.voice, incident.number)
    said = ", ".join(parts)
    return f"{said}: {address}" if address else f"{said}."


def _passes(telling: MessageFacts, form: str) -> str:
    """The runs since the end over all affected cells, in *form*; empty where nothing was counted."""
    cells = {window.cell for window in telling.incident.diagnosis.windows}
    seen = [telling.latest[cell] for cell in cells if cell in telling.latest]
    total = sum(standing.total for standing in seen)
    return form.format(f"{sum(standing.passed for standing in seen):,}/{total:,}") if total else ""


def _is_healthy(telling: MessageFacts, near: Control) -> bool:
    standing = telling.latest.get(near.cell)
    return standing is not None and standing.healthy


def _passing(telling: MessageFacts) -> str:
    """``gpt-4o-transcribe rest (passed 08:32:14), whisper-1 realtime (08:32:16)``; counts where unknown."""
    found, said = telling.incident.diagnosis, []
    for near, name in _named(found, found.unaffected):
        standing = telling.latest.get(near.cell)
        if standing is None or standing.last_pass is None:
            said.append(f"{name} ({near.passed:,}/{near.total:,} passed)")
        else:
            word = "" if any("(passed " in part for part in said) else "passed "
            at = moment(standing.last_pass, now=telling.now, zone=UTC).replace(" UTC", "", 1)
            said.append(f"{name} ({word}{at})")
    return _with_rest(said, found.unaffected)


def _counts(found: Diagnosis) -> str:
    controls = found.unaffected
    said = [f"{name} {near.passed:,}/{near.total:,}" for near, name in _named(found, controls)]
    return _with_rest(said, controls)


def _names(found: Diagnosis, controls: Sequence[Control]) -> str:
    return _with_rest([name for _, name in _named(found, controls)], controls)


def _named(found: Diagnosis, controls: Sequence[Control]) -> Iterable[tuple[Control, str]]:
    cells = [window.cell for window in found.windows]
    return [(near, defuse(cell_name(near.cell, cells), 100)) for near in controls[:_NAMED_CONTROLS]]


def _no_control(incident: StoredIncident) -> str:
    """Why no healthy neighbour is named; that none was healthy only where it is so."""
    beside = incident.diagnosis.beside
    if beside is None or (beside.failing and not beside.unknown):
        return "no other target was healthy in this time"
    if unknown := beside.unknown:
        have = "target has" if unknown == 1 else "targets have"
        return f"not known: {unknown:,} other {have} no run since it began, or a failed one last"
    return "no other target was measured in this time"


def _with_rest(said: Sequence[str], controls: Sequence[Control]) -> str:
    more = len(controls) - len(said)
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")


def _three(*lines: str) -> str:
    return cut("\n".join(cut(line.strip(), _LONGEST_LINE) for line in lines if line.strip()), LONGEST_TEXT)
