"""Parts of several pages: freshness, addresses of hostile names, lanes told in words."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.intervals import Span
from monitor.core.model import target_path
from monitor.store.database.engine import Database
from monitor.web.app import create_context
from monitor.web.frame.components import freshness, period_text, run_href
from monitor.web.frame.context import WebContext
from tests.support.filled_database import DAY, NOW, SETTINGS, Dial


def made_context(database: Database) -> WebContext:
    """What routes over the database work with."""
    dial = Dial()
    return create_context(database=database, clock=dial, settings=SETTINGS, liveness=dial.liveness)


def test_news_is_stale_after_three_intervals(sqlite_database: Database) -> None:
    """Exactly then is still in time; a clock that is behind makes no negative age."""
    limit, context = SETTINGS.patience, made_context(sqlite_database)
    with sqlite_database.read() as tx:
        assert not freshness(context, tx, NOW, NOW - limit).stale
        assert freshness(context, tx, NOW, NOW - limit - timedelta(milliseconds=1)).stale
        assert freshness(context, tx, NOW, NOW + timedelta(seconds=5)).age == timedelta(0)
        assert not freshness(context, tx, NOW, None).stale


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_addresses_hold_any_name(name: str) -> None:
    """Nothing in a name ends the address, and the name comes back."""
    for href in (run_href(name), target_path(f"a/{name}/rest")):
        assert not set(href) & set("\"'<>?# ")
    assert unquote(run_href(name)).removeprefix("/runs/") == name


def test_a_period_is_told_with_both_its_ends_in_utc() -> None:
    """The words above every group of lanes."""
    assert period_text(Span(DAY, DAY + timedelta(days=1))) == "17 Nov 2025 00:00 to 18 Nov 2025 00:00 UTC"
