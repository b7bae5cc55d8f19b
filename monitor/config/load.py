"""The file as settings: reads every section, and tells everything that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from monitor.catalogue.models import KNOWN_MODELS
from monitor.catalogue.prices import price_of
from monitor.config.endpoints import read_endpoints
from monitor.config.file_model import ConfigurationFile
from monitor.config.maintenance import read_maintenance
from monitor.config.pasted_urls import left_out
from monitor.config.problems import KeyPath, Problems, nearest, quoted_key, spell
from monitor.config.rules import read_rule
from monitor.config.sections import (
    read_channels,
    read_database,
    read_heartbeat,
    read_monitor,
    read_network,
    read_prices,
    read_web,
)
from monitor.config.settings import SecretUse, Settings
from monitor.config.toml_file import TOO_DEEP, TomlDocument, read_document
from monitor.config.watches import read_watches
from monitor.core.errors import ConfigurationError
from monitor.core.model import Target, is_reference
from monitor.providers import PROVIDERS

CONFIG_VARIABLE = "EARWITNESS_CONFIG"
_PREFIX = "EARWITNESS_"
_SECRET_KEYS = ("key", "secret", "url", "proxy")


def load(path: Path, *, environ: Mapping[str, str]) -> Settings:
    """The settings that the file says; secrets stay references and are not looked up.

    *environ* is only searched for variables that look meant for us and that nothing reads. Raises
    ConfigurationError with every problem, in file order, each with file name, line and key.
    """
    document = read_document(path)
    try:
        settings = _expand(document, path)
    except RecursionError:
        raise ConfigurationError([f"{path}:1: {TOO_DEEP}"]) from None
    if document.problems.found:
        raise ConfigurationError(document.problems.in_file_order())
    notes = (
        *_unread_variables(settings.secrets, environ),
        *_notes(settings),
        *_pasted(document.table.get("endpoint"), settings),
        *_idle(settings),
    )
    return replace(settings, notes=notes)


def _expand(document: TomlDocument, path: Path) -> Settings:
    table, problems = document.table, document.problems
    for key in table:
        if key not in ConfigurationFile.model_fields:
            problems.add((key,), f"unknown key, {nearest(key, tuple(ConfigurationFile.model_fields))}")
    directory = path.absolute().parent
    endpoints = read_endpoints(table.get("endpoint"), problems)
    declared = tuple(table["endpoint"]) if isinstance(table.get("endpoint"), Mapping) else ()
    targets = read_watches(table.get("watch"), endpoints, declared, directory=directory, problems=problems)
    prices = read_prices(table.get("price"), problems)
    _need_prices(targets, prices, problems)
    monitor = read_monitor(table.get("monitor"), problems)
    return Settings(
        path=path,
        monitor=monitor,
        web=read_web(table.get("web"), problems),
        network=read_network(table.get("network"), directory, problems),
        database=read_database(table.get("database"), problems),
        endpoints=endpoints,
        targets=targets,
        rule=read_rule(table.get("rule"), ("rule",), problems),
        channels=read_channels(table.get("channel"), problems),
        heartbeat=read_heartbeat(table.get("heartbeat"), problems),
        maintenance=read_maintenance(table.get("maintenance"), monitor.timezone, problems),
        prices=prices,
        secrets=tuple(_references(table, (), problems)),
    )


def _need_prices(targets: Iterable[Target], prices: Mapping[str, float], problems: Problems) -> None:
    """A budget means nothing for a model whose price nobody knows."""
    told: set[str] = set()
    for target in targets:
        endpoint = target.endpoint
        if (
            endpoint.daily_budget is not None
            and price_of(target, prices) is None
            and endpoint.name not in told
        ):
            told.add(endpoint.name)
            example = f'"{endpoint.name}/{target.model}" = 0.006'
            missing = f"no price is known for '{target.model}'; give one in [price], such as {example}"
            problems.add(("endpoint", endpoint.name, "daily_budget"), missing)


def _references(table: Mapping[str, Any], path: KeyPath, problems: Problems) -> Iterator[SecretUse]:
    are_headers = path[-1:] == ("headers",)
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            yield from _references(value, here, problems)
        elif (are_headers or key in _SECRET_KEYS) and isinstance(value, str) and is_reference(value):
            yield SecretUse(key=spell(here), reference=value, line=problems.line_of(here))


def _unread_variables(secrets: tuple[SecretUse, ...], environ: Mapping[str, str]) -> Iterator[str]:
    read = {use.reference.removeprefix("env:") for use in secrets} | {CONFIG_VARIABLE}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in read:
            yield f"the variable {name} is set, but nothing reads it; settings stand in the file"


def _pasted(tables: object, settings: Settings) -> Iterator[str]:
    for name, endpoint in settings.endpoints.items():
        url = str(tables[name].get("url", "")) if isinstance(tables, Mapping) else ""
        yield from left_out(url, endpoint, settings.targets)


def _idle(settings: Settings) -> Iterator[str]:
    """What is written for targets that nothing watches: most often a name was misspelt."""
    keys = [target.key for target in settings.targets]
    for number, entry in enumerate(settings.maintenance):
        for pattern in entry.targets:
            if not any(fnmatchcase(key, pattern) for key in keys):
                yield f"maintenance[{number}].targets: '{pattern}' fits no watched target"
    names = {name for t in settings.targets for name in (t.model, f"{t.endpoint.name}/{t.model}")}
    for name in settings.prices:
        if name not in names:
            hint = nearest(name, sorted(names))
            yield f"price.{quoted_key(name)}: no model of that name is watched; {hint}"


def _notes(settings: Settings) -> Iterator[str]:
    for target in settings.targets:
        endpoint = target.endpoint
        if not PROVIDERS[endpoint.provider].has_deployments or target.model in endpoint.deployments:
            continue
        hint = nearest(target.model, [*endpoint.deployments, *KNOWN_MODELS])
        if hint.startswith("did you mean") and target.model not in KNOWN_MODELS:
            yield f"{target.key}: '{target.model}' is asked for as a deployment of that name; {hint}"
