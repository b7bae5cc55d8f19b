"""How other languages say numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.numerals import LONGEST, NUMERALS
from monitor.core.spelling import READINGS


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", {1: "eins", 16: "sechzehn", 21: "einundzwanzig", 2005: "zweitausendfünf"}),
        ("de", {101: "einhunderteins", 1_000_000: "eine million", 2_000_001: "zwei millionen eins"}),
        ("nl", {1: "een", 33: "drieëndertig", 100: "honderd", 1900: "duizendnegenhonderd"}),
        ("fr", {21: "vingt et un", 71: "soixante et onze", 80: "quatre vingts", 81: "quatre vingt un"}),
        ("fr", {91: "quatre vingt onze", 200: "deux cents", 201: "deux cent un"}),
        ("es", {555: "quinientos cincuenta y cinco"}),
        ("fr", {300_000: "trois cent mille", 1_000_000: "un million"}),
        ("es", {16: "dieciséis", 31: "treinta y uno", 100: "cien", 101: "ciento uno", 1000: "mil"}),
        ("es", {555: "quinientos cincuenta y cinco", 2_000_000: "dos millones", 1_000_000: "un millón"}),
        ("zh", {10: "十", 15: "十五", 110: "一百一十", 105: "一百零五"}),
        ("zh", {21_000: "二万一千", 10_005: "一万零五"}),
        ("ja", {10: "十", 105: "百五", 1995: "千九百九十五", 21_000: "二万千", 10_000: "一万"}),
    ],
)  # fmt: skip
def test_numbers_are_said_as_people_say_them(language: str, said: dict[int, str]) -> None:
    """The traps of each language: order, gaps, plurals, hundreds of one."""
    for number, words in said.items():
        assert NUMERALS[language].read(str(number), "cardinal").split() == words.split()


def test_years_and_codes_have_readings_of_their_own() -> None:
    """A year by hundreds where the language does, a code or a very long number digit by digit."""
    german = NUMERALS["de"]
    assert german.read("1995", "pairs") == "neunzehnhundertfünfundneunzig"
    assert german.read("1900", "pairs") == "neunzehnhundert"
    assert german.read("2012", "pairs") == "zweitausendzwölf"
    assert german.read("12", "digits") == "eins zwei"
    assert german.read("007", "cardinal") == "null null sieben"
    assert german.read("1" * (LONGEST + 1), "cardinal") == " ".join(["eins"] * (LONGEST + 1))


@given(st.integers(0, 10**12), st.sampled_from(sorted(NUMERALS)), st.sampled_from(READINGS))
def test_every_number_has_words_in_every_language(number: int, language: str, reading: str) -> None:
    """And no digit is left in them."""
    said = NUMERALS[language].read(str(number), reading)
    assert said.strip()
    assert not any(character.isascii() and character.isdigit() for character in said)
