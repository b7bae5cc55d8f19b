"""The command line as a whole: help, versions, exit codes, and one sentence for what is our fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import __version__
from monitor.cli import COMMANDS
from tests.support.commands import ROOT, Configure, Run, Sandbox

DESIGNED = {
    "demo",
    "serve",
    "check",
    "validate",
    "doctor",
    "migrate",
    "import",
    "export",
    "replay",
    "mark",
    "clip",
    "evidence",
    "sandbox",
    "alert-test",
}


def test_every_designed_command_is_there() -> None:
    """The commands are those of the contract, no more and no fewer."""
    assert set(COMMANDS) == DESIGNED


@pytest.mark.parametrize("command", sorted(DESIGNED))
def test_every_command_explains_itself(run: Run, command: str) -> None:
    """`--help` prints the usage of the command and ends with 0, without any configuration."""
    done = run(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: earwitness {command}" in done.out
    explained = done if command != "clip" else run(command, "add", "--help")
    assert "--config" in explained.out


def test_without_a_command_the_help_is_printed(run: Run) -> None:
    """Nothing asked is help, with every command and the exit codes."""
    done = run()
    assert done.code == 0
    assert all(command in done.out for command in DESIGNED)
    assert "Exit codes: 0 fine, 1 a target failed or a difference was found, 2 a" in done.out


def test_the_version_is_the_packages(run: Run) -> None:
    """`--version` prints it alone."""
    assert run("--version").out.strip() == __version__


def test_python_m_monitor_is_the_same(spawn: Run) -> None:
    """`python -m monitor` runs the command line and hands on its exit code."""
    assert spawn("--version").out.strip() == __version__
    assert spawn("validate").code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nonsense",), 'Unknown command "nonsense"; see `earwitness --help`'),
        (("chekc",), 'Unknown command "chekc". Did you mean "check"?; see `earwitness --help`'),
        (("check", "--nonsense"), "Unknown option: --nonsense; see `earwitness check --help`"),
        (("check", "--config"), "--config needs a value; see `earwitness check --help`"),
        (("migrate", "more"), "unexpected argument more; see `earwitness migrate --help`"),
        (("evidence",), "NUMBER is missing; see `earwitness evidence --help`"),
        (("clip", "add", "a.wav"), "--text is missing; see `earwitness clip add --help`"),
        (
            ("evidence", "seven"),
            'Invalid value for NUMBER: unable to convert "seven" into int; see `earwitness evidence --help`',
        ),
        (
            ("sandbox", "--port", "99999"),
            'Invalid value "99999" for --port. Must be <= 65535; see `earwitness sandbox --help`',
        ),
    ],
)
def test_a_wrong_usage_is_our_fault(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """What cannot be understood is said in one line with where to look, and exit code 2."""
    done = run(*arguments)
    assert (done.code, done.out, done.err) == (2, "", f"earwitness: {sentence}\n")


def test_a_file_that_cannot_be_written_is_named(run: Run, home: Path) -> None:
    """What the system refuses is a sentence too, not a traceback."""
    (home / "taken").write_text("")
    done = run("demo", "--folder", "taken")
    assert (done.code, done.err) == (2, "earwitness: taken: File exists\n")


@pytest.mark.parametrize("command", ["check", "validate"])
def test_a_reader_that_goes_away_is_no_fault(
    home: Path, configure: Configure, sandbox: Sandbox, command: str
) -> None:
    """As `| head` does: no complaint, and the exit code is not that of a failed target."""
    configure(sandbox.base)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "monitor", command],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_is_our_fault(home: Path, configure: Configure) -> None:
    """One sentence and exit code 2."""
    configure()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "validate"],
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "earwitness: [Errno 28] No space left on device\n")


def test_a_terminal_of_another_time_is_survived(
    spawn: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cannot show becomes a question mark."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    configure(more='[[watch]]\nendpoint = "azure-sweden"\nmodels = ["гпт"]\npathways = ["rest"]\n')
    done = spawn("validate")
    assert (done.code, done.err) == (0, "")
    assert "??? rest, every 5m" in done.out


def test_a_variable_that_is_empty_names_nothing(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI systems set what they do not know to nothing; ./config.toml is read then."""
    configure()
    monkeypatch.setenv("EARWITNESS_CONFIG", "")
    assert run("validate").code == 0


@pytest.mark.parametrize("command", ["check", "validate", "serve"])
def test_without_a_configuration_the_way_to_one_is_named(run: Run, command: str) -> None:
    """A missing ./config.toml gives one sentence with what to do, and exit code 2."""
    done = run(command)
    assert done.code == 2
    assert done.err == (
        "earwitness: config.toml: there is no such file; see it work without one by `earwitness demo`, "
        "or copy config.example.toml and change it\n"
    )


@pytest.mark.parametrize("command", [("check",), ("validate",), ("migrate",), ("replay",), ("export",)])
def test_a_named_configuration_that_is_missing_is_never_passed_over(
    run: Run, command: tuple[str, ...]
) -> None:
    """Where a file was named, its absence is said by every command, also by those that can do without one."""
    done = run(*command, "--config", "gone.toml")
    assert done.code == 2
    assert done.err.startswith("earwitness: gone.toml: there is no such file")


def test_the_variable_names_the_configuration(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$EARWITNESS_CONFIG is read where no file is named."""
    moved = configure().rename("elsewhere.toml")
    monkeypatch.setenv("EARWITNESS_CONFIG", str(moved))
    assert run("validate").code == 0


def test_all_faults_of_a_configuration_are_told_at_once_with_their_lines(
    run: Run, configure: Configure
) -> None:
    """Each fault stands on a line of its own, with file, line and key."""
    path = configure(more='every = 60\nevvery = "1m"\n')
    lines = path.read_text().splitlines()
    done = run("validate")
    assert done.code == 2
    assert f"config.toml:{lines.index('every = 60') + 1}: " in done.err
    assert f"config.toml:{len(lines)}: watch[0].evvery: unknown key, did you mean 'every'?" in done.err
