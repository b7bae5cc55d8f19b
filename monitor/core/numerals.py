"""How other languages than English say numbers and signs, as data and short rules; it compares nothing.

A number that is said in a way of its own (French of Belgium, *hundert* for *einhundert*, ordinals) stays a
difference: a clip with numbers should be written as it is usually said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LONGEST = 9  # digits; a longer number is read digit by digit

_DE = (
    *("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf"),
    *("zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"),
)
_DE_TENS = ("", "", "zwanzig", "dreissig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
_NL = (
    *("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf"),
    *("twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien"),
)
_NL_TENS = ("", "", "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")
_FR = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze"),
    *("douze", "treize", "quatorze", "quinze", "seize", "dix sept", "dix huit", "dix neuf"),
)
_FR_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre vingt")
_ES = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once"),
    *("doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte"),
    *("veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete"),
    *("veintiocho", "veintinueve"),
)
_ES_TENS = ("", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_ES_HUNDREDS = (
    *("", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos"),
    *("setecientos", "ochocientos", "novecientos"),
)
_HAN = "零一二三四五六七八九"


def _joined(number: int, ones: tuple[str, ...], tens: tuple[str, ...], words: tuple[str, str, str]) -> str:
    """Below a million in one word, the one before the ten: German and Dutch."""
    hundred, thousand, and_ = words
    if number >= 1000:
        head, rest = divmod(number, 1000)
        return (
            _joined(head, ones, tens, words) + thousand + (_joined(rest, ones, tens, words) if rest else "")
        )
    if number >= 100:
        head, rest = divmod(number, 100)
        return ones[head] + hundred + (_joined(rest, ones, tens, words) if rest else "")
    if number < 20:
        return ones[number]
    ten, one = divmod(number, 10)
    dutch = "ën" if and_ == "en" and ones[one].endswith("e") else and_
    return f"{ones[one]}{dutch}{tens[ten]}" if one else tens[ten]


def _german(number: int) -> str:
    if number >= 10**6:
        head, rest = divmod(number, 10**6)
        millions = "eine million" if head == 1 else f"{_german(head)} millionen"
        return f"{millions} {_german(rest)}" if rest else millions
    said = _joined(number, _DE, _DE_TENS, ("hundert", "tausend", "und"))
    return said + "s" if number % 100 == 1 else said


def _german_year(number: int) -> str:
    head, rest = divmod(number, 100)
    return f"{_joined(head, _DE, _DE_TENS, ('', '', ''))}hundert{_german(rest) if rest else ''}"


def _dutch(number: int) -> str:
    if number >= 10**6:
        head, rest = divmod(number, 10**6)
        return f"{_dutch(head)} miljoen {_dutch(rest) if rest else ''}"
    if 100 <= number < 200 or 1000 <= number < 2000:  # honderd, not eenhonderd
        return _joined(number, _NL, _NL_TENS, ("honderd", "duizend", "en")).removeprefix("een")
    return _joined(number, _NL, _NL_TENS, ("honderd", "duizend", "en"))


def _french(number: int) -> str:
    if number >= 1000:
        size, name = (10**6, "million") if number >= 10**6 else (1000, "mille")
        head, rest = divmod(number, size)
        plural = "s" if name == "million" and head > 1 else ""
        counted = _french(head).removesuffix("s") if head % 100 in (0, 80) else _french(head)
        first = "" if head == 1 and name == "mille" else f"{counted} "
        return f"{first}{name}{plural} {_french(rest) if rest else ''}"
    if number >= 100:
        head, rest = divmod(number, 100)
        first = "cent" if head == 1 else f"{_FR[head]} cent"
        return f"{first} {_french(rest)}" if rest else first + ("s" if head > 1 else "")
    if number < 20:
        return _FR[number]
    ten, one = divmod(number, 10)
    if ten in (7, 9):
        ten, one = ten - 1, one + 10
    if not one:
        return _FR_TENS[ten] + ("s" if number == 80 else "")
    return f"{_FR_TENS[ten]}{' et' if one in (1, 11) and ten < 8 else ''} {_FR[one]}"


def _spanish(number: int) -> str:
    if number >= 1000:
        size, name = (10**6, "millones") if number >= 10**6 else (1000, "mil")
        head, rest = divmod(number, size)
        first = {"mil": "mil", "millones": "un millón"}[name] if head == 1 else f"{_spanish(head)} {name}"
        return f"{first} {_spanish(rest)}" if rest else first
    if number >= 100:
        head, rest = divmod(number, 100)
        return "cien" if number == 100 else f"{_ES_HUNDREDS[head]} {_spanish(rest) if rest else ''}"
    if number < 30:
        return _ES[number]
    ten, one = divmod(number, 10)
    return f"{_ES_TENS[ten]} y {_ES[one]}" if one else _ES_TENS[ten]


_HAN_SIZES = ((10**8, "億"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十"))


def _japanese(number: int) -> str:
    if number < 10:
        return _HAN[number]
    size, name = next(each for each in _HAN_SIZES if number >= each[0])
    head, rest = divmod(number, size)
    first = _japanese(head) if head > 1 or size >= 10**4 else ""
    return first + name + (_japanese(rest) if rest else "")


def _chinese(number: int) -> str:
    said = _chinese_inside(number)
    return said.removeprefix("一") if 10 <= number < 20 else said


def _chinese_inside(number: int) -> str:
    """A one before every size, and a zero where sizes are left out: 一百零五."""
    if number < 10:
        return _HAN[number]
    size, name = next(each for each in _HAN_SIZES if number >= each[0])
    head, rest = divmod(number, size)
    gap = _HAN[0] if 0 < rest < size // 10 else ""
    return f"{_chinese_inside(head)}{name}{gap}{_chinese_inside(rest) if rest else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """How one language says numbers: `point` is the word for the decimal sign, `signs` are said as words."""

    say: Callable[[int], str]
    digits: tuple[str, ...]
    year: Callable[[int], str] | None = None
    point: str = ""
    signs: Mapping[str, str] = field(default_factory=dict)

    def read(self, digits: str, reading: str) -> str:
        """The words of a run of digits in one of the readings of `spelling`."""
        if reading == "digits" or len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0"):
            return " ".join(self.digits[int(digit)] for digit in digits)
        number = int(digits)
        if reading == "pairs" and self.year is not None and 1100 <= number < 2000:
            return self.year(number)
        return self.say(number)


NUMERALS: Mapping[str, Numerals] = {
    "de": Numerals(
        say=_german,
        digits=("null", "eins", *_DE[2:10]),
        year=_german_year,
        point="komma",
        signs={"%": "prozent", "€": "euro", "$": "dollar", "&": "und"},
    ),
    "nl": Numerals(
        say=_dutch, digits=_NL[:10], point="komma", signs={"%": "procent", "€": "euro", "&": "en"}
    ),
    "fr": Numerals(
        say=_french,
        digits=_FR[:10],
        point="virgule",
        signs={"%": "pour cent", "€": "euros", "$": "dollars", "&": "et"},
    ),
    "es": Numerals(
        say=_spanish,
        digits=_ES[:10],
        point="coma",
        signs={"%": "por ciento", "€": "euros", "$": "dólares", "&": "y"},
    ),
    "zh": Numerals(say=_chinese, digits=tuple(_HAN), point="点"),
    "yue": Numerals(say=_chinese, digits=tuple(_HAN), point="點"),
    "ja": Numerals(say=_japanese, digits=tuple(_HAN), point="点"),
}
