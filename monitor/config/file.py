"""A TOML file as tables and the lines of its keys; what cannot be read is said in one sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.config.lines import key_lines
from monitor.config.problems import Problems
from monitor.core.errors import ConfigurationError

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
class Document:
    """One parsed file: its tables as tomllib gives them, and a fresh list of problems."""

    table: Mapping[str, Any]
    problems: Problems


def read_document(path: Path, *, missing: str = _START) -> Document:
    """The parsed file. Raises ConfigurationError where it is missing, unreadable or no TOML.

    *missing* is what to do where there is no such file.
    """
    return parse_document(_text(path, missing), name=str(path))


def parse_document(text: str, *, name: str) -> Document:
    """The parsed text; *name* stands before every sentence. Raises ConfigurationError for no TOML."""
    try:
        table = tomllib.loads(text)
        lines = key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([_syntax_sentence(text, str(error), name)]) from None
    except RecursionError:
        raise ConfigurationError([f"{name}:1: {TOO_DEEP}"]) from None
    return Document(table=table, problems=Problems(name=name, lines=lines))


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
