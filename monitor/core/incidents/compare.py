"""What a derivation says against what is stored: equal under the same rule; else what differs, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from monitor.core.incidents.codec import incident_to_json, stored_incident_to_json, window_to_json
from monitor.core.incidents.incident import Derivation, IncidentKind, Phase, StoredIncident
from monitor.core.incidents.reconcile import match
from monitor.core.outages.windows import Window, overlaps
from monitor.core.sanitize import one_line

_LONGEST = 400
_WORDS = frozenset({"title"})  # made of the other keys; another version may have worded it otherwise


class Pair(NamedTuple):
    """One thing as stored and as replayed; None where only the other side knows it."""

    stored: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None

    @property
    def differs(self) -> tuple[str, ...]:
        """The keys whose values differ; empty where one side is missing."""
        if self.stored is None or self.replayed is None:
            return ()
        facts = (key for key in self.replayed if key not in _WORDS)
        return tuple(key for key in facts if self.stored.get(key) != self.replayed[key])


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The windows and incidents that are not the same on both sides, in order of start."""

    windows: tuple[Pair, ...]
    incidents: tuple[Pair, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.windows or self.incidents)


def compare(
    windows: Iterable[Window], incidents: Iterable[StoredIncident], derivation: Derivation, *, now: datetime
) -> Difference:
    """Stored *windows* and *incidents* against a derivation as of *now*, over the time it speaks of.

    Numbers are left out: a replay numbers its incidents by start.
    """
    since = derivation.since
    known = [one for one in windows if one.start <= now and _reaches(one.end, since)]
    told = [one for one in incidents if _counts(one) and one.start <= now and _reaches(one.end, since)]
    return Difference(
        windows=tuple(_changed(_window_pairs(known, derivation.windows))),
        incidents=tuple(_changed(_incident_pairs(told, derivation))),
    )


def _counts(one: StoredIncident) -> bool:
    if one.kind is not IncidentKind.OUTAGE or one.phase is Phase.DISMISSED:
        return False
    return one.number is not None or bool(one.diagnosis.windows)  # or it has not settled yet


def _reaches(end: datetime | None, since: datetime | None) -> bool:
    return since is None or end is None or end > since


def _changed(pairs: Iterable[Pair]) -> list[Pair]:
    found = [pair for pair in pairs if pair.stored is None or pair.replayed is None or pair.differs]
    return sorted(found, key=lambda pair: str((pair.replayed or pair.stored or {}).get("start")))


def _window_pairs(stored: Sequence[Window], replayed: Sequence[Window]) -> Iterator[Pair]:
    """Windows of the same cell and track that share time belong together, each to one."""
    left = list(stored)
    for window in replayed:
        alike = [one for one in left if (one.cell, one.state) == (window.cell, window.state)]
        same = next((one for one in alike if one.start == window.start), None)
        same = same or next((one for one in alike if overlaps(one, window.start, window.end)), None)
        if same is not None:
            left.remove(same)
        yield Pair(window_to_json(same) if same else None, window_to_json(window))
    for one in left:
        yield Pair(window_to_json(one), None)


def _incident_pairs(stored: Sequence[StoredIncident], derivation: Derivation) -> Iterator[Pair]:
    matched = match(stored, derivation.incidents)
    for incident in derivation.incidents:
        own = matched.get(incident.number)
        number = own.number if own else None
        yield Pair(incident_to_json(own) if own else None, {**incident_to_json(incident), "number": number})
    taken = {one.id for one in matched.values()}
    for one in stored:
        if one.id not in taken:
            yield Pair(stored_incident_to_json(one), None)


def difference_to_json(difference: Difference) -> dict[str, Any]:
    """The object that ``replay --diff --json`` prints."""
    return {
        "equal": not difference,
        "windows": [_pair_to_json(pair) for pair in difference.windows],
        "incidents": [_pair_to_json(pair) for pair in difference.incidents],
    }


def _pair_to_json(pair: Pair) -> dict[str, Any]:
    return {"stored": pair.stored, "replayed": pair.replayed, "differs": list(pair.differs)}


def difference_lines(difference: Difference) -> Iterator[str]:
    """The same for a terminal: ``-`` is stored only, ``+`` replayed only, ``~`` differs."""
    if not difference:
        yield "equal: what is stored is what the replay says"
        return
    count = len(difference.windows) + len(difference.incidents)
    yield f"{count} difference{'s' * (count != 1)} (- stored only, + replayed only, ~ stored → replayed)"
    for pair in difference.incidents:
        yield from _told(pair, "incident", lambda one: str(one["title"]))
    for pair in difference.windows:
        yield from _told(pair, "window", _window_name)


def _window_name(one: Mapping[str, Any]) -> str:
    end = one["end"] or "open"
    return f"{one['target']} from {one['location']}: {one['state']} {one['start']} – {end}"


def _told(pair: Pair, noun: str, name: Any) -> Iterator[str]:
    sign = "~" if pair.stored and pair.replayed else "-" if pair.stored else "+"
    yield f"{sign} {noun} {one_line(name(pair.stored or pair.replayed), _LONGEST)}"
    for key in pair.differs:
        if pair.stored is not None and pair.replayed is not None:
            values = (one_line(str(side.get(key)), _LONGEST) for side in (pair.stored, pair.replayed))
            yield f"    {key}: {' → '.join(values)}"
