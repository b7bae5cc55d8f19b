"""What people say of an incident: acknowledged, a note, another blame or severity; beside what was computed.

Their entries are appended and never replace anything: the latest of each kind is what stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import Entry, EntryKind, StoredIncident
from monitor.core.model import Blame
from monitor.core.outages.marks import checked_author, checked_text

_Word = TypeVar("_Word", Blame, Severity)

LONGEST_NOTE = 2000
KINDS = frozenset({EntryKind.ACKNOWLEDGED, EntryKind.NOTE, EntryKind.RECLASSIFIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The entries that stand: the latest acknowledgement, the latest blame, the latest severity."""

    acknowledged: Entry | None = None
    blamed: Entry | None = None
    rated: Entry | None = None


def opinion_of(entries: Iterable[Entry]) -> Opinion:
    """What stands after these entries, given in the order in which they were written."""
    opinion = Opinion()
    for entry in entries:
        if entry.kind is EntryKind.ACKNOWLEDGED:
            opinion = replace(opinion, acknowledged=entry)
        elif entry.kind is EntryKind.RECLASSIFIED:
            opinion = replace(
                opinion,
                blamed=entry if entry.blame else opinion.blamed,
                rated=entry if entry.severity else opinion.rated,
            )
    return opinion


def as_told(incident: StoredIncident, opinion: Opinion) -> StoredIncident:
    """The incident with a person's blame and severity in front, and the computed blame in its reason."""
    if opinion.rated and opinion.rated.severity:
        incident = replace(incident, severity=opinion.rated.severity)
    if opinion.blamed and opinion.blamed.blame:
        said = f": {opinion.blamed.text}" if opinion.blamed.text else ""
        found = incident.diagnosis
        computed = f"{incident.blame}: {found.blame_reason}" if found.blame_reason else str(incident.blame)
        reason = f"reclassified by {opinion.blamed.author}{said} (computed: {computed})"
        told = replace(found, blame_reason=reason, also_blamed=None)
        incident = replace(incident, blame=opinion.blamed.blame, diagnosis=told)
    return incident


def checked_entry(
    kind: str,
    text: str,
    author: str,
    *,
    incident_id: str,
    at: datetime,
    blame: str | None = None,
    severity: str | None = None,
) -> Entry:
    """A person's entry; ValueError, with what would be right, where it cannot be appended as it is."""
    if kind not in KINDS:
        raise ValueError(f"a kind is one of {', '.join(sorted(KINDS))}")
    chosen, said = EntryKind(kind), checked_text(text, LONGEST_NOTE)
    if chosen is EntryKind.RECLASSIFIED:
        if not blame and not severity:
            raise ValueError("to reclassify names a blame, a severity, or both")
    elif blame or severity:
        raise ValueError("only kind 'reclassified' names a blame or a severity")
    if chosen is EntryKind.NOTE and not said:
        raise ValueError("a note needs a text")
    return Entry(
        incident_id=incident_id,
        at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        kind=chosen,
        text=said,
        author=checked_author(author),
        blame=_one_of(Blame, "blame", blame) if blame else None,
        severity=_one_of(Severity, "severity", severity) if severity else None,
    )


def _one_of(words: type[_Word], name: str, value: str) -> _Word:
    try:
        return words(value)
    except ValueError:
        raise ValueError(f"a {name} is one of {', '.join(words)}") from None


def entry_words(entry: Entry) -> str:
    """What an entry says, with the blame and severity that it names."""
    named = [
        f"{name} {value}" for name, value in (("blame", entry.blame), ("severity", entry.severity)) if value
    ]
    return ": ".join(part for part in (", ".join(named), entry.text) if part)
