"""``earwitness check``: what works now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated

import orjson
from cyclopts import Parameter

from monitor.cli.arguments import Config, chosen
from monitor.cli.terminal import complain, say
from monitor.config import check_secrets
from monitor.core.model import Outcome, Verdict
from monitor.core.outcome_json import outcome_to_line
from monitor.doctor.hints import hints, one_outcome
from monitor.service.build import settings_of
from monitor.service.check_once import check_all


def check(
    *targets: str,
    json: Annotated[bool, Parameter(negative="")] = False,
    config: Config = None,
) -> int:
    """Run targets once, now. Needs no database and stores nothing.

    Exit code 1 if any failed, 2 if one could not be measured or is unknown.

    Parameters
    ----------
    targets
        Keys ENDPOINT/MODEL/PATHWAY; all that are configured where none is named.
    json
        Print one outcome line each (earwitness.outcome/1).

    """
    settings = settings_of(config)
    wanted = chosen(settings.targets, targets)
    check_secrets(settings, os.environ, sections=("endpoint", "network"))
    if not wanted:
        complain(f"{settings.path}: nothing to check: there is no [[watch]]")
        return 2
    outcomes = [seen.outcome for seen in asyncio.run(check_all(settings, wanted))]
    for outcome in outcomes:
        say(orjson.dumps(outcome_to_line(outcome)).decode() if json else one_outcome(outcome))
    for hint in hints(outcomes, {target.key: target for target in wanted}):
        complain(hint)
    return _exit_code(outcomes)


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    verdicts = {outcome.verdict for outcome in outcomes}
    if Verdict.INCONCLUSIVE in verdicts:
        return 2
    return 1 if Verdict.FAILED in verdicts else 0
