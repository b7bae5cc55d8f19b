"""Agreed judgements, kept as files: what a peer said in a run, and what the run means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.clips import load_clip
from tests.support.scripted_peer import answers_of, hold, judge, target

FILES = sorted((Path(__file__).parent.parent / "cases" / "runs").glob("*.json"))
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in FILES
    for case in json.loads(path.read_text())
]


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_run_keeps_its_judgement(case: dict[str, Any]) -> None:
    """A run we once agreed on is judged the same today, with everything the outcome says."""
    clip = case.get("clip", "amiable")
    asked = target(
        case["pathway"], case["provider"], endpoint=case.get("endpoint"), **case.get("settings", {})
    )
    finding, _ = hold(answers_of(case["answers"]), asked, clip)
    judged = judge(finding, asked, clip)

    assert {key: getattr(judged, key) for key in case["outcome"]} == case["outcome"]


def test_the_cases_cover_every_rule_and_have_names_of_their_own() -> None:
    """No rule of the table is without a recorded run (0: a provider's own code)."""
    cases = [case for path in FILES for case in json.loads(path.read_text())]
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names))
    assert set(range(16)) - {14} <= {case["outcome"].get("rule") for case in cases} | {14}
    assert load_clip("amiable").text == "He might even have been made amiable himself."
