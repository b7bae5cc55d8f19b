"""An incident's title and its subject: what is down since when, and the nearest that is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.core.diagnosis.scope import Conjunction, Facets, Scope, covers
from monitor.core.model import Cell, State
from monitor.core.timefmt import MONTHS


def subject_of(scope: Scope, affected: Sequence[Facets], healthy: Sequence[Facets]) -> str:
    """What the incident is about: ``gpt-4o-transcribe · realtime · swedencentral``."""
    return " and ".join(_subject(part, scope, affected, healthy) for part in scope.conjunctions)


def subject_of_target(target: str = "") -> str:
    """``azure-sweden · gpt-4o-transcribe · realtime``: the subject where nothing but a target is known."""
    return target.replace("/", " · ")


def title_of(
    subject: str,
    state: State,
    span: tuple[datetime, datetime | None],
    controls: Sequence[tuple[str, int, int]],
    *,
    now: datetime,
) -> str:
    """``gpt-4o-transcribe · realtime · swedencentral down since 08:30:10 UTC. Unaffected: …``.

    *controls* are the nearest, each with its passed and all runs. A date stands where the start is not on
    the day of *now*, or of the end where there is one.
    """
    sentence = f"{subject} {state.value} {_when(*span, now)}."
    named = ", ".join(f"{name} {passed}/{total}" for name, passed, total in controls)
    return f"{sentence} Unaffected: {named}." if named else sentence


def cell_name(cell: Cell, among: Iterable[Cell]) -> str:
    """``gpt-4o-transcribe rest``; with endpoint and location unless all of *among* share them."""
    others = tuple(among)
    name = f"{cell.model} {cell.pathway}"
    if {other.endpoint for other in others} - {cell.endpoint}:
        name += f" on {cell.endpoint}"
    if {other.location for other in others} - {cell.location}:
        name += f" from {cell.location}"
    return name


def _subject(
    conjunction: Conjunction, scope: Scope, affected: Sequence[Facets], controls: Sequence[Facets]
) -> str:
    """Model, pathway, place, provider, location; ``(from oslo only)`` where the same is fine elsewhere.

    A lone target is named in full, however little would tell it from the others: nobody looks for "openai-us
    down" who configured one model on one pathway there.
    """
    lone = _lone_target([facets for facets in affected if covers(conjunction, facets)])
    what = [conjunction.get(facet) or lone.get(facet) for facet in ("model", "pathway")]
    parts = [*what, _place(conjunction, scope, affected)]
    parts.append(conjunction.get("provider"))
    location = conjunction.get("location")
    only = location is not None and _fine_elsewhere(conjunction, controls)
    subject = " · ".join(part for part in (*parts, None if only else location) if part)
    return f"{subject or 'everything'} (from {location} only)" if only else subject


def _lone_target(affected: Sequence[Facets]) -> Facets:
    """The facets of the one target that is affected; none where there are several."""
    targets = {(facets["endpoint"], facets["model"], facets["pathway"]) for facets in affected}
    return affected[0] if len(targets) == 1 else {}


def _fine_elsewhere(conjunction: Conjunction, controls: Sequence[Facets]) -> bool:
    """Whether what the conjunction names is healthy from another location."""
    named = {facet: value for facet, value in conjunction.items() if facet != "location"}
    return any(covers(named, facets) and facets["location"] != conjunction["location"] for facets in controls)


def _place(conjunction: Conjunction, scope: Scope, affected: Sequence[Facets]) -> str | None:
    """The region that all share, else the endpoint; an endpoint among others of its region by its name."""
    regions = {facets["region"] for facets in affected}
    endpoints = {facets["endpoint"] for facets in affected}
    same_as_region = any("region" in alias and "endpoint" not in alias for alias in scope.aliases)
    if "endpoint" in conjunction and not same_as_region:
        return conjunction["endpoint"]
    if len(regions) == 1 and None not in regions:
        return regions.pop()
    return endpoints.pop() if len(endpoints) == 1 else conjunction.get("region")


def _when(start: datetime, end: datetime | None, now: datetime) -> str:
    if start.date() == (end or now).date():
        return f"{start:%H:%M:%S}–{end:%H:%M:%S} UTC" if end else f"since {start:%H:%M:%S} UTC"
    return f"{_dated(start)} – {_dated(end)}" if end else f"since {_dated(start)}"


def _dated(instant: datetime) -> str:
    day = f"{instant.day} {MONTHS[instant.month - 1]} {instant.year}"
    return f"{instant:%H:%M:%S} UTC, {day}"
