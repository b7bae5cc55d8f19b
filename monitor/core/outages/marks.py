"""Marks: what happened outside, as people or their tools noted it; and which of them lie near a start.

A mark explains nothing by itself: it is named where it may matter, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from monitor.core.sanitize import one_line
from monitor.core.timefmt import rfc3339

BEFORE = timedelta(minutes=30)  # how long before a start an event may have had to do with it
LONGEST_MARK = 500
LONGEST_AUTHOR = 80
_NAMED = 3


class Mark(NamedTuple):
    """An outside event, such as a deployment. `id` is None until it is stored."""

    at: datetime
    text: str
    author: str
    id: int | None = None


class Marked(Protocol):
    """What a history knows of marks."""

    def marks(self, since: datetime, until: datetime) -> Sequence[Mark]:
        """What people noted with ``since <= at <= until``, in order."""
        ...


def checked_mark(at: datetime, text: str, author: str) -> Mark:
    """A mark in whole milliseconds; ValueError, with what would be right, if it says nothing or too much."""
    said = checked_text(text, LONGEST_MARK)
    if not said:
        raise ValueError("a mark needs a text, such as 'deployed 4.2'")
    return Mark(at.replace(microsecond=at.microsecond // 1000 * 1000), said, checked_author(author))


def checked_text(text: str, longest: int) -> str:
    """The text in one line, without what cannot be seen; ValueError where it is too long."""
    if len(text) > longest:
        raise ValueError(f"a text has at most {longest} characters, not {len(text)}")
    return one_line(text, longest)


def checked_author(author: str) -> str:
    """The name in one line; ValueError where there is none, or too much of it."""
    name = one_line(author, LONGEST_AUTHOR + 1)
    if not name or len(name) > LONGEST_AUTHOR:
        raise ValueError(f"an author has 1 to {LONGEST_AUTHOR} characters")
    return name


def mark_words(marks: Iterable[Mark]) -> str:
    """``marked near its start: 'deployed 4.2' at 2025-11-17T08:12:00Z``; empty without marks."""
    known = list(marks)
    said = ", ".join(f"'{one_line(mark.text, 80)}' at {rfc3339(mark.at)}" for mark in known[:_NAMED])
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f"marked near its start: {said}{more}" if known else ""
