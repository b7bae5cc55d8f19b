from __future__ import annotations

from monitor.config.file_model import MonitorTable, ThresholdTable, WatchTable
from monitor.config.problems import Problems
from monitor.config.validate import read_table


def test_what_is_right_is_kept_beside_what_is_wrong() -> None:
    """An optional key that is wrong is left out, so that the rest is still checked together."""
    problems = Problems(name="f")
    read = read_table(MonitorTable, {"location": 5, "timezone": "UTC"}, ("monitor",), problems)
    assert read is not None
    assert (read.table.timezone, read.table.location) == ("UTC", None)
    assert read.wrong == {"location"}
    assert problems.in_file_order() == ["f:1: monitor.location: must be text in quotes, not a number"]


def test_without_a_required_key_nothing_is_left() -> None:
    """A table that lacks what it is about gives no value, only the sentences."""
    problems = Problems(name="f")
    assert read_table(WatchTable, {"models": []}, ("watch", 0), problems) is None
    assert len(problems.found) == 3


def test_numbers_have_their_bounds_told() -> None:
    """Too small and too large, with the number that was given."""
    problems = Problems(name="f")
    read_table(ThresholdTable, {"bad": 0, "of": 1001}, ("rule", "down"), problems)
    assert problems.in_file_order() == [
        "f:1: rule.down.bad: must be at least 1, got 0",
        "f:1: rule.down.of: must be at most 1000, got 1001",
    ]
