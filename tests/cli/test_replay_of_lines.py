"""`replay`: the same for the same outcomes, under this rule or another, as of now or of then."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.support.commands import Run
from tests.support.recorded_hour import day


def test_a_replay_does_not_depend_on_the_order_of_arrival(run: Run, stored: str, home: Path) -> None:
    """Shuffled lines give the same bytes."""
    shuffled = day()
    random.Random(7).shuffle(shuffled)
    (home / "shuffled.jsonl").write_bytes(b"\n".join(shuffled))
    (home / "data" / "earwitness.db").rename(home / "data" / "first.db")
    run("import", "shuffled.jsonl")
    assert run("replay", "--json").out == stored


def test_a_replay_says_what_another_rule_would(run: Run, stored: str, home: Path) -> None:
    """A rule that needs more than the outage had finds nothing; what is stored stays as it is."""
    (home / "strict.toml").write_text("[rule.down]\nbad = 15\nof = 20\n")
    strict = json.loads(run("replay", "--json", "--rules", "strict.toml").out)
    assert [window["state"] for window in strict["windows"]] == ["degraded"]
    assert strict["rule"]["down"]["bad"] == 15
    assert run("replay", "--json").out == stored


def test_a_replay_of_the_past_knows_nothing_of_what_came(run: Run, stored: str) -> None:
    """Up to the middle of the outage, the window is open."""
    assert stored
    past = json.loads(run("replay", "--json", "--to", "2025-11-17T00:25:00Z").out)
    (window,) = [one for one in past["windows"] if one["state"] == "down"]
    assert (window["open"], window["end"], window["failed"]) == (True, None, 5)


def test_a_replay_from_within_reads_back_to_the_start(run: Run, stored: str) -> None:
    """A window that was open at `--from` is told whole."""
    later = json.loads(run("replay", "--json", "--from", "2025-11-17T00:25:00Z").out)
    assert later["windows"] == json.loads(stored)["windows"]
    assert later["incidents"] == json.loads(stored)["incidents"]


def test_a_replay_of_nothing_is_empty(run: Run) -> None:
    """An empty database has no incident, and that is no error."""
    run("migrate")
    done = run("replay", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [found[key] for key in ("windows", "gaps", "blind", "incidents")] == [[], [], [], []]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[rule.down]\nbad = 0\n", "rules.toml:2: rule.down.bad: "),
        ("[rule.down]\nbadd = 3\n", "rules.toml:2: rule.down.badd: unknown key, did you mean 'bad'?"),
        ("[rule.down\n", "rules.toml:1: "),
    ],
)
def test_a_rule_that_is_none_is_refused(run: Run, stored: str, text: str, sentence: str) -> None:
    """File, line and key are named."""
    assert stored
    Path("rules.toml").write_text(text)
    done = run("replay", "--rules", "rules.toml")
    assert done.code == 2
    assert done.err.startswith(f"earwitness: {sentence}")
