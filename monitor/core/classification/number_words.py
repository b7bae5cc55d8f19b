"""How numbers are said in 87 languages: by the rules of CLDR, and what people say beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from unicode_rbnf import FormatPurpose, RbnfEngine
from unicode_rbnf.engine import RbnfError

LONGEST = 15  # digits; a longer number is read digit by digit
_SAME_RULES = {"nb": "no", "nn": "no"}
# Regions that count in a way of their own: septante, nonante.
_REGIONS = {"fr": ("fr_BE", "fr_CH"), "pt": ("pt_PT",)}
# Where CLDR says "one hundred", people also leave the one out or say another word for it.
_LEADING_ONE = {
    "en": (("one hundred", "a hundred"), ("one thousand", "a thousand"), ("one million", "a million")),
    "de": (("einhundert", "hundert"), ("eintausend", "tausend")),
}


def has_numerals(language: str) -> bool:
    """Return whether numbers of this language are spelt out; in every other the digits stay."""
    return _engine(language) is not None


@lru_cache(maxsize=4096)
def ways_to_say(digits: str, language: str) -> tuple[str, ...]:
    """Return what a run of digits may be read as: a quantity first, then a year, a code, a rank.

    A number with a leading zero, or one too long to be a quantity, is read digit by digit first.
    """
    by_digit = list(_by_digit(digits, language))
    if len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0"):
        return _distinct(by_digit)
    number = int(digits)
    quantities = [*_say(number, language, FormatPurpose.CARDINAL)]
    quantities += [
        way.replace(said, short)
        for way in quantities
        for said, short in _LEADING_ONE.get(language, ())
        if way.startswith(said)
    ]
    years = _say(number, language, FormatPurpose.YEAR) if 1000 <= number <= 2999 else ()
    ranks = _say(number, language, FormatPurpose.ORDINAL) if number < 10_000 else ()
    return _distinct([*quantities, *years, *_in_pairs(digits, language), *by_digit, *ranks])


@lru_cache(maxsize=1024)
def ways_to_rank(digits: str, language: str) -> tuple[str, ...]:
    """Return what a rank such as 21st may be read as; as a quantity where the language has no such words."""
    if len(digits) > LONGEST:
        return ways_to_say(digits, language)
    return _distinct(_say(int(digits), language, FormatPurpose.ORDINAL)) or ways_to_say(digits, language)


@lru_cache(maxsize=1024)
def ways_to_say_decimal(whole: str, fraction: str, language: str) -> tuple[str, ...]:
    """Return what a decimal number may be read as: its fraction digit by digit, or as a number."""
    point = _point(language)
    fractions = [*_by_digit(fraction, language), *ways_to_say(fraction, language)[:1]]
    return _distinct(
        f"{before} {point} {after}" for before in ways_to_say(whole, language)[:2] for after in fractions
    )


def _distinct(ways: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ways))


def _by_digit(digits: str, language: str) -> Iterator[str]:
    said = [_say(int(digit), language, FormatPurpose.CARDINAL)[0] for digit in digits]
    yield " ".join(said)
    if language == "en" and "0" in digits:
        yield " ".join("oh" if word == "zero" else word for word in said)


def _in_pairs(digits: str, language: str) -> Iterator[str]:
    """A house or model number: 1205 as twelve oh five, 747 as seven forty seven."""
    head, tail = digits[:-2], digits[-2:]
    if len(digits) not in (3, 4) or digits[-3:] == "000":
        return
    ends = _say(int(tail), language, FormatPurpose.CARDINAL)[:1]
    if language == "en":
        ends = ("hundred",) if tail == "00" else (f"oh {ends[0]}",) if tail[0] == "0" else ends
    elif tail[0] == "0":
        return
    for end in ends:
        yield f"{_say(int(head), language, FormatPurpose.CARDINAL)[0]} {end}"


def _say(number: int, language: str, purpose: FormatPurpose) -> tuple[str, ...]:
    """Return the distinct words of all rules for a purpose (genders, cases, counting systems)."""
    found: list[str] = []
    for code in (language, *_REGIONS.get(language, ())):
        engine = _engine(code)
        if engine is None:
            continue
        try:
            said = engine.format_number(number, purpose=purpose)
        except (RbnfError, ValueError):  # the language has no rule of this kind, or none so high
            continue
        found += [said.text, *said.text_by_ruleset.values()]
    if not found and purpose is FormatPurpose.CARDINAL:
        return (str(number),)
    return _distinct(found)


@lru_cache(maxsize=128)
def _point(language: str) -> str:
    """Return the word for the decimal sign: what is left of 0.5 without its digits."""
    zero, five = (_say(digit, language, FormatPurpose.CARDINAL)[0] for digit in (0, 5))
    engine = _engine(language)
    said = engine.format_number("0.5").text if engine else ""
    inside = said.removeprefix(zero).removesuffix(five).strip()
    return inside if inside != said else ""


_ENGINES: Mapping[str, str] = {code.lower(): code for code in RbnfEngine.get_supported_languages()}


@lru_cache(maxsize=128)
def _engine(language: str) -> RbnfEngine | None:
    code = _ENGINES.get(_SAME_RULES.get(language, language).lower())
    return RbnfEngine.for_language(code) if code else None
