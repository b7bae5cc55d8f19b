"""`migrate`: where it works, and that it does nothing twice."""

from __future__ import annotations

from pathlib import Path

from tests.support.commands import Configure, Run


def test_migrating_says_where_and_does_nothing_twice(run: Run, home: Path) -> None:
    """Without a configuration the database is ./data/earwitness.db; a second time changes nothing."""
    first, second = run("migrate"), run("migrate")
    assert (first.code, first.out) == (0, "database data/earwitness.db has the current schema.\n")
    assert second == first
    assert (home / "data" / "earwitness.db").exists()


def test_the_configured_database_is_used(run: Run, configure: Configure, home: Path) -> None:
    """The address is taken from the configuration where there is one."""
    configure()
    assert run("migrate").out == f"database {home}/data/earwitness.db has the current schema.\n"
