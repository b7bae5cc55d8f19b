"""What commands share: which targets are meant, and what a setting becomes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.cli.arguments import chosen
from monitor.core.errors import DatabaseError, NotFound, SecretError
from monitor.service.build import (
    database_of,
    derivation_settings_of,
    secrets,
    settings_of,
    settings_or_defaults,
)
from tests.support.commands import Configure


def test_no_key_means_all_targets(configure: Configure) -> None:
    """And keys choose in the order in which they were given."""
    targets = settings_of(configure()).targets
    assert chosen(targets, []) == list(targets)
    assert chosen(targets, [targets[2].key, targets[0].key]) == [targets[2], targets[0]]


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    """Also where nothing is configured."""
    with pytest.raises(NotFound, match="unknown target a/b/c; the configured ones: none is configured"):
        chosen([], ["a/b/c"])


def test_a_reference_is_resolved_and_anything_else_is_left() -> None:
    """Only what names a secret is looked up."""
    resolve = secrets({"NAME": "value"})
    assert resolve("env:NAME") == "value"
    assert resolve("http://127.0.0.1:9/x") == "http://127.0.0.1:9/x"
    with pytest.raises(SecretError, match="the variable GONE is not set"):
        resolve("env:GONE")


def test_the_house_follows_the_configuration(configure: Configure) -> None:
    """Intervals by target, who is told what, and the language of times and links."""
    more = """every = "2m"
[channel.oncall]
kind = "webhook"
url = "env:URL"
secret = "env:SECRET"
when = ["down"]
"""
    settings = settings_of(configure(more=more))
    house = derivation_settings_of(settings)
    assert set(house.every.values()) == {timedelta(minutes=2)}
    assert [(one.channel, one.when) for one in house.policies] == [("oncall", frozenset({"down"}))]
    assert (house.location, house.voice.public_url) == ("berlin", settings.web.base_url)


def test_commands_without_need_of_a_configuration_have_defaults(home: object) -> None:
    """Where there is no file, only the database's usual place is known."""
    assert home
    settings = settings_or_defaults(None)
    assert (settings.database.url, settings.targets) == ("sqlite:///data/earwitness.db", ())


def test_an_empty_database_is_filled_only_where_asked(configure: Configure) -> None:
    """Reading commands refuse it with the remedy; writing ones bring it to the schema."""
    settings = settings_of(configure())
    with pytest.raises(DatabaseError, match="does not exist: run `earwitness migrate`"):
        database_of(settings)
    database_of(settings, fill=True).dispose()
    database_of(settings).dispose()
