"""Spelling text out into comparable words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.classification.normalisation import spell


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He MIGHT, even...  have\nbeen!", "he might even have been"),
        ("well-known don't Don’t", "well known dont dont"),
        ("8 of spades", "eight of spades"),
        ("21 cards, the 21st, the 3rd, the 12th", "twenty one cards the twenty first the third the twelfth"),
        ("30th 90s 5s", "thirtieth nineties fives"),
        ("1,205 and 1,000,000", "one thousand two hundred five and one million"),
        ("one hundred and five", "one hundred five"),
        ("black and white", "black and white"),
        ("3.5 metres", "three point five metres"),
        ("$20, £1, € 3", "twenty dollars one pound three euros"),
        ("100% & more", "one hundred percent and more"),
        ("8:30", "eight thirty"),
        ("007", "zero zero seven"),
        ("Dr. Smith cannot", "doctor smith can not"),
        ("[BLANK_AUDIO]", ""),
        ("(crying)", "crying"),
        ("١٢", "12"),
        ("[silence]", ""),
        ("(No speech)", ""),
        ("B2B x86", "b2b x86"),
        ("...", ""),
        ("", ""),
    ],
)
def test_english_is_spelt_out(text: str, words: str) -> None:
    """Case, punctuation, spacing and numerals make no difference; invented words stay words."""
    assert spell(text, "en") == spell(words, "en")


@pytest.mark.parametrize(
    "said",
    [
        "one thousand nine hundred ninety five",
        "one thousand nine hundred and ninety-five",
        "nineteen ninety five",
        "one nine nine five",
    ],
)
def test_a_number_is_said_as_the_words_beside_it_say_it(said: str) -> None:
    """A year, a quantity or a code: the text of the clip decides, for each number on its own."""
    beside = spell(f"In {said} there were 3", "en")
    assert spell("In 1995 there were three", "en", beside) == beside
    assert spell("1995", "en", ["nineteen", "ninety"]) == spell("1995", "en")


@pytest.mark.parametrize(
    ("written", "said", "language"),
    [
        ("10:30 a.m. in the U.S.A.", "ten thirty am in the USA", "en"),
        ("$1.5 million", "one point five million dollars", "en"),
        ("21 Äpfel, 3,5 %", "einundzwanzig Äpfel drei Komma fünf Prozent", "de"),
        ("1.250 €", "eintausendzweihundertfünfzig Euro", "de"),
        ("1995 & 30", "neunzehnhundertfünfundneunzig und dreißig", "de"),
        ("99 francs & 71", "quatre-vingt-dix-neuf francs et soixante et onze", "fr"),
        ("22 años, 31 días y 105", "veintidós años treinta y uno días y ciento cinco", "es"),
        ("22 huizen", "tweeëntwintig huizen", "nl"),
        ("我有3个苹果, 21和105", "我有三个苹果二十一和一百零五", "zh"),
        ("２１個と1995年", "二十一個と千九百九十五年", "ja"),
        ("两个", "二个", "zh"),
        ("cœur", "coeur", "fr"),
        ("مَرْحَبًا بِالْعَالَمِ إلى المدرسة ٣", "مرحبا بالعالم الي المدرسه 3", "ar"),
        ("שָׁלוֹם", "שלום", "he"),
        ("всё", "все", "ru"),
        ("İSTANBUL ılık", "istanbul ILIK", "tr"),
    ],
)  # fmt: skip
def test_what_is_said_alike_is_spelt_alike(written: str, said: str, language: str) -> None:
    """Numbers, signs, initials, vowel points and letters that nobody hears apart, by language."""
    assert spell(written, language, spell(said, language)) == spell(said, language)


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Drei Äpfel, 3 Birnen & mehr", "de", ["drei", "äpfel", "drei", "birnen", "und", "mehr"]),
        ("3 tre 3", "sv", ["tre", "tre", "tre"]),
        ("3 wej 3", "tlh", ["3", "wej", "3"]),
        ("STRASSE Straße", "de", ["strasse", "strasse"]),
        ("שלום, עולם!", "he", ["שלום", "עולם"]),
        ("\u200fשלום\u200e עולם", "he", ["שלום", "עולם"]),
        ("e\u0301te\u0301 été", "fr", ["été", "été"]),
        ("हिन्दी।", "hi", ["हिन्दी"]),
        ("東京は。", "ja-JP", ["東", "京", "は"]),
        ("hi 😀 there", None, ["hi", "there"]),
        ("a\x00b", "en", ["a", "b"]),
    ],
)
def test_other_languages_come_to_letters_and_digits(
    text: str, language: str | None, words: list[str]
) -> None:
    """Scripts of every direction, combining marks, emoji and NUL are survived."""
    assert spell(text, language) == words


@settings(deadline=None)
@given(
    st.text(max_size=200),
    st.sampled_from(["de", "zh", "ja", "fr", "en", "ar", "tr", None]),
    st.text(max_size=60),
)
def test_spelling_is_total_and_gives_plain_words(text: str, language: str | None, other: str) -> None:
    """Whatever the texts, each word is non-empty and without white space."""
    beside = spell(other, language)
    assert all(word and word == "".join(word.split()) for word in spell(text, language, beside))


@settings(deadline=None)
@given(st.integers(0, 10**15 - 1))
def test_every_number_has_a_name_of_words(number: int) -> None:
    """Up to fifteen digits, no digit is left."""
    assert all(word.isalpha() for word in spell(str(number), "en"))
