"""Pages that were made: each once, however many ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.web.frame.page_cache import KeptPages


def test_a_page_that_many_ask_for_at_once_is_made_once() -> None:
    """Who comes while it is made waits for it."""
    kept, made, begun = KeptPages(), [], threading.Event()
    going = threading.Event()

    def make() -> str:
        begun.set()
        going.wait()
        made.append("page")
        return "page"

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(kept.get, "tag", make) for _ in range(4)]
        begun.wait()
        going.set()
        assert [one.result() for one in asked] == ["page"] * 4
    assert made == ["page"]


def test_another_tag_is_another_page() -> None:
    """And only the last few are kept."""
    kept = KeptPages(most=2)
    for tag in "abc":
        assert kept.get(tag, lambda tag=tag: tag) == tag  # type: ignore[misc]
    assert kept.get("c", lambda: "made anew") == "c"
    assert kept.get("a", lambda: "made anew") == "made anew"


def test_a_page_that_could_not_be_made_is_tried_again() -> None:
    """The error is told to who asked, and not kept."""
    kept = KeptPages()

    def fail() -> str:
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        kept.get("tag", fail)
    assert kept.get("tag", lambda: "page") == "page"
