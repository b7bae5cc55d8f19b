"""An hour of two pathways as outcome lines: one of them fails for ten minutes."""

from __future__ import annotations

import orjson

from monitor.core.model import Verdict
from monitor.core.outcome_json import outcome_to_line
from tests.support.stored_outcomes import make

FAILING = "azure-sweden/gpt-4o-transcribe/realtime"
REST = "azure-sweden/gpt-4o-transcribe/rest"
OUTAGE = range(20, 30)


def day() -> list[bytes]:
    """An hour of two pathways, one run a minute; one of them fails for ten minutes."""
    verdicts = {number: Verdict.FAILED if number in OUTAGE else Verdict.PASSED for number in range(60)}
    runs = [make(number, verdict) for number, verdict in verdicts.items()]
    runs += [make(number, id=f"rest-{number}", pathway="rest") for number in range(60)]
    return [orjson.dumps(outcome_to_line(run)) for run in runs]
