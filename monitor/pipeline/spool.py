"""What could not be stored when the service ended: outcome lines in a file that `import` takes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import orjson

from monitor.core.model import Verdict
from monitor.core.outcome_json import outcome_to_line
from monitor.pipeline.observe import Observed
from monitor.store.database.files import open_new


def spool(items: Sequence[Observed], folders: Iterable[Path], *, now: datetime) -> Path | None:
    """The file, in the first of *folders* that takes it, for its owner only; None where there is none.

    Evidence is kept of what did not pass, which is what somebody will ask for.
    """
    if not items:
        return None
    for folder in folders:
        path = folder / f"unstored-{now:%Y%m%dT%H%M%S%f}.jsonl"
        try:
            with open_new(path) as file:
                file.writelines(_line(one) for one in items)
        except OSError:
            continue  # a full disk is one of the reasons why nothing could be stored
        return path
    return None


def _line(one: Observed) -> bytes:
    passed = one.outcome.verdict is Verdict.PASSED
    line = outcome_to_line(one.outcome, None if passed else one.evidence)
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
