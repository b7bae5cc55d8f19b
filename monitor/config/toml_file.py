"""Read a TOML file as tables with the line of every key; what cannot be read is one sentence."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.config.problems import KeyPath, Problems
from monitor.core.errors import ConfigurationError

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


# TOML 1.0: up to two quotes may stand directly before the closing three.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)

_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every key, table and list element of a valid TOML text.

    A table opened more than once keeps the line on which it was first named.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks the text once; `at` is the offset reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_SPACE)
        while self.at < len(self.text):
            table = self._header() if self.text[self.at] == "[" else self._pair(table)
            self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _note(self, path: KeyPath, offset: int) -> None:
        self.lines.setdefault(path, bisect_right(self._newlines, offset - 1) + 1)

    def _header(self) -> KeyPath:
        start = self.at
        is_list = self.text.startswith("[[", start)
        self.at += 2 if is_list else 1
        path: KeyPath = ()
        parts = self._key()
        for position, part in enumerate(parts, 1):
            path = (*path, part)
            self._note(path, start)
            if is_list and position == len(parts):
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        self._note(path, start)
        self.at = self.text.index("]", self.at) + (2 if is_list else 1)
        return path

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            quoted = self._skip(_STRING)
            parts.append(tomllib.loads(f"key = {quoted}")["key"] if quoted else self._skip(_BARE_KEY))
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _pair(self, table: KeyPath) -> KeyPath:
        start = self.at
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)
        return table

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._sequence("]", path)
        elif opening == "{":
            self._sequence("}", path)
        else:
            self._skip(_STRING) or self._skip(_SCALAR)

    def _sequence(self, closing: str, path: KeyPath) -> None:
        self.at += 1
        position = 0
        self._skip(_SPACE)
        while self.text[self.at] != closing:
            if closing == "}":
                self._pair(path)
            else:
                self._note((*path, position), self.at)
                self._value((*path, position))
            position += 1
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_SPACE)
        self.at += 1


LARGEST_FILE = 1_000_000
TOO_DEEP = "lists or tables are nested too deeply to be read"
_START = "see it work without one by `earwitness demo`, or copy config.example.toml and change it"
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_UNQUOTED = re.compile(r"\s*[\w.\"'-]+\s*=\s*([\w./:+-]+)")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")


# How tomllib begins its sentences, and what a reader of the file understands.
_OURS = {
    "Unclosed array": "a list is opened with [ and never closed",
    "Unclosed inline table": "a table is opened with { and never closed",
    "Unterminated string": "a text is opened with a quote and never closed",
    "Expected \"'''\"": "a text is opened with three quotes and never closed",
    "Invalid value": "a value is missing, or is none that TOML knows",
    "Illegal character '\\n'": "a text is opened with a quote and not closed on this line",
    "Expected '=' after a key": "after a key comes =",
    "Expected ']' at the end of a table declaration": "the name of a table has no spaces and ends with ]",
    "Expected newline or end of document after a statement": "after the value nothing else may follow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlDocument:
    """One parsed file: its tables as tomllib gives them, and a fresh list of problems."""

    table: Mapping[str, Any]
    problems: Problems


def read_document(path: Path, *, missing: str = _START) -> TomlDocument:
    """The parsed file. Raises ConfigurationError where it is missing, unreadable or no TOML.

    *missing* is what to do where there is no such file.
    """
    return parse_document(_text(path, missing), name=str(path))


def parse_document(text: str, *, name: str) -> TomlDocument:
    """The parsed text; *name* stands before every sentence. Raises ConfigurationError for no TOML."""
    try:
        table = tomllib.loads(text)
        lines = key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([_syntax_sentence(text, str(error), name)]) from None
    except RecursionError:
        raise ConfigurationError([f"{name}:1: {TOO_DEEP}"]) from None
    return TomlDocument(table=table, problems=Problems(name=name, lines=lines))


def _text(path: Path, missing: str) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError([f"{path}: there is no such file; {missing}"]) from None
    except IsADirectoryError:
        raise ConfigurationError([f"{path}: is a directory; name the TOML file in it"]) from None
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if len(raw) > LARGEST_FILE:
        raise ConfigurationError([f"{path}: is larger than 1 MB, which no configuration is"])
    return _decode(path, raw)


def _decode(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise ConfigurationError([f"{path}:1: is saved as UTF-16; save it as UTF-8"]) from None
        raise ConfigurationError([f"{path}:{line}: is not UTF-8 here; save the file as UTF-8"]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigurationError([f"{path}:{line}: holds a NUL, as UTF-16 does; save the file as UTF-8"])
    return text


def _syntax_sentence(text: str, message: str, name: str) -> str:
    match = _AT.search(message)
    if match is None or match[1] is None:
        line, column = text.rstrip().count("\n") + 1, None
    else:
        line, column = int(match[1]), int(match[2])
    place = f"{name}:{line}: " + (f"column {column}: " if column else "")
    source = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    return place + _what_is_wrong(source, message[: match.start()] if match else message)


def _what_is_wrong(source: str, message: str) -> str:
    twice = _TWICE.search(message)
    if twice:
        parts = re.findall(r"'([^']*)'", twice[1])
        return f"the table [{'.'.join(parts)}] is there twice; put its keys into one"
    if message.startswith(("Cannot overwrite a value", "Duplicate inline table key")):
        return "this key is there twice; remove one"
    unquoted = _UNQUOTED.match(source)
    if unquoted and re.search("[A-Za-z/]", unquoted[1]) and unquoted[1] not in {"true", "false"}:
        return 'no valid TOML: text needs quotes, as in every = "30s"'
    for beginning, ours in _OURS.items():
        if message.startswith(beginning):
            return f"no valid TOML: {ours}"
    return f"no valid TOML: {message[:1].lower()}{message[1:]}"
