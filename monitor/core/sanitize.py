"""Text from outside made harmless for plain text, Markdown and chat; pages and CSV escape by themselves."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_MARKUP = str.maketrans({"<": "‹", ">": "›", "`": "'", "[": "(", "]": ")", "|": "¦", "*": "∗", "\\": "∖"})
# A mention, a link with scheme or www, a reference to an issue, struck or bold text, an image, a formula.
_LIVE = re.compile(r"(?i)@(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)|#(?=\w)|~(?=~)|_(?=_)|!(?=\()|\$(?=\$)")
_BREAK = "\u200b"


def cut(text: str, limit: int) -> str:
    """The text in at most *limit* characters; what was cut off is marked by ``…``."""
    return text if len(text) <= limit else f"{text[: max(limit - 1, 0)].rstrip()}…"


def one_line(text: str, limit: int) -> str:
    """The text without control, formatting and bidirectional characters, in one line of at most *limit*."""
    shown = (" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in text[: 4 * limit + 64])
    return cut(" ".join("".join(shown).split()), limit)


def defuse(text: object, limit: int = 300) -> str:
    """The text with nothing a receiver could act on: no markup, link, mention, reference or new line.

    A zero-width space stands where a mention or link would begin, so that the words stay readable.
    """
    quiet = one_line(str(text), limit).translate(_MARKUP)
    return cut(_LIVE.sub(lambda match: f"{match[0]}{_BREAK}", quiet), limit)
