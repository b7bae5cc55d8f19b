"""Files and folders that only their owner reads: what providers were asked and said stands in them.

What is there already keeps the rights that it was given.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing, for their owner only; raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file, where it is missing, for its owner only; raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def open_new(path: Path) -> BinaryIO:
    """The file, empty and ready to be written; one that is made is for its owner only. Raises OSError."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb")
