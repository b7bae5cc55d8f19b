"""The tree of exceptions: the monitor failed, not the target.

::

    MonitorError
    ├── ConfigurationError    the operator's file or arguments; carries every problem found
    ├── SecretError           a secret reference that does not resolve
    ├── TokenRefused          an identity provider that knows us and gives no token
    ├── ClipError             a recording that is missing, altered or unreadable
    ├── DatabaseError         the store cannot be used now
    │   ├── DatabaseMissing   there is none at that place yet
    │   ├── DatabaseBusy      somebody else holds the lock
    │   └── SchemaMismatch    the schema is older or newer than this program
    └── NotFound              an incident, target, channel or run that nobody knows

A target that fails is data, never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence


class MonitorError(Exception):
    """Something on our own side: one sentence with the place and the remedy."""


class ConfigurationError(MonitorError):
    """The configuration cannot be used; `problems` holds every sentence, in file order."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SecretError(MonitorError):
    """A reference such as ``env:NAME`` or ``file:/path`` that gives no secret."""

    def __init__(self, reference: str, reason: str) -> None:
        self.reference = reference
        self.reason = reason
        super().__init__(f"{reference}: {reason}")


class TokenRefused(MonitorError):
    """The identity provider was asked and refused: our account, not our monitor; quotes its words."""


class ClipError(MonitorError):
    """A recording that cannot be used; `name` says which."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"clip {name}: {reason}")


class DatabaseError(MonitorError):
    """The database cannot be used; the message names it without credentials."""


class DatabaseMissing(DatabaseError):
    """There is no database of that name; the message says how one is made."""


class DatabaseBusy(DatabaseError):
    """Another process holds the database longer than we are willing to wait."""


class SchemaMismatch(DatabaseError):
    """The schema is not the one this program speaks; the message says what to run."""


class NotFound(MonitorError):
    """Nothing of that name, number or id exists."""
