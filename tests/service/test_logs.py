"""Logs go to standard error, one line an event, key and value."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging, structlog
from monitor.service.logs import set_up
set_up(verbose={verbose})
structlog.get_logger("observe").info("a run", target="azure/m/rest", said="two\\nlines")
logging.getLogger("httpx").info("chatter")
logging.getLogger("httpx").warning("trouble")
"""


def logged(*, verbose: bool) -> list[str]:
    """What a process of its own writes to standard error; nothing goes to standard output."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(verbose=verbose)],
        capture_output=True,
        cwd=ROOT,
        text=True,
        check=True,
    )
    assert not done.stdout
    return done.stderr.splitlines()


def test_every_event_is_one_line_of_keys_and_values() -> None:
    """Ours and the libraries' alike; a line break in a value stays inside it."""
    first, second = logged(verbose=False)
    assert 'level=info logger=observe event="a run"' in first
    assert "target=azure/m/rest" in first
    assert "two\\nlines" in first
    assert "level=warning logger=httpx event=trouble" in second


def test_libraries_stay_quiet_however_much_is_asked_for() -> None:
    """The chatter of a library may hold an address; it is never logged."""
    assert not any("chatter" in line for line in logged(verbose=True))
