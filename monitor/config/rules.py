"""The rule of the file as the core's rule; the same tables are what `replay --rules` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.config.file_model import ConfigurationFile, ThresholdTable
from monitor.config.problems import KeyPath, Problems, kind_of, nearest
from monitor.config.toml_file import parse_document, read_document
from monitor.config.validate import read_table
from monitor.core.errors import ConfigurationError
from monitor.core.outages.rule import Rule, Threshold

_TRACKS = ("down", "degraded")
_MISSING = "name a TOML file with [rule.down] and [rule.degraded]"


def rule_from_toml(source: Path | str | Mapping[str, Any]) -> Rule:
    """The rule in a file, a TOML text, or tables already parsed; what is absent keeps its default.

    The tables are `[rule.down]` and `[rule.degraded]`, or bare `[down]` and `[degraded]`; a whole
    configuration is taken too. Raises ConfigurationError with every problem.
    """
    if isinstance(source, Mapping):
        table, problems = source, Problems(name="rule")
    else:
        document = (
            read_document(source, missing=_MISSING)
            if isinstance(source, Path)
            else parse_document(source, name="rule")
        )
        table, problems = document.table, document.problems
    is_configuration = "rule" in table
    sections = tuple(ConfigurationFile.model_fields) if is_configuration else ("rule", *_TRACKS)
    for key in table:
        if key not in sections:
            problems.add((key,), f"unknown key, {nearest(key, ('rule', *_TRACKS))}")
    path: KeyPath = ("rule",) if is_configuration else ()
    rule = read_rule(table["rule"] if is_configuration else _known(table), path, problems)
    if problems.found:
        raise ConfigurationError(problems.in_file_order())
    return rule


def _known(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in table.items() if key in _TRACKS}


def read_rule(raw: object, path: KeyPath, problems: Problems) -> Rule:
    """The rule that the tables under *path* say; faults are recorded."""
    if raw is None:
        return Rule()
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be tables [rule.down] and [rule.degraded], not {kind_of(raw)}")
        return Rule()
    for key in raw:
        if key not in _TRACKS:
            problems.add((*path, key), f"unknown key, {nearest(key, _TRACKS)}")
    default = Rule()
    return Rule(
        down=_threshold(raw.get("down"), default.down, (*path, "down"), problems),
        degraded=_threshold(raw.get("degraded"), default.degraded, (*path, "degraded"), problems),
    )


def _threshold(raw: object, default: Threshold, path: KeyPath, problems: Problems) -> Threshold:
    read = None if raw is None else read_table(ThresholdTable, raw, path, problems)
    if read is None:
        return default
    given = {key: getattr(read.table, key) for key in read.table.model_fields_set}
    threshold = replace(default, **given)
    if threshold.bad > threshold.of and not read.wrong & {"bad", "of"}:
        key = "bad" if "bad" in given else "of"
        more = f"{threshold.bad} of the last {threshold.of} runs can never be bad"
        problems.add((*path, key), f"bad must not be more than of: {more}")
    return threshold
