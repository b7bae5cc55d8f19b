"""Reads a `multipart/form-data` body that is wholly in memory (RFC 7578)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

KEPT_BYTES = 1024 * 1024  # some twenty seconds of audio
_IN_MEMORY = {"MAX_MEMORY_FILE_SIZE": 2**40}  # what comes is bounded already; nothing goes to the disk


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
    kind, options = parse_options_header(content_type.encode())
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadForm("expected multipart/form-data with a boundary")
    fields: dict[str, tuple[str, ...]] = {}
    files: dict[str, UploadedFile] = {}

    def keep_field(field: Field) -> None:
        name = _text(field.field_name)
        fields[name] = (*fields.get(name, ()), _text(field.value))

    def keep_file(file: File) -> None:
        file.file_object.seek(0)
        files[_text(file.field_name)] = UploadedFile(
            filename=_text(file.file_name), content=file.file_object.read()
        )

    ended: list[bool] = []
    parser = FormParser(
        "multipart/form-data", keep_field, keep_file, lambda: ended.append(True), boundary, config=_IN_MEMORY
    )
    try:
        parser.write(body)
    except FormParserError as error:
        raise BadForm(str(error)) from error
    if not ended:
        raise BadForm("the closing boundary is missing")
    return Form(fields=fields, files=files)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


_recalled = lru_cache(maxsize=32)(_read_form)
