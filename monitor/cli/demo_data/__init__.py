"""What the demo ships: the reference day as a recording, and the configuration it was recorded with."""

from __future__ import annotations

import lzma
from importlib.resources import files
from pathlib import Path
from typing import IO

FOLDER = Path(str(files(__package__)))
RECORDING = FOLDER / "reference-day.jsonl.xz"
DAY = "2025-11-17"


def reference_configuration(base: str, key: str) -> str:
    """The configuration of the reference day for a sandbox at *base* and a key reference."""
    text = (FOLDER / "reference.toml").read_text("utf-8")
    return text.replace("{base}", base).replace("{key}", key)


def open_recording() -> IO[bytes]:
    """The recorded outcome lines with their evidence."""
    return lzma.open(RECORDING, "rb")
