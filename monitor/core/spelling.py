"""Spelling text out into comparable words: lower case, no punctuation, numbers as words.

Numbers are spelt in English and in the languages of `numerals`; in every other the digits stay as they
are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from monitor.core.numerals import NUMERALS, Numerals

# One number can be read in several ways; the words of a clip decide which was meant.
READINGS = ("cardinal", "pairs", "digits")

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = (
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (1000, "thousand"),
    (100, "hundred"),
)
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ENGLISH = {
    "&": " and ",
    "%": " percent ",
    "@": " at ",
    "+": " plus ",
    "=": " equals ",
    "°": " degrees ",
}
_ENGLISH_WORDS = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "st": "saint",
    "vs": "versus",
    "okay": "ok",
    "cannot": "can not",
    "colour": "color",
    "grey": "gray",
}
_MONEY = {"$": "dollar", "£": "pound", "€": "euro"}

# Languages written without spaces are compared by character.
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})

_NO_SPEECH = re.compile(r"\[[A-Z_ ]{1,40}\]")  # whisper.cpp writes [BLANK_AUDIO] where nobody speaks
_APOSTROPHES = re.compile("['’ʼ＇`]")
_GROUPED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])")
_MONEY_AMOUNT = re.compile(r"([$£€])\s?([0-9][0-9.]{0,20})( (?:thousand|million|billion|trillion)\b)?")
_INITIALS = re.compile(r"\b(?:[a-z]\.){2,10}")  # u.s.a., a.m.
_DECIMAL = re.compile(r"([0-9])\.([0-9]{1,20})(?![0-9.])")
_NUMBER = re.compile(r"([0-9]{1,40})(st|nd|rd|th|s)?")
# Elsewhere the point groups and the comma divides: 1.250,5.
_POINTED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:\.[0-9]{3}){1,6}(?![0-9])")
_COMMA = re.compile(r"([0-9]),([0-9]{1,20})(?![0-9,])")
_DIGITS = re.compile(r"[0-9]{1,40}")
_STANDING = re.compile(r"(?<![^\W_])[0-9]{1,40}(?![^\W_])")

# What is written or left out at will, and never heard.
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "ی": "ي", "ک": "ك", "ـ": "", "\u0670": "",
        **dict.fromkeys(map(chr, range(0x064B, 0x0653)), ""),  # Arabic vowels
        **dict.fromkeys(map(chr, (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5)), ""),
        "ё": "е", "œ": "oe", "æ": "ae", "两": "二", "兩": "二", "〇": "零", "萬": "万", "亿": "億",
    }
)  # fmt: skip


def spell(text: str, language: str | None, reading: str = "cardinal") -> list[str]:
    """The words of *text* as they are compared; *reading* is one of READINGS."""
    code = (language or "").lower().partition("-")[0]
    folded = _fold(_NO_SPEECH.sub(" ", text), code)
    english, numerals = code == "en", NUMERALS.get(code)
    if numerals is not None:
        folded = _spell_out(folded, numerals, reading, standing=code not in _UNSPACED)
    words = _words(_english_signs(folded) if english else folded)
    if english:
        words = [spelt for word in words for spelt in _english_word(word, reading)]
    if code in _UNSPACED:
        return [character for word in words for character in word]
    return _without_hundred_and(words) if english else words


def _fold(text: str, code: str) -> str:
    """The text without the differences that nobody hears, its digits as 0 to 9."""
    if text.isascii() and code != "tr":
        return text.casefold()
    if code == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return _plain_digits(unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE))


def _spell_out(text: str, numerals: Numerals, reading: str, *, standing: bool) -> str:
    """Signs and digits as words; of *standing* digits only those that are no part of a word."""
    between = " " if standing else ""
    if standing:
        text = _POINTED.sub(lambda match: match[0].replace(".", ""), text)
        text = _COMMA.sub(rf"\1 {numerals.point} \2", text)
    else:
        text = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
        text = _DECIMAL.sub(rf"\1{numerals.point}\2", text)
    for sign, word in numerals.signs.items():
        text = text.replace(sign, f" {word} ")
    digits = _STANDING if standing else _DIGITS
    return digits.sub(lambda match: between + numerals.read(match[0], reading) + between, text)


def _plain_digits(text: str) -> str:
    """Digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)


