"""`replay --diff` and `replay --channel`: exit codes, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from monitor.core.model import Verdict
from monitor.core.outcome_json import outcome_to_line
from tests.support.commands import Run
from tests.support.stored_outcomes import make

CHANNEL = '[channel.oncall]\nkind = "webhook"\nurl = "http://127.0.0.1:9/n"\nsecret = "env:S"\n'


@pytest.fixture
def stored(run: Run, home: Path) -> str:
    """An hour with an outage of ten minutes, imported without any configuration."""
    runs = [make(at, Verdict.FAILED if 20 <= at < 30 else Verdict.PASSED) for at in range(60)]
    path = home / "day.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(outcome_to_line(one)) for one in runs))
    assert run("import", str(path)).code == 0
    return run("replay", "--json").out


def test_what_is_stored_equals_the_replay_under_the_same_rule(run: Run, stored: str) -> None:
    """Exit code 0, also in JSON, also over a part."""
    assert stored
    done = run("replay", "--diff")
    assert (done.code, done.out) == (0, "equal: what is stored is what the replay says\n")
    assert json.loads(run("replay", "--diff", "--json").out) == {
        "equal": True,
        "windows": [],
        "incidents": [],
    }
    assert run("replay", "--diff", "--from", "2025-11-17T00:25:00Z").code == 0


def test_another_rule_differs_with_exit_code_1(run: Run, stored: str, home: Path) -> None:
    """What only the store knows has a minus; nothing stored is changed."""
    (home / "strict.toml").write_text("[down]\nbad = 12\nof = 12\n[degraded]\nbad = 15\n")
    done = run("replay", "--diff", "--rules", "strict.toml")
    assert done.code == 1
    assert "- incident gpt-4o-transcribe · realtime · swedencentral down" in done.out
    told = json.loads(run("replay", "--diff", "--json", "--rules", "strict.toml").out)
    assert (told["equal"], told["incidents"][0]["replayed"]) == (False, None)
    assert run("replay", "--json").out == stored


def test_a_channel_is_rehearsed_by_its_policy(run: Run, stored: str, home: Path) -> None:
    """What it would have been told, and when."""
    assert stored
    (home / "config.toml").write_text(CHANNEL)
    done = run("replay", "--channel", "oncall")
    assert done.code == 0
    assert (
        done.out.splitlines()[1]
        == "  2025-11-17T00:22:00.412Z incident.opened: Down: gpt-4o-transcribe · realtime · swedencentral"
    )
    told = json.loads(run("replay", "--channel", "oncall", "--json").out)
    assert [one["type"] for one in told["notices"]][:2] == ["incident.opened", "incident.recovering"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--channel", "nobody"), "unknown channel 'nobody'"),
        (("--channel", "x", "--diff"), "ask one at a time"),
    ],
)
def test_what_cannot_be_answered_is_our_own_fault(
    run: Run, stored: str, options: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with what is known."""
    assert stored
    done = run("replay", *options)
    assert done.code == 2
    assert said in done.err
