from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import rule_from_toml
from monitor.core.errors import ConfigurationError
from monitor.core.outages.rule import Rule


@pytest.mark.parametrize(
    "text", ["[rule.down]\nbad = 1\nof = 1\nspan = '0s'\n", "[down]\nbad = 1\nof = 1\nspan = '0s'\n"]
)
def test_a_rule_is_read_with_or_without_its_prefix(text: str) -> None:
    """What is absent keeps its default."""
    rule = rule_from_toml(text)
    assert (rule.down.bad, rule.down.of, rule.down.span) == (1, 1, timedelta(0))
    assert rule.down.good == Rule().down.good
    assert rule.degraded == Rule().degraded


def test_an_empty_text_is_the_default_rule() -> None:
    """Nothing said, nothing changed."""
    assert rule_from_toml("") == Rule()
    assert rule_from_toml({}) == Rule()
    assert rule_from_toml({"rule": {"down": {"good": 2}}}).down.good == 2


def test_a_whole_configuration_is_a_rule_file_too(tmp_path: Path) -> None:
    """`replay --rules config.toml` takes the rule and passes over the rest."""
    path = tmp_path / "config.toml"
    path.write_text('[monitor]\nlocation = "here"\n[rule.degraded]\nmerge = "1m"\n', "utf-8")
    assert rule_from_toml(path).degraded.merge == timedelta(minutes=1)


def test_every_fault_of_a_rule_file_is_told_with_its_line(tmp_path: Path) -> None:
    """File, line and key, all at once."""
    path = tmp_path / "rules.toml"
    path.write_text("[down]\nbad = 9\nspam = 1\n[up]\nbad = 1\n[degraded]\nspan = 5\n", "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        rule_from_toml(path)
    assert [problem.removeprefix(f"{path}:") for problem in caught.value.problems] == [
        "2: down.bad: bad must not be more than of: 9 of the last 5 runs can never be bad",
        "3: down.spam: unknown key, did you mean 'span'?",
        "4: up: unknown key, known are 'rule', 'down', 'degraded'",
        "7: degraded.span: 5 has no unit: write such as '30s', '5m' or '1h30m'",
    ]


def test_a_rule_that_is_no_table_is_refused() -> None:
    """`rule = 3` is told as what it is."""
    with pytest.raises(ConfigurationError, match=r"rule:1: rule: must be tables .* not a number"):
        rule_from_toml("rule = 3")


def test_a_file_of_rules_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    """By what it holds; nobody needs a whole configuration for it."""
    with pytest.raises(ConfigurationError) as refused:
        rule_from_toml(tmp_path / "none.toml")
    (sentence,) = refused.value.problems
    assert sentence.endswith(
        "none.toml: there is no such file; name a TOML file with [rule.down] and [rule.degraded]"
    )
