"""Spelling text out into comparable words: lower case, no punctuation, numbers as words.

What can be said in several ways keeps them all until the words beside it decide:

    "$5.50 at 3:30"   (five dollars and fifty cents | five fifty | …) at (three thirty | half past three | …)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from monitor.core.classification.number_words import (
    has_numerals,
    ways_to_rank,
    ways_to_say,
    ways_to_say_decimal,
)

Words = tuple[str, ...]


class TextPart(NamedTuple):
    """A stretch of a text, and the ways in which it may be said: the usual one first, at least one."""

    ways: tuple[Words, ...]


class Currency(NamedTuple):
    """How an amount is said: one, many, and the hundredth part of one (empty: none)."""

    one: str
    many: str
    hundredth: str


_SIGNS: Mapping[str, Mapping[str, str]] = {
    "en": {"&": "and", "%": "percent", "@": "at", "+": "plus", "=": "equals", "°": "degrees"},
    "de": {"&": "und", "%": "prozent", "@": "at", "+": "plus", "°": "grad"},
    "nl": {"&": "en", "%": "procent", "+": "plus", "°": "graden"},
    "fr": {"&": "et", "%": "pour cent", "+": "plus", "°": "degrés"},
    "es": {"&": "y", "%": "por ciento", "+": "más", "°": "grados"},
    "it": {"&": "e", "%": "per cento", "+": "più", "°": "gradi"},
    "pt": {"&": "e", "%": "por cento", "+": "mais", "°": "graus"},
    "pl": {"&": "i", "%": "procent", "+": "plus"},
    "sv": {"&": "och", "%": "procent", "+": "plus"},
    "da": {"&": "og", "%": "procent", "+": "plus"},
    "no": {"&": "og", "%": "prosent", "+": "pluss"},
    "ru": {"&": "и", "%": "процентов", "+": "плюс"},
}
_CURRENCIES: Mapping[str, Mapping[str, Currency]] = {
    "en": {
        "$": Currency("dollar", "dollars", "cents"),
        "€": Currency("euro", "euros", "cents"),
        "£": Currency("pound", "pounds", "pence"),
        "¥": Currency("yen", "yen", ""),
    },
    "de": {
        "€": Currency("euro", "euro", "cent"),
        "$": Currency("dollar", "dollar", "cent"),
        "£": Currency("pfund", "pfund", "pence"),
    },
    "nl": {"€": Currency("euro", "euro", "cent"), "$": Currency("dollar", "dollar", "cent")},
    "fr": {"€": Currency("euro", "euros", "centimes"), "$": Currency("dollar", "dollars", "cents")},
    "es": {"€": Currency("euro", "euros", "céntimos"), "$": Currency("dólar", "dólares", "centavos")},
    "it": {"€": Currency("euro", "euro", "centesimi"), "$": Currency("dollaro", "dollari", "centesimi")},
    "pt": {"€": Currency("euro", "euros", "cêntimos"), "$": Currency("dólar", "dólares", "centavos")},
}
_HOURS: Mapping[str, Words] = {
    "de": ("uhr",), "nl": ("uur",), "fr": ("heures", "heure"), "es": ("horas", "y"), "pt": ("horas", "e"),
    "it": ("e",), "sv": ("och",),
}  # fmt: skip
_CONTRACTED: Mapping[str, tuple[str, ...]] = {
    "'s": ("is", "has", "us"), "'re": ("are",), "'ve": ("have",), "'ll": ("will",), "'d": ("would", "had"),
    "'m": ("am",), "n't": ("not",),
}  # fmt: skip
_IRREGULAR = {"won't": "will not", "can't": "can not", "shan't": "shall not", "ain't": "is not"}
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

# Languages written without spaces, or with spaces as one likes, are compared by character.
_UNSPACED = frozenset({"zh", "yue", "ja", "ko", "th", "lo", "my", "km", "bo"})

# What recognisers write where nobody speaks: whisper.cpp's [BLANK_AUDIO], and its kin in any brackets.
_NO_SPEECH = re.compile(
    r"\[[A-Z_ ]{1,40}\]"
    r"|(?i:[\[(*]\s?(?:blank[_ ]audio|silen(?:ce|t)|no (?:speech|audio|sound)|inaudible)\s?[\])*])"
)
_APOSTROPHES = re.compile("['’ʼ＇`]")
_INITIALS = re.compile(r"\b(?:[a-z]\.){2,10}")  # u.s.a., a.m.
_HALF_OF_DAY = re.compile(r"(?<=[0-9])\s?(am|pm)\b")
_SHORTENED = r"(?<![^\W_])(?P<short>[a-z]{1,20}['’](?:s|re|ve|ll|d|m|t))(?![^\W_])"
_NUMERAL = r"[0-9]{1,40}(?:[.,'][0-9]{1,20}){0,6}"
_SPACED_NUMERAL = r"(?:[0-9]{1,3}(?: [0-9]{3}(?![0-9])){1,4}(?:,[0-9]{1,20})?|" + _NUMERAL + ")"
_MINUTE = r"(?::(?P<minute>[0-5][0-9])(?![0-9:])(?: (?:uhr|uur|h)(?![^\W_]))?)?"
_SCALE = r"(?: (?P<scale>thousand|million|billion|trillion)\b)?"

# What is written or left out at will, and never heard.
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "ی": "ي", "ک": "ك", "ـ": "", "\u0670": "",
        **dict.fromkeys(map(chr, range(0x064B, 0x0653)), ""),  # Arabic vowels
        **dict.fromkeys(map(chr, (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5)), ""),
        "ё": "е", "œ": "oe", "æ": "ae", "两": "二", "兩": "二", "〇": "零", "萬": "万", "亿": "億",
    }
)  # fmt: skip


def spell(text: str, language: str | None, beside: Sequence[str] = ()) -> list[str]:
    """Return the words of *text* as they are compared, said as in *beside* where it may be said so."""
    return choose(read_parts(text, language), beside, language)


def read_parts(text: str, language: str | None) -> list[TextPart]:
    """Return the parts of a text in order: plain stretches, and numbers and contractions with their ways."""
    code = _code(language)
    folded = _fold(_NO_SPEECH.sub(" ", text), code)
    if code == "en":
        folded = _INITIALS.sub(lambda match: match[0].replace(".", ""), folded)
        folded = _HALF_OF_DAY.sub(r" \1", folded).replace("per cent", "percent")
    parts: list[TextPart] = []
    end = 0
    for match in _pattern(code).finditer(folded):
        parts.append(TextPart((_plain(folded[end : match.start()], code),)))
        parts.append(TextPart(_ways_of(match, code)))
        end = match.end()
    parts.append(TextPart((_plain(folded[end:], code),)))
    return parts


def choose(parts: Iterable[TextPart], beside: Sequence[str], language: str | None) -> list[str]:
    """Return the words of the parts, each in the first of its ways that occurs in *beside*, else the usual.

    Where words are put together does not count: *ein hundert* is *einhundert*, taken as *beside* has it.
    """
    joined = "".join(beside)
    words = [
        word
        for part in parts
        for word in (part.ways[0] if len(part.ways) == 1 else _as_beside(part.ways, beside, joined))
    ]
    return _without_hundred_and(words) if _code(language) == "en" else words


def _as_beside(ways: Sequence[Words], beside: Sequence[str], joined: str) -> Sequence[str]:
    for way in ways:
        whole = "".join(way)
        if whole in joined:  # far cheaper than the search, and mostly false
            for start, word in enumerate(beside):
                if whole.startswith(word) and (found := _run(whole, beside[start:])):
                    return found
    return ways[0]


def _run(whole: str, words: Sequence[str]) -> Sequence[str]:
    """Return the first of *words* that put together are *whole*; none where they are not."""
    left = whole
    for count, word in enumerate(words, 1):
        if not left.startswith(word):
            return ()
        left = left.removeprefix(word)
        if not left:
            return words[:count]
    return ()


def _code(language: str | None) -> str:
    return (language or "").lower().partition("-")[0]


def _fold(text: str, code: str) -> str:
    """Return the text without the differences that nobody hears, its digits as 0 to 9."""
    if text.isascii() and code != "tr":
        return text.casefold()
    if code == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return _plain_digits(unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE))


def _plain_digits(text: str) -> str:
    """Return the text with the digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)


