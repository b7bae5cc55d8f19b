"""Reads a `multipart/form-data` body that is wholly in memory (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

KEPT_BYTES = 1024 * 1024  # some twenty seconds of audio
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^;,\s]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(filename|name)\s*=\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)


class BadForm(ValueError):
    """A body that is no multipart form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A part with a file name."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The text fields (each with all its values) and the files of a form."""

    fields: Mapping[str, tuple[str, ...]]
    files: Mapping[str, UploadedFile]

    def text(self, name: str) -> str | None:
        """The first value of a field."""
        values = self.fields.get(name)
        return values[0] if values else None


def read_form(content_type: str, body: bytes) -> Form:
    """The form in *body*; raises BadForm.

    Equal bodies are read once: a monitor sends the same upload all day. Large ones are not kept.
    """
    return _recalled(content_type, body) if len(body) <= KEPT_BYTES else _read_form(content_type, body)


def _read_form(content_type: str, body: bytes) -> Form:
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise BadForm("expected multipart/form-data with a boundary")
    delimiter = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise BadForm("the closing boundary is missing")
    fields: dict[str, tuple[str, ...]] = {}
    files: dict[str, UploadedFile] = {}
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            raise BadForm("a part has no header")
        names = _disposition(head)
        name = names.get("name", "")
        if "filename" in names:
            files[name] = UploadedFile(filename=names["filename"], content=content)
        else:
            fields[name] = (*fields.get(name, ()), content.decode("utf-8", "replace"))
    return Form(fields=fields, files=files)


_recalled = lru_cache(maxsize=32)(_read_form)


def _disposition(head: bytes) -> Mapping[str, str]:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return {match[1].lower(): match[2].replace('\\"', '"') for match in _PARAMETER.finditer(value)}
    raise BadForm("a part has no Content-Disposition")
