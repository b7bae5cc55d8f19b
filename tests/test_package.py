"""What is built can be installed elsewhere and works there, with nothing of this checkout beside it.

The wheel is really built and really installed by pip into a fresh environment. Its dependencies are not
downloaded: the environment is lent those of the running one, read-only and behind its own. So it is shown
that the wheel holds everything of ours and declares what it imports, not that an index can deliver the rest.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.service_processes import free_port, wait_for

ROOT = Path(__file__).parents[1]
INNER_PARTS = {"starlette": "fastapi", "markupsafe": "jinja2", "pydantic-core": "pydantic"}

pytestmark = pytest.mark.timeout(180)

CONFIG = """
[endpoint.azure-sweden]
provider = "azure_openai"
url = "http://127.0.0.1:{port}/azure-sweden"
key = "env:SANDBOX_KEY"

[[watch]]
endpoint = "azure-sweden"
models = ["gpt-4o-transcribe"]
pathways = ["rest", "realtime"]
session_model = "gpt-realtime"
pace = "burst"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("earwitness-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that holds the wheel and is lent its dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, cwd=folder, capture_output=True)
    # A line of a .pth file is put behind the environment's own folder, and no .pth files are read in it:
    # the editable installation of the running environment stays out of sight.
    (own,) = (folder / "env" / "lib").glob("python*/site-packages")
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "env" / "bin" / "earwitness"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    return tmp_path


def environ() -> Mapping[str, str]:
    """The variables of a person, without any that point at this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
        "SANDBOX_KEY": "sandbox-key"
    }


def run(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One command, run there."""
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_wheel_holds_everything_that_is_not_code(wheel: Path) -> None:
    """Migrations, templates, static files, clips, the schema and the demo's recording, each file of them."""
    held = set(zipfile.ZipFile(wheel).namelist())
    beside = {"migrations", "templates", "static"}
    wanted = {
        f"monitor/_data/{path.relative_to(ROOT).as_posix()}" for name in beside for path in files(ROOT / name)
    }
    wanted |= {path.relative_to(ROOT).as_posix() for path in files(ROOT / "monitor") if path.suffix != ".py"}
    assert wanted - held == set()
    for name in (
        "monitor/clips/data/amiable.wav",
        "monitor/config/schema.json",
        "monitor/cli/demo_data/reference-day.jsonl.xz",
        "monitor/_data/migrations/versions/0001_first_tables.py",
        "monitor/_data/templates/base.html",
        "monitor/_data/static/vendor/pico/LICENSE.md",
        "monitor/py.typed",
    ):
        assert name in held
    assert not [name for name in held if name.startswith(("tests/", "benchmarks/", "scripts/"))]


def files(folder: Path) -> list[Path]:
    """Every file of a folder that belongs into a wheel."""
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


EXTRAS = {"azure": ["azure-identity"], "faster_whisper": ["faster-whisper"]}


def test_the_wheel_declares_what_it_imports() -> None:
    """Every library that a module imports is asked for by name, or is an inner part of one that is."""
    declared = {named(line) for line in required()}
    declared |= {part for part, whole in INNER_PARTS.items() if whole in declared and asks_for(whole, part)}
    modules = (ROOT / "monitor").rglob("*.py")
    imported = {name for path in modules for name in libraries(ast.parse(path.read_text("utf-8")))}
    known = packages_distributions()
    undeclared = {
        name
        for name in imported - set(sys.stdlib_module_names) - {"monitor"}
        # Where an extra is not installed its top-level package is known by the distribution's own name.
        if not declared & {named(one) for one in known.get(name, EXTRAS.get(name, [name]))}
    }
    assert undeclared == set()


def named(requirement: str) -> str:
    """The name that a requirement begins with, in its normal form."""
    return re.split(r"[ ;<>=!~\[(]", requirement)[0].lower().replace("_", "-")


def asks_for(whole: str, part: str) -> bool:
    """Whether a distribution requires another."""
    return part in {named(line) for line in requires(whole) or ()}


def required() -> list[str]:
    """What the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in extras if name != "dev" for line in extras[name])]


def libraries(module: ast.Module) -> set[str]:
    """The top names that a module imports."""
    nodes = list(ast.walk(module))
    plain = {
        alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    return plain | {
        node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module
    }


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name, licence, Python, and the command."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(opened.read(name).decode())
        commands = opened.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert (metadata["Name"], metadata["License-Expression"]) == ("earwitness", "Apache-2.0")
    assert metadata["Requires-Python"] == ">=3.11"
    assert "earwitness = monitor.cli:main" in commands


def test_the_installed_program_is_not_this_checkout(installed: Path, elsewhere: Path) -> None:
    """What runs there is what was installed there."""
    where = [str(installed.parent / "python"), "-c", "import monitor; print(monitor.__file__)"]
    said = subprocess.run(where, cwd=elsewhere, env=environ(), capture_output=True, text=True, check=True)
    assert Path(said.stdout.strip()).is_relative_to(installed.parents[1])


def test_a_newcomer_can_migrate_validate_and_check(installed: Path, elsewhere: Path) -> None:
    """In an empty folder, against the practice provider that came along."""
    port = free_port()
    (elsewhere / "config.toml").write_text(CONFIG.format(port=port))
    migrated = run(installed, "migrate", folder=elsewhere)
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert (elsewhere / "data" / "earwitness.db").exists()
    validated = run(installed, "validate", folder=elsewhere)
    assert (validated.returncode, validated.stderr) == (0, "")
    sandbox = subprocess.Popen(
        [installed, "sandbox", "--port", str(port)],
        cwd=elsewhere,
        env=environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(
            lambda: run(installed, "check", folder=elsewhere).returncode == 0,
            30,
            "every target passes a check",
        )
        checked = run(installed, "check", folder=elsewhere)
    finally:
        sandbox.kill()
        sandbox.wait(10)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert [line.split()[0] for line in checked.stdout.splitlines()] == ["passed", "passed"]


def test_the_recorded_day_can_be_imported_and_replayed(installed: Path, elsewhere: Path) -> None:
    """What the demo shows came along, and the installed commands make the day's incident of it."""
    unpack = (
        "import sys, monitor.cli.demo_data as data; sys.stdout.buffer.write(data.open_recording().read())"
    )
    with (elsewhere / "day.jsonl").open("wb") as day:
        python = str(installed.parent / "python")
        subprocess.run([python, "-c", unpack], cwd=elsewhere, env=environ(), stdout=day, check=True)
    imported = run(installed, "import", "day.jsonl", folder=elsewhere)
    assert (imported.returncode, imported.stderr) == (0, "")
    replayed = run(installed, "replay", "--json", folder=elsewhere)
    (incident,) = json.loads(replayed.stdout)["incidents"]
    assert (incident["blame"], incident["affected"]) == (
        "provider",
        ["contoso-sweden/gpt-4o-transcribe/realtime"],
    )


def test_the_installed_demo_shows_its_page(installed: Path, elsewhere: Path) -> None:
    """Templates, static files and the recording are where the installed program looks for them."""
    listen = f"127.0.0.1:{free_port()}"
    demo = subprocess.Popen(
        [installed, "demo", "--listen", listen, "--sandbox-port", "0", "--folder", "data"],
        cwd=elsewhere,
        env=environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(f"http://{listen}/"), 60, "the page stands")
        assert answers(f"http://{listen}/incidents/1")
        assert answers(f"http://{listen}/static/site.css")
    finally:
        demo.terminate()
        assert demo.wait(30) == 0


def answers(url: str) -> bool:
    """Whether something is given there."""
    try:
        with urlopen(url, timeout=20) as answer:  # noqa: S310 - it is ours
            return bool(answer.read())
    except URLError:
        return False
