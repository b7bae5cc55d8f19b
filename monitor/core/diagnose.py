"""Windows with neighbours and history give a diagnosis: scope, controls, blame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.core.model import Blame, Cell
from monitor.core.windows import Window

FACETS = ("endpoint", "region", "provider", "model", "pathway", "location")

Conjunction = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A healthy cell inside an incident's span; `passed` counts degraded runs too."""

    cell: Cell
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Failed runs that say the same, with ids and numbers replaced."""

    failure: str | None
    stage: str | None
    type: str | None
    code: str | None
    message: str | None
    count: int
    first_at: datetime
    first_id: str
    last_at: datetime
    last_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an incident covers: one conjunction of facet values, or the union of the fewest."""

    conjunctions: tuple[Conjunction, ...]
    aliases: tuple[Conjunction, ...]
    ambiguous: bool
    alternatives: tuple[Conjunction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A derived incident: windows with one explanation. `number` is 0 until it has one.

    `blame_reason` is the sentence that explains the blame after refinement.
    """

    number: int
    start: datetime
    end: datetime | None
    open: bool
    blame: Blame
    blame_reason: str
    scope: Scope
    affected: tuple[str, ...]
    unaffected: tuple[Control, ...]
    title: str
    windows: tuple[Window, ...]
    signatures: tuple[Signature, ...]
