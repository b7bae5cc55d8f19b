"""How numbers are said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.classification.number_words import (
    LONGEST,
    has_numerals,
    ways_to_rank,
    ways_to_say,
    ways_to_say_decimal,
)

LANGUAGES = (
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "hi",
    "it",
    "ja",
    "ko",
    "nb",
    "nl",
    "pl",
    "pt",
    "ru",
    "sv",
    "tr",
    "yue",
    "zh",
)


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        ("de", 21, "einundzwanzig"),
        ("de", 100, "hundert"),
        ("de", 1995, "neunzehnhundertfünfundneunzig"),
        ("nl", 100_000, "honderdduizend"),
        ("fr", 71, "soixante-et-onze"),
        ("fr", 70, "septante"),
        ("es", 21_000, "veintiún mil"),
        ("es", 41_000, "cuarenta y un mil"),
        ("zh", 100_000, "十万"),
        ("ja", 10_500, "一万五百"),
        ("ko", 40, "사십"),
        ("ko", 40, "마흔"),
        ("ru", 2, "две"),
        ("nb", 3, "tre"),
        ("en", 1905, "nineteen oh-five"),
        ("en", 747, "seven forty-seven"),
        ("en", 100, "a hundred"),
        ("en", 21, "twenty-first"),
    ],
)  # fmt: skip
def test_a_number_is_said_as_people_say_it(language: str, number: int, words: str) -> None:
    """Genders, counting systems, regions, years, pairs and ranks are among the ways."""
    assert words in ways_to_say(str(number), language)


def test_the_usual_way_comes_first() -> None:
    """A quantity; digit by digit for what starts with a zero or is too long to be one."""
    assert ways_to_say("1995", "en")[0] == "one thousand nine hundred ninety-five"
    assert ways_to_say("007", "de")[0] == "null null sieben"
    assert ways_to_say("1" * (LONGEST + 1), "en")[0] == " ".join(["one"] * (LONGEST + 1))
    assert ways_to_rank("3", "en") == ("third",)
    assert ways_to_say_decimal("5", "25", "es")[0] == "cinco coma dos cinco"


def test_a_language_without_rules_keeps_its_digits() -> None:
    """Nothing is guessed."""
    assert not has_numerals("tlh")
    assert ways_to_say("12", "tlh") == ("12", "1 2")


@settings(deadline=None)
@given(st.integers(0, 10**18), st.sampled_from(LANGUAGES))
def test_every_number_has_words_in_every_language(number: int, language: str) -> None:
    """And no digit is left in the usual ones."""
    said = ways_to_say(str(number), language)[0]
    assert said.strip()
    assert not any(character.isascii() and character.isdigit() for character in said)