def _plain(text: str, code: str) -> Words:
    """Return the words of a stretch without numbers."""
    for sign, word in _SIGNS.get(code, {}).items():
        text = text.replace(sign, f" {word} ")
    words = _words(text)
    if code in _UNSPACED:
        return tuple(character for word in words for character in word)
    if code == "en":
        return tuple(spelt for word in words for spelt in _ENGLISH_WORDS.get(word, word).split())
    return tuple(words)


def _words(text: str) -> list[str]:
    """Return the runs of letters, digits and combining marks; apostrophes vanish, the rest separates."""
    joined = _APOSTROPHES.sub("", text)
    return "".join(char if _belongs(char) else " " for char in joined if _shows(char)).split()


def _belongs(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _shows(character: str) -> bool:
    # Format characters (joiners, direction marks) divide no words: but spaces and controls do.
    return unicodedata.category(character) != "Cf"


@lru_cache(maxsize=128)
def _pattern(code: str) -> re.Pattern[str]:
    """Return what finds the numbers of a language, and the contractions of English."""
    if not has_numerals(code):
        return _NOTHING
    currencies = _CURRENCIES.get(code, {})
    signs = "".join(map(re.escape, currencies)) or "$€£¥"
    units = "|".join({word for each in currencies.values() for word in (each.one, each.many)})
    after = rf"(?:\s?(?P<after>[{signs}])" + (rf"|\s(?P<unit>{units})\b)?" if units else ")?")
    before = rf"(?:(?P<before>[{signs}])\s?)?"
    if code in _UNSPACED:
        return re.compile(rf"{before}(?P<number>{_NUMERAL}){_MINUTE}")
    numeral = _NUMERAL if code == "en" else _SPACED_NUMERAL
    suffix = "(?P<suffix>st|nd|rd|th|s)?" if code == "en" else ""
    scale = _SCALE if code == "en" else ""
    number = rf"{before}(?<![^\W_])(?P<number>{numeral}){_MINUTE}{suffix}(?![^\W_]){scale}{after}"
    return re.compile(f"{number}|{_SHORTENED}" if code == "en" else number)


_NOTHING = re.compile(r"(?!)")


def _ways_of(match: re.Match[str], code: str) -> tuple[Words, ...]:
    found = match.groupdict()
    if found.get("short"):
        return _ways_of_short(found["short"].replace("’", "'"))
    sign = found.get("before") or found.get("after")
    unit = found.get("unit")
    if unit is not None:
        sign = next(known for known, each in _CURRENCIES[code].items() if unit in (each.one, each.many))
    details = (found.get("minute"), found.get("suffix"), found.get("scale"), sign)
    return _ways_of_number(found["number"], *details, code)


@lru_cache(maxsize=512)
def _ways_of_short(word: str) -> tuple[Words, ...]:
    """Return what a contraction may stand for; first as it is written, without its apostrophe."""
    stem, ending = (word[:-3], word[-3:]) if word.endswith("n't") else word.split("'")
    ending = ending if ending == "n't" else f"'{ending}"
    long = (
        [_IRREGULAR[word]] if word in _IRREGULAR else [f"{stem} {end}" for end in _CONTRACTED.get(ending, ())]
    )
    return ((word.replace("'", ""),), *(tuple(each.split()) for each in long))


@lru_cache(maxsize=4096)
def _ways_of_number(
    number: str, minute: str | None, suffix: str | None, scale: str | None, sign: str | None, code: str
) -> tuple[Words, ...]:
    """Return the ways to say what a numeral and the marks around it mean, the usual one first."""
    currency = _CURRENCIES.get(code, {}).get(sign or "")
    ways: list[str] = []
    for whole, fraction in _values(number, code):
        if minute is not None and fraction is None:
            ways += _times(whole, minute, code)
        elif currency is not None:
            ways += _amounts(whole, fraction, scale, currency, code)
        else:
            ways += _numbers(whole, fraction, suffix, code)
    tail = f" {scale}" if scale and currency is None else ""
    ways = ways or [" ".join(ways_to_say(digits, code)[0] for digits in re.findall("[0-9]+", number))]
    spelt = (_plain(_fold(way + tail, code), code) for way in ways)
    return tuple(dict.fromkeys(words for words in spelt if words))


def _values(number: str, code: str) -> Iterator[tuple[str, str | None]]:
    """Give what a numeral may mean: whole part and fraction (None: there is none); nothing for 1.2.3.

    English groups by commas and divides by a point: 1,205.5; others mostly the other way round: 1.205,5.
    """
    groups = re.split("[.,' ]", number)
    marks = [mark for mark in number if not mark.isdigit()]
    if not marks:
        yield number, None
        return
    point = "." if code == "en" or code in _UNSPACED else ","
    grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]) and len(set(marks)) == 1
    meanings: list[tuple[str, str | None]] = []
    if grouped:
        meanings.append(("".join(groups), None))
    if marks[-1] in ".," and marks[-1] not in marks[:-1]:
        divided = ("".join(groups[:-1]), groups[-1])
        meanings.insert(0 if marks[-1] == point else len(meanings), divided)
    yield from meanings


