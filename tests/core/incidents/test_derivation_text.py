"""A derivation at a terminal: the same facts as the JSON, in plain lines."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.incidents.derivation_text import render_text
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Derivation
from monitor.core.model import Outcome, Verdict
from monitor.core.outages.gaps import Gap
from monitor.core.outages.rule import Rule
from monitor.core.outages.self_observations import BlindSpan
from tests.support.memory_history import MemoryHistory
from tests.support.stored_outcomes import DAY, MINUTE, make

CELL = make(0).cell


def day(letters: str) -> list[Outcome]:
    """A run a minute: a point passed, an x failed."""
    verdicts = {".": Verdict.PASSED, "x": Verdict.FAILED}
    return [make(number, verdicts[letter]) for number, letter in enumerate(letters)]


def derived(letters: str) -> Derivation:
    """What a day of those letters says."""
    return derive(MemoryHistory(day(letters)), Rule(), now=DAY + len(letters) * MINUTE)


def test_nothing_is_said_to_be_nothing() -> None:
    """Without outcomes four lines say so; the text is never empty."""
    assert render_text(derived("")).splitlines() == [
        "0 incidents",
        "0 windows",
        "0 gaps",
        "0 blind spans",
    ]


def test_an_incident_is_told_with_its_day_title_and_blame() -> None:
    """Number, day, title, then whose fault and why; the window with both ends and its counts."""
    lines = render_text(derived("....xxxx......")).splitlines()
    assert lines[0] == "1 incident"
    assert (
        lines[1]
        == "  1. 17 Nov 2025: gpt-4o-transcribe · realtime · swedencentral down 00:04:00–00:08:00 UTC."
    )
    assert lines[2].startswith("     blame provider: ")
    assert lines[3] == "1 window"
    assert lines[4] == (
        "  azure-sweden/gpt-4o-transcribe/realtime from berlin: down 2025-11-17T00:04:00.412Z – "
        "2025-11-17T00:08:00.412Z, 4/4 runs"
    )


def test_an_open_window_has_no_end() -> None:
    """While it lasts the word `open` stands where the end will be."""
    assert "down 2025-11-17T00:04:00.412Z – open, 3/3 runs" in render_text(derived("....xxx"))


def test_gaps_and_blind_spans_say_from_when_to_when() -> None:
    """What was not measured is listed with its length, or with its reason."""
    gap = Gap(cell=CELL, start=DAY, end=DAY + timedelta(hours=2))
    blind = BlindSpan(location="berlin", start=DAY, end=DAY + MINUTE, reason="nothing was reachable")
    empty = Derivation(rule=Rule(), windows=(), gaps=(gap,), blind=(blind,), incidents=())
    assert render_text(empty).splitlines()[2:] == [
        "1 gap",
        f"  {CELL.target} from berlin: 2025-11-17T00:00:00Z – 2025-11-17T02:00:00Z, 2 h",
        "1 blind span",
        "  berlin: 2025-11-17T00:00:00Z – 2025-11-17T00:01:00Z, nothing was reachable",
    ]


def test_a_model_named_to_move_the_cursor_moves_nothing() -> None:
    """Names from outside reach the terminal without control characters."""
    runs = [make(number, Verdict.FAILED, region="x\x1b[2J\nx") for number in range(4)]
    text = render_text(derive(MemoryHistory(runs), Rule(), now=DAY + 4 * MINUTE))
    assert "\x1b" not in text
    assert all(line.isprintable() for line in text.splitlines())
