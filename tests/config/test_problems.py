from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.problems import Problems, kind_of, nearest, one_of, shown, spell


def test_a_path_is_spelled_as_it_is_written() -> None:
    """List positions stand in brackets, keys that TOML quotes are quoted."""
    assert spell(("watch", 0, "every")) == "watch[0].every"
    assert spell(("endpoint", "own", "deployment", "org/model")) == 'endpoint.own.deployment."org/model"'


def test_the_nearest_right_name_is_offered() -> None:
    """A near name is offered; a word that people use for it too; else the whole list."""
    assert nearest("kye", ["key", "url"]) == "did you mean 'key'?"
    assert nearest("api_key", ["key", "api"]) == "did you mean 'key'?"
    assert nearest("sink", ["key", "url"]) == "known are 'key', 'url'"
    assert nearest("sink", ["key"]) == "only 'key' is known"
    assert nearest("sink", []) == "none is known here"


def test_an_unknown_value_is_refused_with_its_nearest() -> None:
    """A closed list gives the value itself, or the sentence."""
    assert one_of("pace", ("burst",), "burst") == "burst"
    with pytest.raises(ValueError, match="unknown pace 'brust', did you mean 'burst'"):
        one_of("pace", ("burst",), "brust")


@pytest.mark.parametrize(
    "secret", ["sk-abc", "whsec_abc", "Bearer abc", "4f" * 16, "AKIA" + "X" * 16, "a b" * 30]
)
def test_what_may_be_a_secret_is_never_shown(secret: str) -> None:
    """Long or key-like values are described by their length."""
    assert shown(secret) == f"a text of {len(secret)} characters"


@given(st.text(max_size=100))
def test_what_is_shown_is_printable_and_short(value: str) -> None:
    """No control character of the file reaches a terminal."""
    assert shown(value).isprintable()
    assert len(shown(value)) <= 62


def test_kinds_have_words() -> None:
    """Every kind of TOML value has a name for a sentence."""
    words = [kind_of(value) for value in (True, 1, 1.5, "", [], {}, object())]
    assert words == [
        "true or false", "a number", "a decimal number", "text", "a list", "a table", "a date or time",
    ]  # fmt: skip


def test_problems_come_in_file_order() -> None:
    """Sentences are ordered by line; one without a line of its own stands at its table's."""
    problems = Problems(name="f", lines={("b",): 2, ("a",): 9, ("b", "x"): 4})
    problems.add(("a", "missing"), "one")
    problems.add(("b", "x"), "two")
    problems.add(("b", "y"), "three")
    problems.add(("c",), "four")
    assert problems.in_file_order() == [
        "f:1: c: four",
        "f:2: b.y: three",
        "f:4: b.x: two",
        "f:9: a.missing: one",
    ]
