"""The cells of the fault matrix: every fault of the sandbox on every column where it can show.

A column is a pathway met in one way: of which provider, and in which part of the run. What each cell is
expected to come to stands in `expected.toml`; nothing here knows it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from monitor.core.model import Deployment, Endpoint, Target
from monitor.sandbox.common.script import ServedEndpoint as Served
from monitor.sandbox.faults.catalogue import KINDS, FaultDefinition, FaultMoment
from monitor.sandbox.faults.payloads import BROKEN_JSON

MODEL, HOST = "gpt-4o-transcribe", "gpt-realtime"
BRIEF, AMPLE = 1.2, 20.0  # seconds: the deadline of a cell that ends in silence, and of any other
GRACE = 1.5  # by how much a run may overrun on a busy machine
PROVIDERS = {"azure": "azure_openai", "openai": "openai", "speech": "azure_speech"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One way of meeting faults: the check, the vendor, and the pathway by which the fault is asked for."""

    name: str
    check: str
    vendor: str = "azure"
    asked: str  # the pathway that the sandbox is told
    only: frozenset[FaultMoment] = frozenset(FaultMoment)  # the moments that show in this column
    groups: frozenset[str] = frozenset()  # of the catalogue; empty: all
    item: bool = False  # the fault names the model, so that it strikes inside the session
    settings: Mapping[str, Any] = field(default_factory=dict)

    def shows(self, kind: FaultDefinition) -> bool:
        """Whether a fault of that kind can show in this column."""
        if self.item and not kind.inside:
            return False
        stage = kind.at.get(self.asked)
        return stage in self.only and (not self.groups or kind.group in self.groups)


_STATUSES = frozenset({"refusals and statuses"})
_BEFORE = frozenset({FaultMoment.ACCEPT, FaultMoment.UPGRADE, FaultMoment.UPDATE})
_FIRST = frozenset({FaultMoment.ACCEPT})

COLUMNS: tuple[Column, ...] = (
    Column(name="rest", check="rest", asked="rest"),
    Column(name="rest, OpenAI", check="rest", vendor="openai", asked="rest", groups=_STATUSES),
    Column(name="rest_stream", check="rest_stream", asked="rest_stream"),
    Column(name="rest_stream, first bytes", check="rest_stream", asked="rest", only=_FIRST),
    Column(name="realtime", check="realtime", asked="realtime"),
    Column(name="realtime, OpenAI", check="realtime", vendor="openai", asked="realtime", groups=_STATUSES),
    Column(name="realtime, item", check="realtime", asked="realtime", item=True),
    Column(name="realtime_transcription", check="realtime_transcription", asked="realtime_transcription"),
    Column(
        name="realtime_transcription, item",
        check="realtime_transcription",
        asked="realtime_transcription",
        item=True,
    ),
    Column(
        name="client_secret",
        check="realtime_transcription",
        asked="client_secret",
        settings={"client_secret": True},
    ),
    Column(name="dual", check="dual", asked="dual"),
    Column(name="dual, REST step", check="dual", asked="rest"),
    Column(name="dual, session step", check="dual", asked="realtime", only=_BEFORE),
    Column(name="speech_rest", check="speech_rest", vendor="speech", asked="speech_rest"),
    Column(name="speech_ws", check="speech_ws", vendor="speech", asked="speech_ws"),
)

