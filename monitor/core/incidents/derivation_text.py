"""A derivation as text, for people at a terminal; it says the same as the JSON and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.incidents.incident import Derivation
from monitor.core.outages.gaps import Gap
from monitor.core.outages.self_observations import BlindSpan
from monitor.core.outages.windows import Window
from monitor.core.sanitize import one_line
from monitor.core.timefmt import day, duration_words, rfc3339

_LONGEST = 1000


def render_text(derivation: Derivation) -> str:
    """Incidents first, then windows, gaps and blind spans, each in order of start; never empty."""
    return "\n".join(_lines(derivation))


def _lines(derivation: Derivation) -> Iterator[str]:
    yield _counted(len(derivation.incidents), "incident")
    for incident in derivation.incidents:
        yield f"  {incident.number}. {day(incident.start)}: {one_line(incident.title, _LONGEST)}"
        yield f"     blame {incident.blame}: {one_line(incident.blame_reason, _LONGEST)}"
    yield _counted(len(derivation.windows), "window")
    yield from (f"  {_window(window)}" for window in derivation.windows)
    yield _counted(len(derivation.gaps), "gap")
    yield from (f"  {_gap(gap)}" for gap in derivation.gaps)
    yield _counted(len(derivation.blind), "blind span")
    yield from (f"  {_blind(span)}" for span in derivation.blind)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _window(window: Window) -> str:
    end = "open" if window.end is None else rfc3339(window.end)
    counts = f"{window.failed}/{window.total} runs"
    where = f"{window.cell.target} from {window.cell.location}"
    return f"{where}: {window.state} {rfc3339(window.start)} – {end}, {counts}"


def _gap(gap: Gap) -> str:
    length = duration_words(gap.end - gap.start)
    return f"{gap.cell.target} from {gap.cell.location}: {rfc3339(gap.start)} – {rfc3339(gap.end)}, {length}"


def _blind(span: BlindSpan) -> str:
    return f"{span.location}: {rfc3339(span.start)} – {rfc3339(span.end)}, {span.reason}"
