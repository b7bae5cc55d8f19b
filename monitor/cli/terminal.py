"""What every command needs of a terminal; it loads nothing, so that a command is as quick as its own work."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """One line, or several, to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line, or several, to standard error."""
    sys.stderr.write(f"{text}\n")
