"""`validate`: the plan for people and for machines, and what it lacks."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import DEAD, KEY_VARIABLE, Configure, Run

TARGETS = [
    "azure-sweden/gpt-4o-transcribe/realtime",
    "azure-sweden/gpt-4o-transcribe/rest",
    "azure-sweden/whisper-1/realtime",
    "azure-sweden/whisper-1/rest",
]
BROKEN = {"model": "gpt-4o-transcribe", "pathway": "realtime", "fault": "failed"}


def test_the_plan_names_what_runs_costs_and_cannot_be_answered(run: Run, configure: Configure) -> None:
    """`validate` prints targets, cost, speed of noticing, quota and open questions, without a network."""
    configure(DEAD)
    done = run("validate")
    assert (done.code, done.err) == (0, "")
    titles = [line for line in done.out.splitlines() if line and not line.startswith(" ")]
    assert titles[:5] == [
        "What would run, from berlin",
        "What a day costs",
        "How fast an outage would be noticed, at the latest (3 of 5 bad over at least 1m)",
        "Whether it fits the quota, in the worst minute of a deployment",
        "Questions that this configuration cannot answer",
    ]


def test_the_plan_as_json_names_the_same_targets(run: Run, configure: Configure) -> None:
    """The plan is one JSON object."""
    configure(DEAD)
    plan = json.loads(run("validate", "--json").out)
    assert [target["key"] for target in plan["targets"]] == TARGETS


def test_a_plan_with_a_missing_secret_is_printed_and_is_exit_code_2(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan can be read all the same; what is missing stands on stderr."""
    configure(DEAD)
    monkeypatch.delenv(KEY_VARIABLE)
    done = run("validate")
    assert done.code == 2
    assert done.out.startswith("What would run, from berlin\n")
    assert done.err.endswith(f"env:{KEY_VARIABLE}: the variable {KEY_VARIABLE} is not set\n")
