"""What a peer might say when it is out of its mind: every known body, broken in every way we could think of.

`corpus.json` holds the bodies of providers as documented: answers, events, refusals.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

CORPUS: tuple[str, ...] = tuple(json.loads((Path(__file__).parent / "corpus.json").read_text("utf-8")))
EVENTS = tuple(body for body in CORPUS if body.startswith('{"type"'))

# As JSON, so that every draw is a value of its own.
_ODD: tuple[str, ...] = (
    "null", "true", "0", "-1", "1e308", "1" * 40, '""', '" "', f'"{"x" * 70_000}"', '"\\ud800"',
    '"item_1"', "[]", "{}", "[[[[[]]]]]", '{"a": null}', '["error"]', '"ünïcødé \u202e رسالة"',
    "NaN", '"None"', '"\\u0000"',
)  # fmt: skip
_NOISE = (
    b"\x00",
    b"\xff\xfe",
    b"\xc3(",
    b"{",
    b"}",
    b'"',
    b"\\u",
    b"data: ",
    b"\r\n\r\n",
    b"[" * 5000,
    b"9" * 400,
)


def _members(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value where something can be replaced: its container and its key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            found.append((inside, key))
            if isinstance(inside[key], dict | list):
                waiting.append(inside[key])
    return found


@st.composite
def altered_values(draw: st.DrawFn, bodies: tuple[str, ...] = CORPUS) -> bytes:
    """A body of the corpus with one to three of its values replaced or left out, still JSON."""
    body = draw(st.sampled_from(bodies))
    try:
        value = json.loads(body)
    except ValueError:
        return body.encode()
    for _ in range(draw(st.integers(1, 3))):
        places = _members(value)
        if not places:
            break
        inside, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            inside[key] = json.loads(draw(st.sampled_from(_ODD)))
        else:
            del inside[key]
    return json.dumps(value).encode()


@st.composite
def broken_bytes(draw: st.DrawFn, bodies: tuple[str, ...] = CORPUS) -> bytes:
    """A body of the corpus cut, doubled, interrupted by noise, or in another encoding."""
    body = draw(st.sampled_from(bodies)).encode()
    at = draw(st.integers(0, len(body)))
    match draw(st.integers(0, 5)):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + draw(st.sampled_from(_NOISE)) + body[at:]
        case 2:
            return body[:at] + body
        case 3:
            return body.decode().encode(draw(st.sampled_from(("utf-16", "utf-32", "utf-8-sig"))))
        case 4:
            return body[:at] + bytes([draw(st.integers(0, 255))]) + body[at + 1 :]
        case _:
            return draw(st.binary(max_size=300))


def mangled(bodies: tuple[str, ...] = CORPUS) -> st.SearchStrategy[bytes]:
    """Any of it, and now and then a body as it is."""
    whole = st.sampled_from(bodies).map(str.encode)
    return st.one_of(altered_values(bodies), broken_bytes(bodies), whole)
