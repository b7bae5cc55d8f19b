"""Text from outside can be read and can do nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.sanitize import cut, defuse, one_line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ("<!here> @channel", "‹!here› @\u200bchannel"),
        ("[click](https://evil.example)", "(click)(https:\u200b//evil.example)"),
        ("see www.evil.example", "see www\u200b.evil.example"),
        ("![x](y)", "!\u200b(x)(y)"),
        ("`code` **bold** a|b", "'code' ∗∗bold∗∗ a¦b"),
        ("fixes #12", "fixes #\u200b12"),
        ("line\r\nSubject: forged\x00\x1b[31m", "line Subject: forged (31m"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("sess_abc_def item_1", "sess_abc_def item_1"),
    ],
)
def test_nothing_that_acts_is_left(hostile: str, shown: str) -> None:
    """Markup, mentions, links, references, new lines and direction marks lose their effect."""
    assert defuse(hostile) == shown


@given(st.text(), st.integers(1, 400))
def test_it_is_one_bounded_line_whatever_comes(text: str, limit: int) -> None:
    """No control character, no new line, never longer than asked for."""
    shown = defuse(text, limit)
    assert len(shown) <= limit
    assert not set(shown) & set("\r\n\t\x00<>`[]|*\\")
    assert "://" not in shown


def test_a_cut_is_marked() -> None:
    """What is missing at the end is seen to be missing."""
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abc def", 5) == "abc…"
    assert one_line("a" * 10_000, 20) == "a" * 19 + "…"
