"""The pages in a real browser: nothing against their policy, no overflow on a phone, live updates."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Route, sync_playwright

from monitor.store.database.engine import Database, open_database
from tests.support.filled_database import (
    DAY,
    HOSTILE_MODEL,
    HOSTILE_NOW,
    SCRIPT,
    TARGETS,
    Dial,
    app_over,
    fill,
    hostile_runs,
    owe_notices,
    reference_day,
    run_of,
)

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ABORTED = "net::ERR_ABORTED"  # what the browser itself gave up because the next page was asked for
NAMES = ("chromium", "chromium-browser", "google-chrome")
WATCH = """() => {
  window.violations = [];
  const note = (event) => window.violations.push(event.violatedDirective);
  document.addEventListener("securitypolicyviolation", note);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; skips where this machine has none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: install one, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def served(database: Database, dial: Dial) -> Iterator[str]:
    """The pages on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app_over(database, dial), log_level="error", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            dial.running = False
            server.should_exit = True
            thread.join(10)


def opened(path: Path, template: Path) -> Database:
    shutil.copy(template, path)
    return open_database(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[str]:
    """The address of the pages over the reference day."""
    database = opened(tmp_path_factory.mktemp("e2e") / "day.db", sqlite_template)
    fill(database, list(reference_day()))
    with database.write() as tx:
        owe_notices(tx, "incident-1")
    with served(database, Dial()) as address:
        yield address
    database.dispose()


@contextmanager
def page_of(browser: Browser, **options: object) -> Iterator[tuple[Page, list[str]]]:
    """A page with everything that went wrong in it: console errors, dialogs, policy violations, failures."""
    context = browser.new_context(**options)  # type: ignore[arg-type]  # options of a context
    page, wrong = context.new_page(), []
    page.on("console", lambda said: wrong.extend([said.text] if said.type == "error" else []))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
    page.on("requestfailed", lambda lost: wrong.extend([lost.url] if lost.failure != ABORTED else []))
    if options.get("java_script_enabled", True):
        page.add_init_script(f"({WATCH})()")
    yield page, wrong
    context.close()


PATHS = (
    "/",
    "/?zoom=90d",
    "/incidents",
    "/incidents/1",
    "/targets/azure-sweden/gpt-4o-transcribe/realtime",
    "/runs/0193-gpt-4o-transcribe-realtime-00600",
    "/docs",
    "/nowhere",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_and_keeps_its_policy(browser: Browser, day: str, width: int, scheme: str) -> None:
    """No sideways scrolling of the page, no error, nothing that the policy had to stop."""
    viewport = {"width": width, "height": 900}
    with page_of(browser, viewport=viewport, color_scheme=scheme) as (page, wrong):
        for path in PATHS:
            page.goto(day + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate("window.violations") == [], path
        assert [error for error in wrong if "404" not in error] == []


def test_hostile_text_is_only_text_in_a_browser(
    browser: Browser, tmp_path: Path, sqlite_template: Path
) -> None:
    """No dialog, no foreign element, no violation on any page of a hostile day."""
    database = opened(tmp_path / "hostile.db", sqlite_template)
    fill(database, hostile_runs(), HOSTILE_NOW)
    key = f"/targets/azure-sweden/{quote(HOSTILE_MODEL, safe='/')}/realtime"
    paths = ["/", "/incidents", "/incidents/1", key, f"/runs/{quote(f'{SCRIPT}/5', safe='')}"]
    with served(database, Dial(now=HOSTILE_NOW)) as address, page_of(browser) as (page, wrong):
        for path in paths:
            answer = page.goto(address + path)
            assert answer is not None
            assert answer.status == 200, path
            assert SCRIPT in page.inner_text("main") or HOSTILE_MODEL in page.inner_text("main"), path
            assert page.locator("main img, main b, main script").count() == 0, path
            assert page.evaluate("window.violations") == [], path
        assert wrong == []
    database.dispose()


def test_a_new_run_appears_without_a_reload(browser: Browser, tmp_path: Path, sqlite_template: Path) -> None:
    """What is stored shows within seconds; what was unfolded stays so, the keyboard stays where it was."""
    database = opened(tmp_path / "live.db", sqlite_template)
    dial = Dial(now=DAY + timedelta(minutes=30, seconds=30))
    passed = [run_of(target, minute, 0) for minute in range(30) for target in TARGETS]
    fill(database, [(run, None) for run in passed], dial.now)
    with served(database, dial) as address, page_of(browser) as (page, wrong):
        page.goto(f"{address}/")
        assert "All up" in page.inner_text("h1")
        page.click("summary")
        page.focus("a.lane-name")
        dial.now = DAY + timedelta(minutes=36, seconds=30)
        failed = [(run_of(TARGETS[0], minute, 0, failed=True), None) for minute in range(30, 36)]
        fill(database, failed, dial.now)
        page.get_by_role("heading", name="1 down").wait_for(timeout=10_000)
        assert page.locator("article.incident").count() == 1
        assert page.evaluate("document.querySelector('details.lane-table').open")
        assert page.evaluate("document.activeElement.className") == "lane-name"
        assert wrong == []
    database.dispose()


def test_an_open_page_says_when_runs_stop(browser: Browser, tmp_path: Path, sqlite_template: Path) -> None:
    """Nothing is stored any more and the service answers: the open tab turns all the same."""
    database = opened(tmp_path / "silent.db", sqlite_template)
    dial = Dial(now=DAY + timedelta(minutes=30, seconds=30))
    fill(database, [(run_of(target, 29, 0), None) for target in TARGETS], dial.now)
    with served(database, dial) as address, page_of(browser) as (page, wrong):
        page.goto(f"{address}/")
        assert "All up" in page.inner_text("h1")
        dial.now += timedelta(minutes=2)
        page.get_by_role("heading", name="Unknown").wait_for(timeout=10_000)
        assert page.locator(".fresh.stale").count() == 1
        assert wrong == []
    database.dispose()


def test_what_changed_before_the_stream_began_is_not_lost(
    browser: Browser, tmp_path: Path, sqlite_template: Path
) -> None:
    """A run that is stored between the making of a page and its first word from the stream shows."""
    database = opened(tmp_path / "between.db", sqlite_template)
    dial = Dial(now=DAY + timedelta(minutes=30, seconds=30))
    fill(database, [(run_of(target, 29, 0), None) for target in TARGETS], dial.now)
    failed = [(run_of(TARGETS[0], minute, 0, failed=True), None) for minute in range(30, 36)]
    with served(database, dial) as address, page_of(browser) as (page, wrong):

        def store_first(route: Route) -> None:
            dial.now = DAY + timedelta(minutes=36, seconds=30)
            fill(database, failed, dial.now)
            route.continue_()

        page.route("**/site.js*", store_first)
        page.goto(f"{address}/")
        page.get_by_role("heading", name="1 down").wait_for(timeout=10_000)
        assert wrong == []
    database.dispose()


def test_a_page_left_alone_by_its_service_says_so(
    browser: Browser, tmp_path: Path, sqlite_template: Path
) -> None:
    """When nothing confirms the page any more, the time of its update turns into a warning."""
    database = opened(tmp_path / "gone.db", sqlite_template)
    fill(database, [(run_of(TARGETS[0], 0, 0), None)], DAY + timedelta(minutes=1))
    with page_of(browser) as (page, _):
        page.clock.install()
        with served(database, Dial(now=DAY + timedelta(minutes=1))) as address:
            page.goto(f"{address}/")
            assert page.locator(".fresh.stale").count() == 0
        page.clock.run_for(90_000)
        assert "no answer from the monitor" in page.inner_text("#fresh")
        assert page.locator(".fresh.stale").count() == 1
    database.dispose()


def test_pages_read_without_scripts(browser: Browser, day: str) -> None:
    """Everything is there: states, lanes, numbers, both times."""
    with page_of(browser, java_script_enabled=False) as (page, wrong):
        page.goto(f"{day}/")
        assert page.locator("svg.lane").count() == 5
        assert "UTC and Europe/Berlin" in page.inner_text("footer")
        page.goto(f"{day}/incidents/1")
        assert "420/420 runs failed" in page.inner_text("h1")
        assert wrong == []


def test_times_follow_the_browsers_zone_where_that_is_chosen(browser: Browser, day: str) -> None:
    """The choice is kept, and UTC stays first."""
    with page_of(browser, timezone_id="Asia/Kolkata") as (page, wrong):
        page.goto(f"{day}/incidents/1")
        page.select_option("[data-zones]", "browser")
        page.reload()
        assert "08:30:12 UTC 14:00:12 +05:30" in " ".join(page.inner_text("main").split())
        assert wrong == []
