"""Places and sentences: what is wrong with an operator's file, and where; it reads no file itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.providers import PROVIDERS

_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "a table",
}

KeyPath = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LOOKS_SECRET = re.compile(r"(?=\S*[0-9A-Z])[^\s./]{20,}|sk-|whsec_|Bearer", re.IGNORECASE)
# What people write for what it is called here; too far apart for a comparison of letters.
_MEANT = {
    "api_key": "key",
    "apikey": "key",
    "token": "key",
    "interval": "every",
    "frequency": "every",
    "base_url": "url",
    "endpoint_url": "url",
    "latency": "limit",
    "slower_than": "limit",
    "model": "models",
    "host_model": "session_model",
    "tz": "timezone",
    "bind": "listen",
    "events": "when",
    "target": "watch",
    "targets": "watch",
    "rpm": "max_per_minute",
    **{alias: name for name, provider in PROVIDERS.items() for alias in provider.aliases},
}


def spell(path: KeyPath) -> str:
    """The path as it is written: ``watch[0].every``, ``endpoint.x.deployment."a/b"``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + quoted_key(part)
    return text


def quoted_key(key: str) -> str:
    """The key as TOML spells it, bounded in length and without control characters."""
    shown = "".join(char if char.isprintable() else "?" for char in key[:60])
    return shown if _BARE.fullmatch(shown) else f'"{shown}"'


def kind_of(value: object) -> str:
    """What a TOML value is, in words: ``a number``, ``a list``."""
    return _KINDS.get(type(value), "a date or time")


def shown(value: object) -> str:
    """A value quoted for a sentence; never one that could be a secret."""
    text = str(value)
    if _LOOKS_SECRET.search(text) or len(text) > 60:
        return f"a text of {len(text)} characters"
    return f"'{''.join(char if char.isprintable() else '?' for char in text)}'"


def listed(names: Iterable[str]) -> str:
    """The names in quotes, separated by commas."""
    return ", ".join(f"'{name}'" for name in names)


def nearest(wrong: str, right: Sequence[str]) -> str:
    """``did you mean 'key'?``, or the list of what would be right where nothing is near."""
    meant = _MEANT.get(wrong.lower())
    if meant in right:
        return f"did you mean '{meant}'?"
    close = difflib.get_close_matches(wrong.lower(), right, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if len(right) < 2:
        return f"only '{right[0]}' is known" if right else "none is known here"
    return f"known are {listed(right)}"


def one_of(what: str, right: Sequence[str], value: str) -> str:
    """The value itself where it is one of the right ones; raises ValueError with the nearest."""
    if value not in right:
        raise ValueError(f"unknown {what} {shown(value)}, {nearest(value, right)}")
    return value


@dataclass(slots=True)
class Problems:
    """Every problem found so far in one file; `lines` says where its keys stand."""

    name: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    found: list[tuple[int, str]] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """The line of the key, else of the nearest table around it, else 1."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def add(self, path: KeyPath, sentence: str) -> None:
        """Record that the key at *path* is wrong, and how."""
        line = self.line_of(path)
        self.found.append((line, f"{self.name}:{line}: {spell(path)}: {sentence}"))

    def in_file_order(self) -> Sequence[str]:
        """Every sentence, each with file name, line and key, ordered by line."""
        return [sentence for _, sentence in sorted(self.found, key=lambda item: item[0])]
