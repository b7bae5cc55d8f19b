"""What is known of models beforehand: list prices, the last day, how they take audio. Data, not rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model: US dollars for a minute of audio, and the day on which its vendor ends it.

    `streaming`: it is offered in realtime sessions only; `streams_text`: an upload's text can come in parts;
    `is_shared`: sessions often have it without a deployment of one's own.
    """

    name: str
    usd_per_minute: float | None = None
    retires: date | None = None
    successor: str | None = None
    streaming: bool = False
    streams_text: bool = True
    is_shared: bool = False


def _read() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "models.toml").read_text("utf-8"))


_DATA = _read()
AS_OF: date = _DATA["as_of"]
VENDOR: str = _DATA["vendor"]  # whose days these are
KNOWN_MODELS: Mapping[str, KnownModel] = {
    name: KnownModel(name=name, **facts) for name, facts in _DATA["model"].items()
}
KNOWN_HOSTS: Mapping[str, KnownModel] = {
    name: KnownModel(name=name, **facts) for name, facts in _DATA["host"].items()
}