def _words(text: str) -> list[str]:
    """The runs of letters, digits and combining marks; apostrophes vanish, the rest separates."""
    joined = _APOSTROPHES.sub("", text)
    return "".join(char if _belongs(char) else " " for char in joined if _shows(char)).split()


def _belongs(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _shows(character: str) -> bool:
    # Format characters (joiners, direction marks) divide no words: but spaces and controls do.
    return unicodedata.category(character) != "Cf"


def _english_signs(text: str) -> str:
    text = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
    text = _INITIALS.sub(lambda match: match[0].replace(".", ""), text)
    text = _MONEY_AMOUNT.sub(_amount, text)
    text = _DECIMAL.sub(lambda match: f"{match[1]} point {' '.join(match[2])}", text)
    return "".join(_ENGLISH.get(character, character) for character in text)


def _amount(match: re.Match[str]) -> str:
    unit = _MONEY[match[1]]
    number = match[2].rstrip(".")
    scale = match[3] or ""
    return f"{number}{scale} {unit if number == '1' and not scale else unit + 's'} "


def _english_word(word: str, reading: str) -> list[str]:
    number = _NUMBER.fullmatch(word)
    if number is None or not word.isascii():
        return _ENGLISH_WORDS.get(word, word).split()
    spelt = READERS[reading](number[1])
    return _with_suffix(spelt, number[2])


def _with_suffix(words: list[str], suffix: str | None) -> list[str]:
    if suffix is None:
        return words
    last = words[-1]
    if suffix == "s":  # 1990s
        changed = last[:-1] + "ies" if last.endswith("y") else last + "s"
    elif last.endswith("y"):
        changed = last[:-1] + "ieth"
    else:
        changed = _ORDINALS.get(last, last + "th")
    return [*words[:-1], changed]


def _cardinal(digits: str) -> list[str]:
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return _digits(digits)
    return _say(int(digits))


def _say(number: int) -> list[str]:
    for size, name in _SCALES:
        if number >= size:
            rest = _say(number % size) if number % size else []
            return [*_say(number // size), name, *rest]
    if number < 20:
        return [_ONES[number]]
    tens, ones = divmod(number, 10)
    return [_TENS[tens], _ONES[ones]] if ones else [_TENS[tens]]


def _pairs(digits: str) -> list[str]:
    """A year or a house number: 1995 as nineteen ninety five, 1905 as nineteen oh five."""
    if len(digits) != 4 or digits[0] == "0":
        return _cardinal(digits)
    head, tail = int(digits[:2]), int(digits[2:])
    if tail == 0:
        return [*_say(head), "hundred"]
    return [*_say(head), *(["oh"] if tail < 10 else []), *_say(tail)]


def _digits(digits: str) -> list[str]:
    return [_ONES[int(digit)] for digit in digits]


READERS: Mapping[str, Callable[[str], list[str]]] = {
    "cardinal": _cardinal,
    "pairs": _pairs,
    "digits": _digits,
}

_NUMBER_WORDS = frozenset({*_ONES, *_TENS, *_ORDINALS.values()} - {"zero"})


def _without_hundred_and(words: list[str]) -> list[str]:
    """Drop the *and* of "one hundred and five", which some say and some write and others do not."""
    return [
        word
        for at, word in enumerate(words)
        if not (
            word == "and"
            and 0 < at < len(words) - 1
            and words[at - 1] in ("hundred", "thousand", "million")
            and words[at + 1] in _NUMBER_WORDS
        )
    ]
