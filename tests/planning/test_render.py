from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from monitor.config import Settings, load
from monitor.planning.plan import make_plan
from monitor.planning.render import render_text, to_json

Load = Callable[[str], Settings]
ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "config"


def test_the_plan_of_the_design_reads_as_agreed() -> None:
    """The whole text of one plan, once read and found good."""
    plan = make_plan(load(HERE / "good" / "reference.toml", environ={}))
    assert render_text(plan) == (HERE / "good" / "reference.txt").read_text("utf-8")


def test_a_file_without_a_watch_says_that_nothing_would_run(loaded: Load) -> None:
    """Neither cost nor quota, but the open questions."""
    text = render_text(make_plan(loaded("")))
    assert text.startswith("What would run\n  nothing: the file has no [[watch]]\n")
    assert "Who is told?" in text
    assert "costs" not in text


def test_what_does_not_fit_is_told_loudly(azure: str, loaded: Load) -> None:
    """Six scheduled runs a minute against a quota of three."""
    watch = '[[watch]]\nendpoint = "azure"\nmodels = ["m"]\npathways = ["rest"]\nevery = "10s"\n'
    text = render_text(make_plan(loaded(azure + watch)))
    assert "azure/m: 6 scheduled, 6 while down, of 3: DOES NOT FIT" in text
    assert "not counted, no price known: azure/m" in text
    assert "about $" not in text


def test_a_narrow_rule_is_told_with_its_confirming_runs(azure: str, loaded: Load) -> None:
    """Three runs 20 s apart span too little: the look-back takes in a fourth."""
    watch = '[[watch]]\nendpoint = "azure"\nmodels = ["m"]\npathways = ["rest"]\n[rule.down]\nof = 3\n'
    text = render_text(make_plan(loaded(azure + watch)))
    assert "azure/m/rest: 6 min" in text


def test_the_json_holds_plain_values_only() -> None:
    """Durations in seconds, dates as text, and whether each quota fits."""
    plan = make_plan(load(ROOT / "config.example.toml", environ={}))
    read = json.loads(json.dumps(to_json(plan)))
    assert read["targets"][0]["every"] == 300
    assert read["targets"][0]["noticing"]["confirmed"] == 360
    assert read["quotas"][0]["fits"] is True
    assert read["rule"]["down"]["span"] == 60
    assert read["prices_as_of"].startswith("20")


def test_a_budget_is_told_beside_what_is_wanted(azure: str, loaded: Load) -> None:
    """Enough, not enough for a day of outage, not enough for a quiet day."""
    watch = '[[watch]]\nendpoint = "azure"\nmodels = ["whisper-1"]\npathways = ["rest"]\n'

    def told(usd: float) -> str:
        text = render_text(make_plan(loaded(f"{azure}daily_budget = {usd}\n{watch}")))
        return next(line for line in text.splitlines() if "at most $" in line)

    assert told(10) == "  azure: at most $10.00, $7.00 of it while all is well"
    assert "not enough for a day on which everything is down" in told(0.5)
    assert "NOT ENOUGH for a quiet day" in told(0.05)
