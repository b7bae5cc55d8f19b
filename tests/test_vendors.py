"""Where vendors and pathways are named: in their own files, so that one file and one line add a vendor.

`monitor/providers/` and `monitor/catalogue/` name vendors, and the sandbox imitates them. Whatever else needs
to know something of a vendor or a pathway asks its record.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from monitor.core.pathways import PATHWAYS
from monitor.providers import PROVIDERS
from tests.support.commands import (
    CONFIG,
    KEY_VARIABLE,
    ROOT,
    Configure,
    Sandbox,
    configure,
    home,
    sandbox,
    shared_sandbox,
)

__all__ = ["configure", "home", "sandbox", "shared_sandbox"]

PACKAGE = ROOT / "monitor"
VENDOR = re.compile(r"openai|azure|microsoft|whisper|gpt-|litellm|speech_key", re.IGNORECASE)
SERVERS = {"vllm", "qwen", "together", "speaches"}  # the dialects that are called after a server
# Names of libraries, and of a media type: Entra ID's, a card of Teams, and what `sandbox --whisper` loads.
ALLOWED = {
    "monitor/transport/entra_tokens.py": "azure",
    "monitor/notifiers/teams.py": "microsoft",
    "monitor/cli/sandbox.py": "whisper",
}
NAMING = {"monitor/checks/realtime_session/dialects.py"}  # a dialect is called after its server
PACES = {"monitor/core/model.py", "monitor/config/file_model.py"}  # `pace = "realtime"` is a speed


@cache
def places(*left_out: str) -> tuple[tuple[str, ast.Module], ...]:
    """Every module of the package outside some folders, by its path."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if "_data" not in path.parts]
    kept = [path for path in paths if path.relative_to(PACKAGE).parts[0] not in left_out]
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))) for path in kept)


def texts(part: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text in the code with its line; docstrings aside, which may explain with an example."""
    said = {id(node.value) for node in ast.walk(part) if isinstance(node, ast.Expr)}
    for node in ast.walk(part):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def names(part: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name in the code with its line: of variables, attributes, functions and arguments."""
    for node in ast.walk(part):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case _:
                pass


def named(module: ast.Module, allowed: str | None) -> Iterator[str]:
    """The places in a module at which a vendor is named."""
    for line, text in (*texts(module), *names(module)):
        words = {found[0].lower() for found in VENDOR.finditer(text)} - {allowed}
        if words or text in SERVERS:
            yield f"{line}: {text[:60]}"


def test_no_vendor_is_named_outside_its_folder() -> None:
    """Neither in a sentence nor in a condition nor in a name: the fact stands on the provider's record."""
    found = [
        f"{place}:{said}"
        for place, module in places("providers", "catalogue", "sandbox")
        if place not in NAMING
        for said in named(module, ALLOWED.get(place))
    ]
    assert found == []


def test_no_vendor_is_a_condition_anywhere() -> None:
    """Not in the checks or the catalogue either: nothing is compared with a provider's name."""
    found = [
        f"{place}:{node.lineno}"
        for place, module in places("sandbox")
        for node in ast.walk(module)
        if isinstance(node, ast.Compare | ast.MatchValue)
        and any(text in PROVIDERS for _, text in texts(node))
    ]
    assert found == []


def test_no_pathway_is_named_outside_the_checks() -> None:
    """What is true of a pathway stands on its record, and is asked for by what it is."""
    found = [
        f"{place}:{line}: {text}"
        for place, module in places("checks", "providers", "catalogue", "sandbox")
        if place != "monitor/core/pathways.py"
        for line, text in texts(module)
        if text in PATHWAYS and not (text == "realtime" and place in PACES)
    ]
    assert found == []


def test_vendors_and_prices_list_pathways_and_compare_none() -> None:
    """A vendor's file says as data which it has; how one differs from another is for its record."""
    found = [
        f"{place}:{node.lineno}"
        for place, module in places("checks", "sandbox")
        for node in ast.walk(module)
        if isinstance(node, ast.Compare | ast.MatchValue) and any(text in PATHWAYS for _, text in texts(node))
    ]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    """A condition, a sentence, part of a sentence with values, and a name; not what only sounds like it."""
    bad = ("x == 'azure_openai'", "say(f'on Azure {x}')", "is_azure = 1", "y = dialect in ('vllm',)")
    assert all([*named(ast.parse(text), None)] for text in bad)
    assert [*named(ast.parse("say('they belong together')"), None)] == []


ADDED = """
import sys
from dataclasses import replace
import monitor.providers as family

# The one line in the dictionary; its record would stand in a file of its own.
family.PROVIDERS["made_up"] = replace(
    family.PROVIDERS["openai_compatible"], name="made_up", label="Made Up", aliases=("mine",), auths=("key",),
    pathways=("rest", "realtime"), dialects=("ga",), must_name_host=True, sample_rate=24_000,
    support_asks={"region": "Where is it"}, usual_quota=2,
)
from monitor.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the program with one line more."""
    return subprocess.run(
        [sys.executable, "-c", ADDED, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_one_line_adds_a_vendor(home: Path, configure: Configure, sandbox: Sandbox) -> None:
    """Configuration, plan, check and outcome line know it by its record, without another change."""
    text = CONFIG.replace('"azure_openai"', '"made_up"').replace('region = "swedencentral"\n', "")
    configure(sandbox.base, text=text)
    planned = run(home, "validate")
    assert planned.returncode == 0, planned.stderr
    assert "Where is it: set region in [endpoint.azure-sweden]." in planned.stdout
    assert "max_per_minute is above 2, the usual quota" in planned.stdout
    checked = run(home, "check", "--json", "azure-sweden/gpt-4o-transcribe/realtime")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    line = json.loads(checked.stdout)
    assert (line["provider"], line["verdict"]) == ("made_up", "passed")


def test_a_contradiction_of_an_added_vendor_is_told(home: Path, configure: Configure) -> None:
    """Messages name it and what it has, and guess it from what people write."""
    wrong = CONFIG.replace('"azure_openai"', '"made_up"\nsample_rate = 8000').replace('"rest"', '"dual"')
    configure(text=wrong.replace(f'key = "env:{KEY_VARIABLE}"\n', 'auth = "none"\n'))
    said = run(home, "validate").stderr
    assert "must be 24000: made_up takes no other rate" in said
    assert "made_up has no pathway 'dual', it has 'rest', 'realtime'" in said
    assert "'none' is for openai_compatible only: made_up always asks for a key" in said
    configure(text=CONFIG.replace('"azure_openai"', '"mine"'))
    assert "did you mean 'made_up'?" in run(home, "validate").stderr