def _numbers(whole: str, fraction: str | None, suffix: str | None, code: str) -> Sequence[str]:
    if fraction is not None:
        return ways_to_say_decimal(whole, fraction, code)
    if suffix == "s":  # the 1990s
        return [_plural(way) for way in ways_to_say(whole, code)]
    return ways_to_rank(whole, code) if suffix else ways_to_say(whole, code)


def _plural(way: str) -> str:
    return f"{way[:-1]}ies" if way.endswith("y") else f"{way}s"


def _amounts(
    whole: str, fraction: str | None, scale: str | None, currency: Currency, code: str
) -> Iterator[str]:
    """Give the ways to say an amount: $5.50 is five dollars and fifty cents, or five fifty."""
    unit = currency.one if whole.strip("0") == "1" and not scale and not fraction else currency.many
    decimal = ways_to_say(whole, code) if fraction is None else ways_to_say_decimal(whole, fraction, code)
    if scale:
        yield from (f"{way} {scale} {unit}" for way in decimal)
        return
    if fraction is None or not fraction.strip("0"):
        yield from (f"{way} {unit}" for way in ways_to_say(whole, code)[:8])
    elif len(fraction) <= 2 and currency.hundredth:
        joint = _SIGNS[code]["&"]
        unit = currency.one if whole == "1" else currency.many
        hundredths = ways_to_say(fraction.ljust(2, "0"), code)[:2]
        if not whole.strip("0"):
            yield from (f"{parts} {currency.hundredth}" for parts in hundredths)
        for way, parts in product(ways_to_say(whole, code)[:2], hundredths):
            yield f"{way} {unit} {joint} {parts} {currency.hundredth}"
            yield f"{way} {unit} {parts} {currency.hundredth}"
            yield from (f"{way} {unit} {parts}", f"{way} {parts}", f"{way} {parts} {unit}")
    yield from (f"{way} {currency.many}" for way in decimal)


