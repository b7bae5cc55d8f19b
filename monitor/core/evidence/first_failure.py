"""The first bad run against the last good one before it: what they were answered, and how long it took.

It compares facts and judges nothing: what differs may be the cause, its effect, or neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.core.evidence.bundle_facts import QuotedRun
from monitor.core.sanitize import one_line
from monitor.core.views.latency import latency_text

_ABSENT = "–"
_LONGEST = 120
_MOST_BODY = 64_000
# Headers that say nothing of what changed: they differ from run to run, or belong to the connection.
_PASSING = re.compile(
    r"(?:^|[-_])(?:id|ids|requestid|date|age|time|duration|remaining|reset|accept|session|ray|etag|expires"
    r"|cookie|length|nonce|timestamp|traceparent|tracestate|request)(?:$|[-_])|[-_]ms$"
)
_HOP = frozenset({"connection", "upgrade", "keep-alive", "transfer-encoding"})
_KEPT_BACK = re.compile(r"\[\d+ characters\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One fact of both runs; `–` where a run has none."""

    name: str
    good: str
    bad: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeContrast:
    """`differing` facts, how many were the `same`, and the `timings` of both runs up to where one ended."""

    differing: Sequence[Contrast]
    same: Sequence[str]
    timings: Sequence[Contrast]

    def sentence(self) -> str:
        """Whether anything differs, and what does not; or that it could not be compared."""
        if not self.same:
            return "No other fact of both runs can be compared."
        none = "" if self.differing else "No difference in what the server answered. "
        return f"{none}The same in both: {', '.join(self.same)}."


def contrast(good: QuotedRun, bad: QuotedRun) -> EdgeContrast:
    """What the last *good* run and the first *bad* one were told, as far as their evidence is kept."""
    before, after = _facts(good), _facts(bad)
    names = list(dict.fromkeys((*before, *after)))
    pairs = [
        Contrast(name=name, good=before.get(name, _ABSENT), bad=after.get(name, _ABSENT)) for name in names
    ]
    return EdgeContrast(
        differing=tuple(one for one in pairs if one.good != one.bad),
        same=tuple(one.name for one in pairs if one.good == one.bad),
        timings=tuple(_timings(good, bad)),
    )


def _facts(exhibit: QuotedRun) -> dict[str, str]:
    """What the run was told, in the order in which it is worth reading; empty where nothing is kept."""
    document = exhibit.evidence
    if document is None:
        return {}
    found = {
        "configuration": exhibit.outcome.configuration,
        "status": document.get("response_status"),
        "peer": _host(document.get("peer")),
        "tls": document.get("tls"),
        **_models(document),
        **{f"header {name}": value for name, value in _headers(document)},
    }
    return {name: one_line(str(value), _LONGEST) for name, value in found.items() if value not in (None, "")}


def _host(peer: object) -> str:
    """The address without its port, which proves nothing."""
    return str(peer or "").rpartition(":")[0]


def _headers(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for pair in document.get("response_headers") or ():
        name, value = str(pair[0]).lower(), str(pair[1])
        if not _PASSING.search(name) and name not in _HOP and not _KEPT_BACK.fullmatch(value):
            yield name, value


def _models(document: Mapping[str, Any]) -> dict[str, str]:
    """The models that the session named, as the server last echoed them."""
    found: dict[str, str] = {}
    for session in _sessions(document):
        for name, path in _MODEL_PATHS:
            value = _at(session, path)
            if isinstance(value, str):
                found[name] = value
    return found


_MODEL_PATHS: Sequence[tuple[str, Sequence[str]]] = (
    ("session model", ("model",)),
    ("transcription model", ("input_audio_transcription", "model")),
    ("transcription model", ("audio", "input", "transcription", "model")),
)


def _sessions(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for frame in document.get("frames") or ():
        body = frame.get("body")
        if frame.get("dir") != "in" or "session." not in str(frame.get("type")):
            continue
        if not isinstance(body, str) or frame.get("truncated") or len(body) > _MOST_BODY:
            continue
        try:
            session = json.loads(body).get("session")
        except (ValueError, AttributeError, RecursionError):
            continue  # a peer may send anything under that name
        if isinstance(session, Mapping):
            yield session


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _timings(good: QuotedRun, bad: QuotedRun) -> Iterator[Contrast]:
    before, after = good.outcome.timings_ms, bad.outcome.timings_ms
    for name in dict.fromkeys((*before, *after)):
        yield Contrast(
            name=name.replace("_", " "),
            good=latency_text(before.get(name)),
            bad=latency_text(after.get(name)),
        )
