"""Marks: what is accepted, and what of it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.core.outages.marks import LONGEST_MARK, Mark, checked_mark, mark_words
from tests.support.outcomes import T0


def test_a_mark_is_one_line_in_whole_milliseconds() -> None:
    """What cannot be seen is left out, so that no text can hide in another."""
    mark = checked_mark(T0 + timedelta(microseconds=1_234), "  deployed\n4.2\x00 ", " ann ")
    assert mark == Mark(T0 + timedelta(milliseconds=1), "deployed 4.2", "ann")


@pytest.mark.parametrize(
    ("text", "author", "said"),
    [
        (" \n", "ann", "needs a text"),
        ("x" * (LONGEST_MARK + 1), "ann", "at most 500 characters, not 501"),
        ("x", " ", "1 to 80"),
        ("x", "a" * 81, "1 to 80"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(text: str, author: str, said: str) -> None:
    """Each with what would be right."""
    with pytest.raises(ValueError, match=said):
        checked_mark(T0, text, author)


def test_a_few_marks_are_named_and_the_rest_counted() -> None:
    """The words stay short, however often somebody deploys."""
    marks = [Mark(T0 + timedelta(minutes=at), f"step {at}", "ci") for at in range(5)]
    assert mark_words([]) == ""
    assert mark_words(marks[:1]) == "marked near its start: 'step 0' at 2025-11-17T08:30:10Z"
    assert mark_words(marks).endswith("'step 2' at 2025-11-17T08:32:10Z and 2 more")
