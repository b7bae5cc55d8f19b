"""One file and one line: every entry of a registry has its module and its place in the example.

Its test file and its line in the README are asked for in `test_docs.py`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.checks import CHECKS
from monitor.clips import load_clip, names
from monitor.config.settings import ChannelSettings
from monitor.core.pathways import PATHWAYS
from monitor.notifiers import CHANNELS
from monitor.providers import PROVIDERS
from monitor.reports import EXPORTS, FORMATS

ROOT = Path(__file__).parents[1]
FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "providers": PROVIDERS,
    "checks": CHECKS,
    "notifiers": CHANNELS,
    "reports": {**FORMATS, **EXPORTS},
}
ENTRIES = [(family, name) for family, entries in FAMILIES.items() for name in entries]
CONFIGURED = [entry for entry in ENTRIES if entry[0] != "reports"]  # a format is asked for, not configured
entries = pytest.mark.parametrize(("family", "name"), ENTRIES, ids=lambda part: part)


@entries
def test_every_entry_has_a_file_of_its_name(family: str, name: str) -> None:
    """What the registry calls it is what its file is called."""
    folder = ROOT / "monitor" / family
    assert (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


@pytest.mark.parametrize(("family", "name"), CONFIGURED, ids=lambda part: part)
def test_every_entry_is_shown_in_the_example(family: str, name: str) -> None:
    """The example configuration uses it, or shows it in a comment that can be taken in."""
    example = (ROOT / "config.example.toml").read_text("utf-8")
    key = {"providers": "provider", "checks": "pathways", "notifiers": "kind"}[family]
    assert re.search(rf'^(# )?{key} = .*"{name}"', example, re.MULTILINE)


def test_pathways_are_words_of_the_model() -> None:
    """What can be checked is what has a record, and the other way round."""
    assert list(CHECKS) == list(PATHWAYS)


def test_the_example_shows_a_table_of_every_section() -> None:
    """Every table that the configuration knows stands in the example, or in a comment of it."""
    example = (ROOT / "config.example.toml").read_text("utf-8")
    schema = tomllib.loads(uncommented(example.splitlines()))
    assert {
        "monitor",
        "web",
        "network",
        "database",
        "endpoint",
        "watch",
        "rule",
        "channel",
        "heartbeat",
        "maintenance",
        "price",
    } == set(schema)


def uncommented(lines: Iterable[str]) -> str:
    """The example with its commented tables, not its commented keys, taken in."""
    return "\n".join(re.sub(r"^# (\[[a-z.]+\])", r"\1", line) for line in lines)


def test_channels_of_the_example_have_known_kinds() -> None:
    """A configured channel names a registered kind; the settings hold nothing else of it."""
    example = tomllib.loads((ROOT / "config.example.toml").read_text("utf-8"))
    assert {channel["kind"] for channel in example["channel"].values()} <= set(CHANNELS)
    assert {"name", "kind", "url", "secret", "when"} == set(ChannelSettings.__dataclass_fields__)


@pytest.mark.parametrize("name", names())
def test_every_shipped_clip_can_be_loaded(name: str) -> None:
    """Its hash is right, and text, licence and provenance are given."""
    clip = load_clip(name)
    assert clip.text
    assert clip.licence
    assert clip.provenance
