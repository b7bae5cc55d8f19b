"""The command line as a whole: help, versions, exit codes, and one sentence for what is our fault."""

from __future__ import annotations

import pytest

from monitor import __version__
from monitor.cli import COMMANDS
from tests.cli.conftest import Configure, Run

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


def test_without_a_command_the_help_is_printed(run: Run) -> None:
    """Nothing asked is help, with every command and the exit codes."""
    done = run()
    assert done.code == 0
    assert all(command in done.out for command in DESIGNED)
    assert "Exit codes: 0 fine, 1 a target failed or a difference was found, 2 our own" in done.out


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
        (("nonsense",), 'Unknown command "nonsense"'),
        (("check", "--nonsense"), "Unknown option: --nonsense"),
        (("evidence", "seven"), 'unable to convert "seven" into int'),
        (("evidence",), "requires an argument"),
    ],
)
def test_a_wrong_usage_is_our_fault(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """What cannot be understood is said, with exit code 2."""
    done = run(*arguments)
    assert done.code == 2
    assert sentence in done.out + done.err


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
