"""Reports by format: an incident's dossier, or outcomes, to bytes; they read no store and ask no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.evidence.bundle_facts import BundleFacts
from monitor.core.model import Outcome
from monitor.reports import bundle, csv, jsonl
from monitor.reports.ticket import summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format of a report about an incident; `render` takes the secrets that must not be in it."""

    media_type: str
    extension: str
    render: Callable[[BundleFacts, Sequence[str]], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One format of an export of outcomes, as a stream of chunks."""

    media_type: str
    extension: str
    render: Callable[[Iterable[Outcome]], Iterator[bytes]]


FORMATS: Mapping[str, Format] = {
    "bundle": Format(media_type="application/zip", extension="zip", render=bundle.render),
    "ticket": Format(media_type="text/markdown; charset=utf-8", extension="md", render=summary.checked),
}

EXPORTS: Mapping[str, Export] = {
    "jsonl": Export(media_type="application/x-ndjson", extension="jsonl", render=jsonl.render),
    "csv": Export(media_type="text/csv; charset=utf-8", extension="csv", render=csv.render),
}
