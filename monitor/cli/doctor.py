"""``earwitness doctor``: what is wrong, here and at the endpoints, and how to mend it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import orjson
from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.terminal import say
from monitor.core.errors import ConfigurationError
from monitor.doctor.findings import (
    exit_code,
    render,
    to_json,
    unique,
)
from monitor.doctor.inspect import _fault, _of_database, _of_endpoints, _of_machine, _of_settings
from monitor.service.build import DEFAULT_CONFIG, named, settings_of


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False, config: Config = None) -> int:
    """Look at the monitor and at every endpoint, and say what is wrong and how to mend it.

    Each deployment is asked once, by its cheapest pathway. Exit code 1 for a problem of a target, 2 for a
    fault of our own.

    Parameters
    ----------
    json
        Print one JSON object (earwitness.doctor/1).

    """
    now = datetime.now(UTC)
    try:
        settings = settings_of(config)
    except ConfigurationError as error:
        remarks = [_fault("configuration", problem, "Correct it; `earwitness validate` reads it again.")
                   for problem in error.problems]  # fmt: skip
    else:
        remarks = [*_of_settings(settings), *_of_database(settings), *_of_machine()]
        remarks += asyncio.run(_of_endpoints(settings, now))
    found = unique(remarks)
    path = named(config) or DEFAULT_CONFIG
    say(orjson.dumps(to_json(found, now)).decode() if json else f"{path}\n\n{render(found)}")
    return exit_code(found)
