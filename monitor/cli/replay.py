"""The command `replay`: what stored outcomes say under a rule, against what is stored, and to a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
from cyclopts import Parameter

from monitor.cli import FAILED, FINE
from monitor.cli.arguments import Config, Instant, read_range
from monitor.cli.terminal import say
from monitor.config import Settings, rule_from_toml
from monitor.core.alerting.decide import Policy
from monitor.core.alerting.simulate import simulate, simulation_lines, simulation_to_json
from monitor.core.errors import ConfigurationError, NotFound
from monitor.core.incidents.compare import compare, difference_lines, difference_to_json
from monitor.core.incidents.derivation_text import render_text
from monitor.core.incidents.derive import derive, to_json
from monitor.core.incidents.incident import Derivation
from monitor.core.outages.history import History
from monitor.core.outages.masking import pause
from monitor.core.scheduling.slots import EPOCH
from monitor.service.build import database_of, derivation_settings_of, settings_or_defaults
from monitor.store.database.engine import Transaction
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.incidents.incidents import read_incidents_since, read_windows


def replay(
    *,
    rules: Path | None = None,
    since: Annotated[Instant, Parameter(name=["--from"])] = None,
    until: Annotated[Instant, Parameter(name=["--to"])] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    diff: Annotated[bool, Parameter(negative="")] = False,
    channel: str | None = None,
    config: Config = None,
) -> int:
    """Derive windows, gaps and incidents afresh from stored outcomes; nothing stored is changed.

    Parameters
    ----------
    rules
        A TOML file with [rule.down] and [rule.degraded]; the configured rule where it is absent.
    json
        Print one JSON object, the same for the same outcomes in any order.
    diff
        Print only what differs from what is stored; the exit code is 1 where anything does.
    channel
        Print what the channel of that name would have been told, had every notice been delivered.

    """
    if diff and channel is not None:
        raise ConfigurationError(["--diff and --channel answer two questions: ask one at a time"])
    begin, end = read_range(since, until)
    settings = settings_or_defaults(config)
    rule = rule_from_toml(rules) if rules else settings.rule
    database = database_of(settings)
    with database.read() as tx:
        history, now = _history(tx, settings, begin, end)
        derivation = derive(history, rule, now=now, since=begin)
        if diff:
            return _compare(tx, derivation, now, json=json)
        if channel is not None:
            policy, voice = _channel(settings, channel), derivation_settings_of(settings).voice
            plans = read_maintenance(tx)
            found = simulate(history, derivation, policy, now=now, voice=voice, plans=plans)
            _print(dict(simulation_to_json(found)), lambda: simulation_lines(found), json=json)
            return FINE
    _print(to_json(derivation), lambda: [render_text(derivation)], json=json)
    return FINE


def _history(
    tx: Transaction, settings: Settings, begin: datetime | None, end: datetime | None
) -> tuple[History, datetime]:
    """What is stored, less planned maintenance; and now: the end that was asked for, else the newest run."""
    history = StoreHistory(tx, {target.key: target.every for target in settings.targets})
    now = end or history.newest() or EPOCH  # no outcome at all: nothing is derived, whatever the moment
    read = history.prefetch(None, now) if begin is None else history
    return pause(read, read_maintenance(tx)), now


def _compare(tx: Transaction, derivation: Derivation, now: datetime, *, json: bool) -> int:
    difference = compare(read_windows(tx), read_incidents_since(tx, EPOCH), derivation, now=now)
    _print(difference_to_json(difference), lambda: difference_lines(difference), json=json)
    return FAILED if difference else FINE


def _channel(settings: Settings, name: str) -> Policy:
    known = settings.channels.get(name)
    if known is None:
        listed = ", ".join(sorted(settings.channels)) or "none is configured"
        raise NotFound(f"unknown channel '{name[:200]}'; the configured ones: {listed}")
    return Policy(channel=name, when=known.when)


def _print(value: dict[str, Any], lines: Callable[[], Iterable[str]], *, json: bool) -> None:
    say(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if json else "\n".join(lines()))
