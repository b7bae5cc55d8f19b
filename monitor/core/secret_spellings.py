"""The spellings in which a peer may give a secret back: one list, for what is kept and for what leaves.

Looked for without regard to case: plain, reversed, UTF-16, hexadecimal, base64 at any offset, and any
mixture of percent, HTML (named, decimal, hexadecimal) and JSON escapes, also one inside the other.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from html.entities import codepoint2name
from re import Pattern

# A shorter secret is looked for as it stands and escaped: turned round or encoded it may be a word.
_WIDE = 6
_ESCAPES = re.compile(r"[%&\\]")
# Bounded, so that a row of backslashes made to be slow is read in linear time.
_BETWEEN = r"(?:\x00|\\{1,8}u0000|%00|&#0;)?"
_NAMES = {"'": "apos", **{chr(code): name for code, name in codepoint2name.items()}}
_HTML5 = {"+": "plus", "/": "sol", "=": "equals", "-": "(?:hyphen|dash)", "_": "lowbar", ".": "period",
          ":": "colon", "@": "commat", "#": "num", "$": "dollar", "%": "percnt", "*": "ast", "!": "excl",
          "?": "quest", ",": "comma", ";": "semi", "(": "lpar", ")": "rpar"}  # fmt: skip


class Spellings:
    """The spellings of one secret, in text or in bytes.

    Bytes are read as Latin-1, so that each of them is one character; `size` is the secret's length.
    """

    __slots__ = ("_escaped", "_escaped_bytes", "_forms", "_forms_bytes", "size")

    def __init__(self, secret: str) -> None:
        raw = secret.encode("utf-8", "surrogatepass").decode("latin-1")
        self.size = len(secret)
        self._forms = _forms(secret, raw, secret)
        self._forms_bytes = _forms(raw, raw, secret)
        self._escaped = _escaped(secret, literal=lambda one: one)
        self._escaped_bytes = _escaped(
            secret, literal=lambda one: one.encode("utf-8", "surrogatepass").decode("latin-1")
        )

    def hidden(self, text: str, mark: str) -> str:
        """The text with *mark* in place of every spelling."""
        return _hidden(text, mark, self._forms, self._escaped)

    def hidden_bytes(self, data: bytes, mark: str) -> bytes:
        """The same for bytes."""
        text = data.decode("latin-1")
        told = _hidden(text, mark, self._forms_bytes, self._escaped_bytes)
        return data if told is text else told.encode("latin-1")

    def stands_in(self, lowered: str, *, has_escapes: bool) -> bool:
        """Whether a spelling stands in lower-case bytes that were read as Latin-1."""
        if any(form in lowered for form in self._forms_bytes):
            return True
        return has_escapes and self._escaped_bytes.search(lowered) is not None


@lru_cache(maxsize=128)
def spellings_of(secret: str) -> Spellings:
    """The spellings of the secret, made once."""
    return Spellings(secret)


def has_escapes(text: str) -> bool:
    """Whether anything in the text may be escaped; most texts are not searched for it."""
    return _ESCAPES.search(text) is not None


def _hidden(text: str, mark: str, forms: tuple[str, ...], escaped: Pattern[str]) -> str:
    # Escaped spellings first: the last character of a plain one may begin an escape, as & begins &#38;.
    if has_escapes(text):
        text = escaped.sub(mark, text)
    lowered = text.lower()
    for form in forms:
        if form in lowered:
            text = re.sub(re.escape(form), mark, text, flags=re.IGNORECASE)
            lowered = text.lower()
    return text


def _forms(plain: str, raw: str, secret: str) -> tuple[str, ...]:
    """What is looked for literally, in lower case, the longest first; *raw* are its bytes in UTF-8."""
    if len(secret) < _WIDE:
        return (plain.lower(),)
    octets = raw.encode("latin-1")
    pairs = [f"{octet:02x}" for octet in octets]
    forms = {plain, plain[::-1], "\x00".join(plain)}
    forms |= {mark.join(pairs) for mark in ("", ":", " ", "-", "00")}
    for lead in range(3):
        core = _base64_core(octets, lead)
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return tuple(sorted({form.lower() for form in forms}, key=len, reverse=True))


def _base64_core(raw: bytes, lead: int) -> str:
    """The characters that *raw* always gives in base64 when *lead* other bytes (modulo 3) stand before it."""
    encoded = base64.b64encode(bytes(lead) + raw).decode()
    return encoded[(0, 2, 3)[lead] : (len(raw) + lead) * 8 // 6]


def _escaped(secret: str, literal: Callable[[str], str]) -> Pattern[str]:
    return re.compile(_BETWEEN.join(_character(one, literal(one)) for one in secret), re.IGNORECASE)


def _character(one: str, literal: str) -> str:
    """One character as it stands, or escaped in any of the ways, in a pattern."""
    code = ord(one)
    octets = one.encode("utf-8", "surrogatepass")
    units = one.encode("utf-16-be", "surrogatepass")
    names = "|".join(filter(None, (_NAMES.get(one), _HTML5.get(one))))
    ways = [
        "".join(f"%(?:25){{0,3}}{octet:02x}" for octet in octets),
        rf"&(?:amp;){{0,3}}#0{{0,6}}{code};?",
        rf"&(?:amp;){{0,3}}#x0{{0,6}}{code:x};?",
        "".join(rf"\\{{1,8}}u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)),
        *([rf"&(?:amp;){{0,3}}(?:{names});"] if names else []),
        *([rf"\\{{1,8}}x{code:02x}"] if code < 256 else []),
        *([r"\+"] if one == " " else []),
        rf"\\{{0,8}}{re.escape(literal)}",  # last: & begins the escapes of itself
    ]
    return f"(?:{'|'.join(ways)})"
