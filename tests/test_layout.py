"""The house as it is meant to stand: sizes, names, docstrings, and a test beside every module.

The directions of imports are the business of import-linter's contracts in `pyproject.toml`.
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "monitor"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FILE = 410
MEDIAN_FILE = 130
LONGEST_FUNCTION = 60
P95_FUNCTION = 40
MEDIAN_FUNCTION = 8
DEEPEST = 4
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "manager", "base", "common_utils", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def place(path: Path) -> str:
    """The path as people name it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A module, parsed once."""
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """Every function of a module with its place."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield f"{place(path)}:{node.lineno} {node.name}", node


def body_lines(function: Function) -> int:
    """The lines of a function, signature and decorators included, its docstring not."""
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    docstring = ast.get_docstring(function, clean=False) is not None
    told = function.body[0]
    spoken = (told.end_lineno or told.lineno) - told.lineno + 1 if docstring else 0
    return (function.end_lineno or first) - first + 1 - spoken


def depth(node: ast.AST, level: int = 0) -> int:
    """How deeply blocks are nested inside a function; the branches of one `if` count once."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        deeper = isinstance(child, ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith)
        deeper = deeper or isinstance(child, ast.Try | ast.Match)
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deepest = max(deepest, depth(child, level + (deeper and not chained)))
    return deepest


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    """The length of every function of the package."""
    return {name: body_lines(function) for path in MODULES for name, function in functions(path)}


def test_no_function_is_longer_than_the_budget(sizes: dict[str, int]) -> None:
    """Sixty lines, docstring aside; most are far shorter."""
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    ordered = sorted(sizes.values())
    assert statistics.median(ordered) <= MEDIAN_FUNCTION
    assert ordered[int(len(ordered) * 0.95)] <= P95_FUNCTION


def test_no_file_is_longer_than_the_budget() -> None:
    """Four hundred lines or so, and the median far below."""
    lengths = {place(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FILE


def test_no_function_nests_its_blocks_too_deeply() -> None:
    """Four within each other at most, and most have one or two: what needs more is two functions."""
    deep = {name: depth(function) for path in MODULES for name, function in functions(path)}
    assert {name: levels for name, levels in deep.items() if levels > DEEPEST} == {}


def test_a_file_is_named_for_what_it_is() -> None:
    """No utils, helpers, manager or base."""
    assert [place(path) for path in (*MODULES, *TESTS) if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    """A docstring stands at the top."""
    assert [place(path) for path in MODULES if not ast.get_docstring(tree(path))] == []


def test_every_public_function_has_a_docstring() -> None:
    """What a name cannot say of a contract stands beneath it; private functions have a name instead."""
    silent = [
        name
        for path in MODULES
        for name, function in functions(path)
        if not function.name.startswith("_") and is_public(path, function) and not ast.get_docstring(function)
    ]
    assert silent == []


def is_public(path: Path, function: Function) -> bool:
    """Whether a function stands at the top of its module or of a public class in it."""
    module = tree(path)
    owners = [
        node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    return function in module.body or any(function in owner.body for owner in owners)


def test_tests_patch_nothing() -> None:
    """No mock is imported; seams are used instead."""
    mocking = [place(path) for path in TESTS if "unittest.mock" in imported(path)]
    assert mocking == []


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


ONE_IMPORTER = {
    "apscheduler": {"monitor/service"},
    "sqlalchemy": {"monitor/store", "monitor/web"},
    "alembic": {"monitor/store"},
    "httpx": {"monitor/transport"},
    "httpcore": {"monitor/transport"},
    "websockets": {"monitor/transport", "monitor/sandbox"},
    "fastapi": {"monitor/web", "monitor/sandbox"},
    "jinja2": {"monitor/web"},
    "standardwebhooks": {"monitor/notifiers"},
    "jiwer": {"monitor/core"},
    "aiohappyeyeballs": {"monitor/transport"},
    "python_multipart": {"monitor/sandbox"},
    "zstandard": {"monitor/store"},
}


@pytest.mark.parametrize("library", sorted(ONE_IMPORTER))
def test_a_heavy_library_is_imported_in_its_place_only(library: str) -> None:
    """Whoever else needs something of it is handed a function."""
    users = {place(path) for path in MODULES if any(name.split(".")[0] == library for name in imported(path))}
    assert users
    strangers = {user for user in users if not user.startswith(tuple(ONE_IMPORTER[library]))}
    assert strangers == set()


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=place)
def test_every_module_is_tested_where_it_lives(folder: Path) -> None:
    """The mirrored room has a test module of its name, or one that uses it or a neighbour built on it.

    The modules at the top of `tests/` are about what joins several folders, and count for each.
    """
    mirrored = ROOT / "tests" / Path(*folder.relative_to(PACKAGE).parts[:1])
    tests = sorted({*mirrored.rglob("*.py"), *(ROOT / "tests").glob("test_*.py")})
    room = PACKAGE / Path(*folder.relative_to(PACKAGE).parts[:1])
    modules = {dotted(path): path for path in MODULES if room in path.parents and "__" not in path.stem}
    reached = {name for name, path in modules.items() if mirror(path) in tests}
    reached |= {name for test in tests for name in imported(test) & modules.keys()}
    found: set[str] = set()
    while reached - found:
        found |= reached
        reached = {name for known in found for name in imported(modules[known]) & modules.keys()} | found
    here = {name for name, path in modules.items() if path.parent == folder}
    assert here - found == set(), f"no test in {place(mirrored)} is about them"


def mirror(path: Path) -> Path:
    """Where the test of a module stands."""
    return ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")


def dotted(path: Path) -> str:
    """The name under which a module is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
