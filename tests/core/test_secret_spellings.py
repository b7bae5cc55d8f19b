"""A secret is found in whatever spelling it comes back; both ends of the product use this list."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.secret_spellings import has_escapes, spellings_of

KEY = "sk-Canary/7+Wq=0123_456.789"
MARK = "[secret]"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "mixed case": str.swapcase,
    "reversed": lambda text: text[::-1],
    "reversed and upper": lambda text: text[::-1].upper(),
    "hex": lambda text: text.encode().hex(),
    "hex, upper": lambda text: text.encode().hex().upper(),
    "hex, by colons": lambda text: text.encode().hex(":"),
    "hex, by spaces": lambda text: text.encode().hex(" "),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one before": lambda text: base64.b64encode(b":" + text.encode()).decode(),
    "base64, of a user": lambda text: base64.b64encode(b"me:" + text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"??" + text.encode()).decode(),
    "percent": lambda text: quote(text, safe=""),
    "percent, all": lambda text: "".join(f"%{ord(one):02X}" for one in text),
    "percent, lower": lambda text: "".join(f"%{ord(one):02x}" for one in text),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "entities, decimal": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "entities, padded": lambda text: "".join(f"&#{ord(one):05d};" for one in text),
    "entities, hex": lambda text: "".join(f"&#x{ord(one):x};" for one in text),
    "entities, upper hex": lambda text: "".join(f"&#X{ord(one):X};" for one in text),
    "entities, named": lambda text: (
        text.replace("/", "&sol;").replace("+", "&plus;").replace("=", "&equals;")
    ),
    "entities, twice": lambda text: html.escape("".join(f"&#{ord(one)};" for one in text)),
    "JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, all": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "JSON in JSON": lambda text: json.dumps("".join(f"\\u{ord(one):04x}" for one in text))[1:-1],
    "C": lambda text: "".join(f"\\x{ord(one):02x}" for one in text),
    "UTF-16 read as text": lambda text: text.encode("utf-16-le").decode(),
    "UTF-16, other end": lambda text: text.encode("utf-16-be").decode(),
    "UTF-16 in JSON": lambda text: json.dumps(text.encode("utf-16-le").decode())[1:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_hidden_and_found(spelling: str) -> None:
    """In text, in bytes, and by the last look at what leaves, whatever stands around it."""
    told = SPELLINGS[spelling](KEY)
    text = f"Incorrect key: '{told}', 50% of \\n & more."
    sought = spellings_of(KEY)
    assert MARK in sought.hidden(text, MARK)
    assert MARK.encode() in sought.hidden_bytes(text.encode(), MARK)
    lowered = text.encode().decode("latin-1").lower()
    assert sought.stands_in(lowered, has_escapes=has_escapes(lowered))
    left = sought.hidden(text, MARK).replace(MARK, "")
    assert "0123" not in left
    assert "3210" not in left


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_bytes_in_a_wide_encoding(encoding: str) -> None:
    """A binary frame in UTF-16 hides no key."""
    data = f"key: {KEY}".encode(encoding)
    assert MARK.encode() in spellings_of(KEY).hidden_bytes(data, MARK)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_text_without_the_key_stays_as_it_is(text: str) -> None:
    """Nothing else is touched, in text or in bytes."""
    sought = spellings_of(KEY)
    assert sought.hidden(text, MARK) == text
    assert sought.hidden_bytes(text.encode(), MARK) == text.encode()


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40),
    st.sampled_from(["%", "&", "\\"]),
)
def test_a_key_of_any_characters_is_hidden_in_each_way(secret: str, way: str) -> None:
    """Percent, entities and JSON escapes of whatever a secret consists of."""
    told = {
        "%": quote(secret, safe=""),
        "&": "".join(f"&#{ord(one)};" for one in secret),
        "\\": json.dumps(secret)[1:-1],
    }[way]
    assert spellings_of(secret).hidden(f"<{told}>", MARK) == f"<{MARK}>"
    assert spellings_of(secret).hidden_bytes(f"<{told}>".encode(), MARK) == f"<{MARK}>".encode()


@pytest.mark.parametrize("flood", ["\\", "%", "%25", "&amp;", "&#0", "s\\", KEY[:-1], "&#115;"])
def test_a_text_that_is_made_to_be_slow_is_read_in_time(flood: str) -> None:
    """The time grows with the length of a text and not with its square."""

    def cost(size: int) -> float:
        text = flood * (size // len(flood))
        began = time.process_time()
        spellings_of(KEY).hidden(text, MARK)
        return time.process_time() - began

    assert cost(400_000) < 20 * cost(40_000) + 0.1


@pytest.mark.parametrize("way", ["&#38;", "&#x26;", "&amp;", "%26", "\\u0026"])
def test_a_secret_that_ends_in_an_ampersand_is_hidden_whole(way: str) -> None:
    """The literal character begins the escapes of itself: the longer spelling is taken."""
    assert spellings_of("0000000&").hidden(f"<0000000{way}>", MARK) == f"<{MARK}>"
