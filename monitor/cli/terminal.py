"""What every command needs of a terminal; it loads nothing, so that a command is as quick as its own work."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

PORTS = Number(gte=0, lte=65535)
Unread = Annotated[
    Path | None, Parameter(name=["--config", "-c"], help="Not read here; every command takes it.")
]


def say(text: str) -> None:
    """One line, or several, to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line, or several, to standard error."""
    sys.stderr.write(f"{text}\n")


def survive_any_locale() -> None:
    """A terminal that knows no "…" is shown a question mark; no command ends over it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def forget_output() -> None:
    """Drop what could not be written: it would be tried again at the end, and change the exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
