"""``earwitness validate``: what would run, what it costs, how fast it would notice."""

from __future__ import annotations

import os
from typing import Annotated

import orjson
from cyclopts import Parameter

from monitor.cli.arguments import Config
from monitor.cli.terminal import complain, say
from monitor.config import missing_secrets
from monitor.planning.plan import make_plan
from monitor.planning.render import render_text, to_json
from monitor.service.build import settings_of


def validate(*, json: Annotated[bool, Parameter(negative="")] = False, config: Config = None) -> int:
    """Read the configuration and say what would run. Nothing is sent.

    Parameters
    ----------
    json
        Print the plan as one JSON object.

    """
    settings = settings_of(config)
    plan = make_plan(settings)
    say(orjson.dumps(to_json(plan), option=orjson.OPT_INDENT_2).decode() if json else render_text(plan))
    missing = missing_secrets(settings, os.environ)
    for one in missing:
        complain(str(one))
    return 2 if missing else 0
