"""The figures of the layout are counted as they are described."""

from __future__ import annotations

import ast

from scripts.house_figures import PACKAGE, lines, private_functions, room, static, twice


def test_a_private_function_counts_when_one_place_besides_itself_names_it() -> None:
    """Recursion is no caller; public functions and those with two callers are left out."""
    text = """
def public(): return _once() + _twice() + _twice()
def _once(): return 1
def _twice(): return 2
def _again(n): return _again(n - 1)
"""
    figure = private_functions({PACKAGE / "made_up.py": ast.parse(text)})
    assert (figure.value, figure.listed) == ("25% (1 of 4)", ["monitor/made_up.py: _once"])


def test_a_comment_is_a_line_of_its_own_that_speaks_to_people() -> None:
    """Behind code, or written to the linter, it is not counted."""
    path = PACKAGE.parent / "scripts" / "house_figures.py"
    rows = [line.strip() for line in path.read_text("utf-8").splitlines()]
    whole = [row for row in rows if row.startswith("#") and "noqa" not in row]
    assert next(iter(lines([path]))).value.endswith(f"({len(whole)})")


def test_names_that_recur_are_told_with_their_places() -> None:
    """One place is not enough."""
    assert twice([("a", "x"), ("b", "y"), ("a", "z")]) == {"a": ["x", "z"]}


def test_the_room_of_a_name_is_the_folder_of_its_module() -> None:
    """However deep the module stands."""
    assert room("monitor.core.model.Cell") == "monitor.core"


def test_every_figure_of_the_text_has_a_value_and_an_aim() -> None:
    """Whatever the tree looks like."""
    rows = list(static())
    assert len({row.question for row in rows}) == len(rows) >= 7
    assert all(row.value and row.aim for row in rows)
