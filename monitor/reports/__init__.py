"""Reports by format: an incident's dossier, or outcomes, to bytes; they read no store and ask no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from monitor.core.evidence.bundle_facts import BundleFacts
from monitor.core.model import Outcome
from monitor.reports import bundle, csv, jsonl
from monitor.reports.ticket import summary

# Of an incident; each is given the secrets that must not be in it.
FORMATS: Mapping[str, Callable[[BundleFacts, Sequence[str]], bytes]] = {
    "bundle": bundle.render,
    "ticket": summary.checked,
}

# Of outcomes, as a stream of chunks.
EXPORTS: Mapping[str, Callable[[Iterable[Outcome]], Iterator[bytes]]] = {
    "jsonl": jsonl.render,
    "csv": csv.render,
}