def _times(hour: str, minute: str, code: str) -> Iterator[str]:
    """Give the ways to say a time of day (or a score): 3:30 is three thirty or half past three."""
    on, minutes = ways_to_say(str(int(hour)), code)[0], int(minute)
    past = ways_to_say(str(minutes), code)[0]
    following = ways_to_say(str(int(hour) % 12 + 1), code)[0]
    if code == "en":
        exact = (f"{on} oclock", on, f"{on} hundred", f"{on} hundred hours")
        yield from exact if not minutes else (f"{on} oh {past}",) if minutes < 10 else (f"{on} {past}",)
        words = {15: "quarter", 30: "half"}
        yield f"{words.get(minutes, past)} past {on}"
        rest = 60 - minutes
        yield f"{words.get(rest, ways_to_say(str(rest), code)[0])} to {following}"
    elif not minutes:
        yield from (f"{on} {word}" for word in _HOURS.get(code, ()))
        yield on
    yield f"{on} {past}"
    yield from (f"{on} {word} {past}" for word in _HOURS.get(code, ()))
    if code == "de":
        quarters = {15: f"viertel nach {on}", 30: f"halb {following}", 45: f"viertel vor {following}"}
        yield from (words for at, words in quarters.items() if at == minutes)


def _without_hundred_and(words: list[str]) -> list[str]:
    """Drop the *and* of "one hundred and five", which some say and some write and others do not."""
    return [
        word
        for at, word in enumerate(words)
        if not (
            word == "and"
            and 0 < at < len(words) - 1
            and words[at - 1] in ("hundred", "thousand", "million")
            and words[at + 1] in _number_words()
        )
    ]


@lru_cache(maxsize=1)
def _number_words() -> frozenset[str]:
    """Return the single words of English numbers below a hundred, and of their ranks."""
    numbers = [str(number) for number in range(1, 100)]
    said = [
        way for number in numbers for way in (ways_to_say(number, "en")[0], ways_to_rank(number, "en")[0])
    ]
    return frozenset(word for way in said for word in _words(way))
