"""References to secrets: checked when the file is read, resolved only when the secret is needed.

A secret's value is never part of a message, and this module keeps none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from monitor.core.errors import SecretError
from monitor.core.model import is_reference

_HOW = 'write "env:NAME" or "file:/path" and keep the value out of this file'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELL = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_LARGEST = 65_536
POSTGRES_SCHEMES = ("postgresql", "postgresql+psycopg")
WEBHOOK_PREFIX = "whsec_"


def check_reference(text: str) -> str:
    """The reference itself. Raises ValueError, without repeating the text, where it is none."""
    shell = _SHELL.fullmatch(text)
    if shell:
        raise ValueError(f'variables are not expanded here; write "env:{shell[1]}"')
    kind, _, where = text.partition(":")
    if kind == "env":
        if not _NAME.fullmatch(where):
            raise ValueError('after "env:" comes the name of a variable: letters, digits and _ only')
    elif kind == "file":
        if not _path(where).is_absolute() or not where.isprintable():
            raise ValueError('after "file:" comes an absolute path, such as "file:/run/secrets/key"')
    else:
        raise ValueError(f"a literal secret is refused; {_HOW}")
    return text


def resolve_secret(reference: str, environ: Mapping[str, str]) -> str:
    """What ``env:NAME`` or ``file:/path`` stands for, without one trailing newline.

    Raises SecretError where it is missing, empty, or could not be sent in a header (line breaks,
    other control characters, surrounding spaces or quotes).
    """
    try:
        check_reference(reference)
    except ValueError as error:
        raise SecretError(reference if is_reference(reference) else "secret", str(error)) from None
    kind, _, where = reference.partition(":")
    value = _from_environment(reference, where, environ) if kind == "env" else _from_file(reference, where)
    value = value.removesuffix("\n").removesuffix("\r")
    reason = _unusable(value)
    if reason:
        raise SecretError(reference, reason)
    return value


def resolve(value: str, environ: Mapping[str, str]) -> str:
    """What the reference stands for, or the value itself where it is none; raises SecretError."""
    return resolve_secret(value, environ) if is_reference(value) else value


def check_webhook_secret(value: str) -> str | None:
    """Why the value is no signing secret of Standard Webhooks, or None where it is one, or several.

    The form is ``whsec_`` and the base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme");
    while it is changed, the new one and the old one, separated by a space.
    """
    reasons = (_fault_of_signing_secret(one) for one in value.split() or [""])
    return next((reason for reason in reasons if reason), None)


def _fault_of_signing_secret(value: str) -> str | None:
    if not value.startswith(WEBHOOK_PREFIX):
        return f"a signing secret begins with {WEBHOOK_PREFIX}"
    try:
        size = len(base64.b64decode(value.removeprefix(WEBHOOK_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return f"after {WEBHOOK_PREFIX} comes base64, which this is not"
    return None if 24 <= size <= 64 else f"a signing secret has 24 to 64 bytes, this one has {size}"


def _path(where: str) -> Path:
    return Path("/" + where.lstrip("/")) if where.startswith("//") else Path(where)


def _from_environment(reference: str, name: str, environ: Mapping[str, str]) -> str:
    try:
        return environ[name]
    except KeyError:
        raise SecretError(reference, f"the variable {name} is not set") from None


def _from_file(reference: str, where: str) -> str:
    path = _path(where)
    try:
        if path.stat().st_size > _LARGEST:
            raise SecretError(reference, "the file is larger than 64 KB, which no secret is")
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise SecretError(reference, "there is no such file") from None
    except OSError as error:
        raise SecretError(reference, f"the file cannot be read: {error.strerror or 'error'}") from None
    except UnicodeDecodeError:
        raise SecretError(reference, "the file is not text in UTF-8") from None


def _unusable(value: str) -> str | None:
    if not value.strip():
        return "is empty"
    if any(not char.isprintable() for char in value):
        return "contains a line break or another control character"
    if not value.isascii():
        return "contains a character outside ASCII, which no header can carry"
    if value != value.strip():
        return "begins or ends with a space"
    if value.lower().startswith("bearer "):
        return "begins with 'Bearer': write the key alone, what goes before it is put there"
    if value[0] == value[-1] and value[0] in "\"'" and len(value) > 1:
        return "stands in quotes; remove them, they would be sent as part of it"
    return None
