"""`check` against the practice provider: what they say, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.core.model import Kind, Verdict
from monitor.core.outcome_json import outcome_from_line
from tests.support.commands import CONFIG, DEAD, KEY_VARIABLE, Configure, Run, Sandbox

TARGETS = [
    "azure-sweden/gpt-4o-transcribe/realtime",
    "azure-sweden/gpt-4o-transcribe/rest",
    "azure-sweden/whisper-1/realtime",
    "azure-sweden/whisper-1/rest",
]
BROKEN = {"model": "gpt-4o-transcribe", "pathway": "realtime", "fault": "failed"}


def test_what_works_passes_with_exit_code_0(run: Run, configure: Configure, sandbox: Sandbox) -> None:
    """Every target has a line, and there is nothing on stderr."""
    configure(sandbox.base)
    done = run("check")
    assert (done.code, done.err) == (0, "")
    lines = [line.split()[:2] for line in done.out.splitlines()]
    assert lines == [["passed", target] for target in TARGETS]


def test_one_outcome_line_each_for_machines(run: Run, configure: Configure, sandbox: Sandbox) -> None:
    """With --json every line is an outcome of kind manual, as `import` reads it."""
    configure(sandbox.base)
    done = run("check", "--json", TARGETS[1])
    (outcome, evidence) = outcome_from_line(json.loads(done.out))
    assert (outcome.target, outcome.kind, outcome.verdict) == (TARGETS[1], Kind.MANUAL, Verdict.PASSED)
    assert (outcome.location, evidence) == ("berlin", None)


def test_a_check_stores_nothing_and_needs_no_database(
    run: Run, configure: Configure, sandbox: Sandbox, home: Path
) -> None:
    """No file is made."""
    configure(sandbox.base)
    run("check", TARGETS[1])
    assert [path.name for path in home.iterdir()] == ["config.toml"]


def test_a_failed_target_is_exit_code_1_and_read_aloud(
    run: Run, configure: Configure, sandbox: Sandbox
) -> None:
    """The reference outage is named with stage, type and message, and the neighbour that works is a hint."""
    configure(sandbox.base)
    sandbox.break_down(**BROKEN)
    done = run("check")
    assert done.code == 1
    failed, passed = done.out.splitlines()[:2]
    assert failed.startswith(f"failed        {TARGETS[0]}  server at transcribe after ")
    assert "blame provider: type server_error, Input transcription failed for item 'item_" in failed
    assert passed.startswith(f"passed        {TARGETS[1]}  ")
    assert f"{TARGETS[0]}: gpt-4o-transcribe works on rest: its deployment exists." in done.err


def test_an_unknown_target_is_exit_code_2_with_the_known_ones(
    run: Run, configure: Configure, sandbox: Sandbox
) -> None:
    """Nothing is sent; the sentence names what could be meant."""
    configure(sandbox.base)
    done = run("check", "azure-sweden/gpt-4o/rest")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "earwitness: unknown target azure-sweden/gpt-4o/rest; the configured ones: "
        + ", ".join(TARGETS)
        + "\n"
    )


def test_a_missing_secret_is_exit_code_2_with_its_place(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, line, key and variable are named."""
    path = configure()
    monkeypatch.delenv(KEY_VARIABLE)
    line = path.read_text().splitlines().index(f'key = "env:{KEY_VARIABLE}"') + 1
    done = run("check")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"earwitness: config.toml:{line}: endpoint.azure-sweden.key: env:{KEY_VARIABLE}: "
        f"the variable {KEY_VARIABLE} is not set\n"
    )


def test_a_dead_address_fails_and_says_where_to_look(run: Run, configure: Configure) -> None:
    """Each target fails at once; the hint names the address and the table it stands in."""
    configure(DEAD)
    done = run("check", TARGETS[0], TARGETS[1])
    assert done.code == 1
    assert all("connect at connect" in line for line in done.out.splitlines())
    assert done.err.splitlines()[0] == (
        f"{TARGETS[0]}: nothing answers at {DEAD}/azure-sweden: check url in [endpoint.azure-sweden]."
    )


def test_an_unknown_deployment_fails_and_says_where_to_look(
    run: Run, configure: Configure, sandbox: Sandbox
) -> None:
    """The provider's own code is quoted, and the hint names the deployment and its table."""
    more = '\n[endpoint.azure-sweden.deployment.whisper-1]\nname = "stt-gone"\n'
    configure(sandbox.base, more)
    done = run("check", "azure-sweden/whisper-1/rest")
    assert done.code == 1
    assert "config at transcribe" in done.out
    assert "HTTP 404, code DeploymentNotFound" in done.out
    assert done.err == (
        "azure-sweden/whisper-1/rest: there is no 'stt-gone' at this address: check the name in "
        "[endpoint.azure-sweden.deployment.whisper-1].\n"
    )


def test_a_clip_that_cannot_be_read_is_our_fault(
    run: Run, configure: Configure, sandbox: Sandbox, home: Path
) -> None:
    """A file that is no WAV is exit code 2 with the file and how to make one."""
    (home / "mine.wav").write_bytes(b"no sound at all")
    (home / "mine.txt").write_text("no sound at all")
    configure(sandbox.base, f'clip = "{home}/mine.wav"\n')
    done = run("check", TARGETS[1])
    assert done.code == 2
    assert f"clip {home}/mine.wav: no PCM WAV file" in done.out + done.err
    assert "convert it with: sox IN.wav -r 24000 -c 1 -b 16 OUT.wav" in done.out + done.err


def test_nothing_to_check_is_our_fault(run: Run, configure: Configure) -> None:
    """A configuration that watches nothing is said."""
    configure(text="[monitor]\n")
    done = run("check")
    assert (done.code, done.err) == (2, "config.toml: nothing to check: there is no [[watch]]\n")


def test_a_model_that_is_a_folder_is_checked(run: Run, configure: Configure, sandbox: Sandbox) -> None:
    """By its key, which names it in full, and what is wrong names a key that TOML takes."""
    text = CONFIG.replace('"gpt-4o-transcribe", "whisper-1"', '"/models/whisper"')
    configure(sandbox.base, text=text)
    done = run("check", "azure-sweden//models/whisper/rest")
    assert done.code == 1
    assert 'check the name in [endpoint.azure-sweden.deployment."/models/whisper"].' in done.out + done.err