# Faults that come in several kinds, each a row of its own.
CLOSES = (1000, 1001, 1002, 1003, 1007, 1008, 1011, 1012, 1013, 3000, 4000, 4004, 4999)
VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "invalid_json": {name: {"variant": name} for name in BROKEN_JSON},
    "close": {str(code): {"close": code} for code in CLOSES} | {"1011 told": {"reason": "going down"}},
    "slow": {"": {"delay": 0.4}},
    "drip": {"": {"delay": 0.2}},
    "failed_code": {"": {"code": "insufficient_quota", "type": "x", "message": "No credit."}},
    "429": {"": {}, "retry-after": {"retry_after": 20}, "retry-after-ms": {"retry_after_ms": 1500}},
}
# What a watch has to ask for so that the fault can show.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "slow": {"limit": timedelta(milliseconds=300)},
    "no_turns": {"turn": "server_vad"},
    "hallucination": {"clip": "silence"},
    "previous_clip": {"clips": ("amiable", "respectable")},
}
# Nothing but the deadline ends these runs, whatever they are called then.
WAITS = frozenset({"no_tls", "error_event"})
ALONE = frozenset({"no_tls", "previous_clip"})  # strike whoever comes: they need a sandbox of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault on one column."""

    fault: str
    variant: str = ""
    column: Column
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """The fault's name, and its variant where it has several."""
        return f"{self.fault}: {self.variant}" if self.variant else self.fault

    def as_table(self, endpoint: str) -> dict[str, Any]:
        """The fault as the sandbox's script has it, for one endpoint."""
        table: dict[str, Any] = {"fault": self.fault, "endpoint": endpoint, **self.extras}
        if self.fault != "no_tls":
            table["pathway"] = self.column.asked
        return table | ({"model": MODEL} if self.column.item else {})

    def served(self, name: str) -> Served:
        """The endpoint that the sandbox serves for this cell alone."""
        vendor = self.column.vendor
        assert vendor in ("azure", "openai", "speech")
        return Served(name=name, kind=vendor, region="swedencentral")  # type: ignore[arg-type]

    def target(self, base: str, name: str, deadline: float) -> Target:
        """The target that meets it."""
        vendor = self.column.vendor
        url = f"{base}/{name}" + ("/v1" if vendor == "openai" else "")
        secured = url.replace("http:", "https:") if self.fault == "no_tls" else url
        endpoint = Endpoint(
            name=name,
            provider=PROVIDERS[vendor],
            url=secured,
            key="env:KEY",
            deployments={model: Deployment(model=model, name=model) for model in (MODEL, HOST)},
        )
        asked: dict[str, Any] = {"pace": "burst", **self.column.settings, **SETTINGS.get(self.fault, {})}
        return Target(
            endpoint=endpoint,
            model="azure-speech" if vendor == "speech" else MODEL,
            session_model=None if vendor == "speech" else HOST,
            pathway=self.column.check,
            timeout=timedelta(seconds=deadline),
            **asked,
        )


def cells() -> Iterator[Cell]:
    """Every cell of the matrix, column by column in the catalogue's order."""
    for column in COLUMNS:
        for fault, kind in KINDS.items():
            # A TLS handshake names no address: whoever waits for it is met.
            if column.shows(kind) or (fault == "no_tls" and _is_plain(column)):
                for variant, extras in VARIANTS.get(fault, {"": {}}).items():
                    yield Cell(fault=fault, variant=variant, column=column, extras=extras)


def _is_plain(column: Column) -> bool:
    return not (column.item or column.groups or "," in column.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a cell comes to; `says` is a piece of the message, verbatim."""

    stage: str
    failure: str
    blame: str
    verdict: str
    says: str
    waits: bool

    @property
    def deadline(self) -> float:
        """The seconds the run is given."""
        return BRIEF if self.waits else AMPLE

    def fits(self, told: tuple[str, str, str, str], said: str) -> bool:
        """Whether that is what the cell came to; a stage may be one of several, as in `send|commit`."""
        stage, *rest = told
        named = stage in self.stage.split("|") and rest == [self.failure, self.blame, self.verdict]
        return named and self.says in said


@cache
def expected() -> dict[tuple[str, str], Expected]:
    """The agreed table, by row and column."""
    table = tomllib.loads((Path(__file__).parent / "expected.toml").read_text("utf-8"))
    names = ("stage", "failure", "blame", "verdict", "says")
    return {
        (row, column): Expected(**dict(zip(names, cell, strict=True)), waits=row in WAITS or "silent" in cell)
        for row, columns in table.items()
        for column, cell in columns.items()
    }
