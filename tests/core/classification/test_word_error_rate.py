"""What was said against what should have been said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.classification.word_error_rate import DEGRADES, PASSES, Accuracy, score

TEXT = "He might even have been made amiable himself."
CARDS = "Eight of spades, four of clubs, seven of hearts."
PLAIN = st.lists(st.sampled_from(["he", "might", "even", "have", "been"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        (" he might EVEN have been, made amiable himself\n", TEXT),
        ("8 of spades, 4 of clubs, 7 of hearts", CARDS),
        ("It was 1995.", "It was nineteen ninety-five."),
        ("It cost 1,995 dollars", "It cost one thousand nine hundred and ninety-five dollars"),
        ("The code is 1995", "The code is one nine nine five"),
    ],
)
def test_the_same_words_written_otherwise_are_right(said: str, reference: str) -> None:
    """Case, punctuation and digits never count as errors."""
    result = score(said, reference)
    assert (result.wer, result.completeness) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("written", "spoken", "language"),
    [
        ("21000 euros", "veintiún mil euros", "es"),
        ("30000 euros, 1 coche", "treinta mil euros, un coche", "es"),
        ("40 명", "마흔 명", "ko"),
        ("사과 40개", "사과 사십개", "ko"),
        ("100 Leute", "hundert Leute", "de"),
        ("100 Leute", "ein hundert Leute", "de"),
        ("am 12. März", "am zwölften März", "de"),
        ("18:05 Uhr", "achtzehn Uhr fünf", "de"),
        ("7:30", "halb acht", "de"),
        ("1.250,50 €", "eintausendzweihundertfünfzig Euro fünfzig", "de"),
        ("21 000 euros", "vingt et un mille euros", "fr"),
        ("70 ans", "septante ans", "fr"),
        ("20 %", "veinte por ciento", "es"),
        ("21 яблоко", "двадцать одно яблоко", "ru"),
        ("3時30分に", "三時三十分に", "ja"),
        ("$5.50", "five dollars and fifty cents", "en"),
        ("$5.50", "five fifty", "en"),
        ("$0.50", "fifty cents", "en"),
        ("£3.20", "three pounds twenty", "en"),
        ("5.50 dollars", "$5.50", "en"),
        ("€1", "one euro", "en"),
        ("$3 million", "three million dollars", "en"),
        ("50 %", "fifty percent", "en"),
        ("50%", "fifty per cent", "en"),
        ("It's", "It is", "en"),
        ("Let's go, they won't", "Let us go, they will not", "en"),
        ("I'd say he's been", "I would say he has been", "en"),
        ("3:30", "three thirty", "en"),
        ("3:30", "half past three", "en"),
        ("7:45", "quarter to eight", "en"),
        ("10am", "ten a.m.", "en"),
        ("3:00", "three o'clock", "en"),
        ("100 men", "a hundred men", "en"),
        ("the 1990s, the 21st", "the nineteen nineties, the twenty-first", "en"),
        ("555-0199", "five five five oh one nine nine", "en"),
    ],
)  # fmt: skip
def test_what_people_would_call_right_is_right(written: str, spoken: str, language: str) -> None:
    """Numbers, money, times, shares and contractions, whichever of the two texts is the clip's."""
    for said, reference in ((written, spoken), (spoken, written), (written, written)):
        assert score(said, reference, language).wer == 0


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        ("$5.50", "five dollars and sixty cents"),
        ("3:30", "half past four"),
        ("It's", "it was"),
        ("40", "fourteen"),
    ],
)
def test_another_number_or_word_is_still_wrong(said: str, reference: str) -> None:
    """Several ways to say it do not make it say something else."""
    assert score(said, reference).wer > 0


@pytest.mark.parametrize(
    ("said", "wer", "completeness"),
    [
        ("", 1.0, 0.0),
        (" ...\n", 1.0, 0.0),
        ("He might even have", 0.5, 0.5),
        ("He might even have been maid amiable yourself.", 0.25, 1.0),
        (f"{TEXT} Thank you.", 0.25, 1.0),
    ],
)
def test_truncation_is_told_from_mishearing(said: str, wer: float, completeness: float) -> None:
    """Only missing words lower completeness; wrong and added ones raise the error rate alone."""
    result = score(said, TEXT)
    assert result.wer == pytest.approx(wer)
    assert result.completeness == pytest.approx(completeness)


def test_one_wrong_word_of_the_default_clip_still_passes() -> None:
    """The thresholds leave room for one word of eight, and for three before it fails."""
    one = score("He might even have been made amicable himself", TEXT)
    three = score("He might even have bean maid amiable yourself", TEXT)
    assert one.wer <= PASSES < three.wer <= DEGRADES


@pytest.mark.parametrize(
    ("said", "wer", "count"), [("", 0.0, 0), ("[BLANK_AUDIO]", 0.0, 0), ("Thank you.", 1.0, 2)]
)
def test_silence_must_give_no_words(said: str, wer: float, count: int) -> None:
    """Any word heard in a clip without words is invented."""
    assert score(said, "") == Accuracy(wer=wer, completeness=1.0, reference=0, said=count, insertions=count)


@pytest.mark.parametrize(
    "said",
    ["a b c " * 5_000_000, "x" * 10_000_000, "1 " * 1_000_000, "9" * 1_000_000, "$1.23 3:45 it's " * 100_000],
)
def test_an_endless_transcript_costs_no_more_than_a_long_one(said: str) -> None:
    """Time is bounded by the reference, and the words are wrong in any case."""
    started = time.perf_counter()
    assert score(said, TEXT).wer > DEGRADES
    assert time.perf_counter() - started < 1


@settings(deadline=None)
@given(PLAIN, PLAIN)
def test_the_counts_add_up(said: list[str], reference: list[str]) -> None:
    """Every reference word is hit, replaced or deleted; every word said is hit, replacing or added."""
    result = score(" ".join(said), " ".join(reference))
    assert result.hits + result.substitutions + result.deletions == result.reference == len(reference)
    assert result.hits + result.substitutions + result.insertions == result.said == len(said)
    assert result.wer == pytest.approx(
        (result.substitutions + result.deletions + result.insertions) / result.reference
    )
    assert 0 <= result.completeness <= 1


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["en", "de", "zh", None]))
def test_any_two_texts_have_a_score(said: str, reference: str, language: str | None) -> None:
    """Nothing is raised, and the same text is always right."""
    result = score(said, reference, language)
    assert result.wer >= 0
    assert 0 <= result.completeness <= 1
    assert score(reference, reference, language).wer == 0
