"""The file that a command writes: for its owner only, or standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from monitor.core.errors import MonitorError
from monitor.store.database.files import open_new


@contextmanager
def writing(output: Path | None) -> Iterator[IO[bytes]]:
    """Open the file anew, or standard output for None; raises MonitorError where it cannot be written."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with open_new(output) as sink:
            yield sink
    except OSError as error:
        raise MonitorError(f"{output}: {(error.strerror or str(error)).lower()}") from error
