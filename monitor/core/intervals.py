"""Spans of time: union, clip, subtract and length."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

_NOTHING = timedelta(0)


class Span(NamedTuple):
    """A stretch of time, `start` included and `end` not."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is, never negative."""
        return max(self.end - self.start, _NOTHING)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as disjoint spans in order; empty ones are dropped."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def clip(spans: Iterable[Span], period: Span) -> tuple[Span, ...]:
    """The part of the spans inside *period*, disjoint and in order."""
    return union(Span(max(span.start, period.start), min(span.end, period.end)) for span in spans)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """What remains of the spans outside the holes."""
    left = list(union(spans))
    for hole in union(holes):
        left = [piece for span in left for piece in _around(span, hole) if piece.start < piece.end]
    return tuple(left)


def _around(span: Span, hole: Span) -> tuple[Span, Span]:
    return Span(span.start, min(span.end, hole.start)), Span(max(span.start, hole.end), span.end)


def length(spans: Iterable[Span]) -> timedelta:
    """How much time the spans cover; overlaps count once."""
    return sum((span.length for span in union(spans)), _NOTHING)
