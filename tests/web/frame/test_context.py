"""What pages need of the configuration: accepted hosts, targets by key, how old news may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.web.frame.display_settings import LOOPBACK, DisplaySettings
from tests.support.filled_database import SETTINGS, TARGETS


def test_loopback_and_the_public_name_are_accepted() -> None:
    """And whatever is listed; None leaves the check to a proxy."""
    assert SETTINGS.allowed_hosts == LOOPBACK | {"earwitness.example"}
    listed = DisplaySettings(hosts=frozenset({"monitor.internal"}))
    assert listed.allowed_hosts == LOOPBACK | {"monitor.internal"}
    assert DisplaySettings(hosts=None).allowed_hosts is None


def test_targets_are_found_by_their_key() -> None:
    """Every configured one."""
    assert SETTINGS.by_key.keys() == {target.key for target in TARGETS}


def test_news_may_be_as_old_as_three_intervals_of_the_busiest_target() -> None:
    """Never less than a minute, also where nothing is watched."""
    assert SETTINGS.patience == timedelta(minutes=3)
    assert DisplaySettings().patience == timedelta(seconds=60)
    quick = replace(TARGETS[0], every=timedelta(seconds=5))
    assert DisplaySettings(targets=(quick,)).patience == timedelta(seconds=60)
