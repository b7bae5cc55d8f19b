"""The tree of exceptions: what a caller may catch, and what the sentences carry."""

from __future__ import annotations

import inspect

from monitor.core import errors
from monitor.core.errors import (
    ClipError,
    ConfigurationError,
    DatabaseBusy,
    DatabaseError,
    MonitorError,
    SchemaMismatch,
    SecretError,
)


def test_everything_of_ours_is_a_monitor_error() -> None:
    """One name catches what is wrong on our own side, and the docstring draws the whole tree."""
    ours = [
        one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__
    ]
    assert all(issubclass(one, MonitorError) for one in ours)
    assert all(one.__name__ in str(errors.__doc__) for one in ours)


def test_what_passes_by_waiting_is_told_from_what_does_not() -> None:
    """Both are the database's, and callers that keep their items catch both."""
    assert issubclass(DatabaseBusy, DatabaseError)
    assert issubclass(SchemaMismatch, DatabaseError)


def test_a_configuration_error_carries_every_sentence() -> None:
    """In order, one a line."""
    error = ConfigurationError(["a.toml:1: one", "a.toml:2: two"])
    assert error.problems == ("a.toml:1: one", "a.toml:2: two")
    assert str(error) == "a.toml:1: one\na.toml:2: two"


def test_facts_are_attributes_and_the_sentence_is_built_of_them() -> None:
    """A reference, a recording: what it is about stands first."""
    secret = SecretError("env:NAME", "the variable NAME is not set")
    assert (secret.reference, str(secret)) == ("env:NAME", "env:NAME: the variable NAME is not set")
    clip = ClipError("amiable", "altered")
    assert (clip.name, str(clip)) == ("amiable", "clip amiable: altered")
