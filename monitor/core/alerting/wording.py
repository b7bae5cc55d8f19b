"""What people read about an incident: facts with their counts, in bounded lines; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote

from monitor.core.diagnosis.diagnose import Control
from monitor.core.diagnosis.title import cell_name
from monitor.core.incidents.incident import Diagnosis, StoredIncident
from monitor.core.model import Cell, State
from monitor.core.sanitize import cut, defuse
from monitor.core.timefmt import clock, day, span_words

RELAPSE = "relapse"
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


def short_title(incident: StoredIncident, word: str) -> str:
    """One line for a channel's title, at most 150 characters: ``Still down: gpt-4o-transcribe · …``."""
    return cut(f"{word}: {subject(incident)}", 150)


def link(voice: MessageSettings, number: int | None) -> str | None:
    """The address of the incident's page; None where no public address is configured."""
    if not voice.public_url:
        return None
    page = "" if number is None else f"/{quote(str(number))}"
    return f"{voice.public_url.rstrip('/')}/incidents{page}"


def _counts(found: Diagnosis) -> str:
    controls = found.unaffected
    said = [f"{name} {near.passed:,}/{near.total:,}" for near, name in _named(found, controls)]
    return _with_rest(said, controls)


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
