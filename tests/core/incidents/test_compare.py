"""A derivation against what is stored: nothing under the same rule, and each difference named."""

from __future__ import annotations

import json
from dataclasses import replace

from monitor.core.incidents.compare import Difference, compare, difference_lines, difference_to_json
from monitor.core.incidents.derive import derive
from monitor.core.incidents.incident import Phase
from monitor.core.model import Outcome
from monitor.core.outages.rule import Rule
from tests.core.incidents.test_reconcile import Ledger
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row

RUNS = row("." * 5 + "FFFF" + "." * 30 + "FFF" + "." * 30)
NOW = minutes(80)


def against(rule: Rule, runs: list[Outcome] | None = None, since: float | None = None) -> Difference:
    """What the default rule made of RUNS, against *rule* over *runs*."""
    ledger = Ledger()
    derivation = ledger.add(RUNS, NOW)
    begin = None if since is None else minutes(since)
    other = derive(MemoryHistory(RUNS if runs is None else runs), rule, now=NOW, since=begin)
    return compare(derivation.windows, ledger.incidents.values(), other, now=NOW)


def test_the_same_rule_says_the_same() -> None:
    """Over the whole history and over its end."""
    for since in (None, 30):
        found = against(Rule(), since=since)
        assert not found
        assert list(difference_lines(found)) == ["equal: what is stored is what the replay says"]
        assert difference_to_json(found) == {"equal": True, "windows": [], "incidents": []}


def test_another_rule_is_told_window_by_window() -> None:
    """A stricter rule loses the shorter outage; the longer one stays as it is."""
    strict = replace(Rule(), down=replace(Rule().down, bad=4))
    found = against(strict)
    (window,), (incident,) = found.windows, found.incidents
    assert window.replayed is None
    assert window.stored is not None
    assert (window.stored["start"], window.differs) == ("2025-11-17T09:09:10Z", ())
    assert incident.stored is not None
    assert incident.stored["number"] == 2
    lines = list(difference_lines(found))
    assert lines[0].startswith("2 differences")
    assert [line[:10] for line in lines[1:]] == ["- incident", "- window a"]
    assert json.loads(json.dumps(difference_to_json(found)))["equal"] is False


def test_what_changed_is_named_by_its_key() -> None:
    """One run more inside: the same window with other counts."""
    more = [*RUNS, *row("F", start=minutes(6.5))]
    found = against(Rule(), more)
    assert found.windows[0].differs == ("failed", "total")
    assert "    failed: 4 → 5" in list(difference_lines(found))


def test_what_only_the_replay_knows_has_a_plus() -> None:
    """Outcomes that nobody derived yet; a dismissed incident counts as none."""
    derivation = derive(MemoryHistory(RUNS), Rule(), now=NOW)
    ledger = Ledger()
    ledger.add(RUNS, NOW)
    gone = [replace(one, phase=Phase.DISMISSED) for one in ledger.incidents.values()]
    found = compare((), gone, derivation, now=NOW)
    assert [pair.stored for pair in (*found.windows, *found.incidents)] == [None] * 4
    assert sum(line.startswith("+") for line in difference_lines(found)) == 4
