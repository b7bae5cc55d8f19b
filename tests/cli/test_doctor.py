"""``earwitness doctor`` against the practice provider: what it asks, what it tells, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commands import CONFIG, KEY, KEY_VARIABLE, Configure, Run, Sandbox


def test_a_sound_house_ends_with_0(run: Run, configure: Configure, sandbox: Sandbox) -> None:
    """Every part is named; each deployment is asked once, the host of sessions too; nothing is stored."""
    configure(sandbox.base)
    assert run("migrate").code == 0
    done = run("doctor")
    assert (done.code, done.err) == (0, "")
    for words in (
        "ok    configuration: config.toml is understood: endpoints: 1, targets: 4",
        "ok    secrets: all 1 references give a secret",
        "is reachable and writable, its schema is ours",
        "DNS, TCP: fine",
        "ok    authentication: accepted",
        "ok    gpt-4o-transcribe by rest: hears the words of the clip",
        "ok    whisper-1 by rest: hears the words of the clip",
        "by realtime: hears the words of the clip",
        "ok    clock: ours and the server's agree",
        "note  control hosts: there is none",
    ):
        assert words in done.out, done.out
    assert KEY not in done.out
    assert run("export").out == ""


def test_what_ends_is_told_by_the_endpoints_own_list(
    run: Run, configure: Configure, sandbox: Sandbox
) -> None:
    """Where the endpoint offers one; the list itself is a finding, and so is its absence."""
    text = CONFIG.replace("azure-sweden", "openai-us").replace("azure_openai", "openai")
    configure(sandbox.base, text=text.replace('"{base}/openai-us"', '"{base}/openai-us/v1"'))
    done = run("doctor")
    assert "ok    list of models: read; models with a last day: " in done.out
    assert "whisper-1 ends on 2027-02-26 (" in done.out
    assert "by the endpoint's own list (openai-us)" in done.out


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("whisper-1", "ok    models: the server lists what is asked of it: whisper-1"),
        ("whisper-l", "note  models: 'whisper-l' is not in the server's list; did you mean 'whisper-1'?"),
        ("/models/whisper", "note  models: '/models/whisper' is not in the server's list; known are "),
    ],
)
def test_the_watched_model_is_compared_with_the_servers_list(
    run: Run, configure: Configure, sandbox: Sandbox, asked: str, told: str
) -> None:
    """A name that the server does not list is told with the one that was probably meant."""
    text = CONFIG.replace("azure-sweden", "openai-us").replace("azure_openai", "openai_compatible")
    text = text.replace('"{base}/openai-us"', '"{base}/openai-us/v1"')
    text = text.replace('"gpt-4o-transcribe", "whisper-1"', f'"{asked}"').replace(
        '"realtime", "rest"', '"rest"'
    )
    configure(sandbox.base, text=text.replace('session_model = "gpt-realtime"', ""))
    assert told in run("doctor").out


def test_a_target_that_fails_ends_with_1_and_its_remedy(
    run: Run, configure: Configure, sandbox: Sandbox
) -> None:
    """The others are still asked."""
    configure(sandbox.base)
    sandbox.break_down(endpoint="azure-sweden", model="whisper-1", pathway="rest", fault="500")
    done = run("doctor", "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert (told["schema"], told["exit_code"]) == ("earwitness.doctor/1", 1)
    (problem,) = [one for one in told["remarks"] if one["level"] == "problem"]
    assert problem["subject"] == "whisper-1 by rest"
    assert problem["said"].startswith("server at ")
    assert problem["remedy"]


def test_a_wrong_key_is_told_as_authentication(
    run: Run, configure: Configure, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, not for every deployment; the key itself is never shown."""
    configure(sandbox.base)
    monkeypatch.setenv(KEY_VARIABLE, "canary-of-a-wrong-key")
    done = run("doctor")
    assert done.code == 1
    assert done.out.count("FAIL  authentication: auth at ") >= 1
    assert "canary" not in done.out + done.err


def test_a_host_that_cannot_be_reached_is_asked_nothing_further(run: Run, configure: Configure) -> None:
    """The connection's problem is told once, with its stage."""
    configure()
    done = run("doctor")
    assert done.code == 1
    assert "FAIL  127.0.0.1:9: TCP fails" in done.out
    assert "authentication" not in done.out


def test_our_own_faults_end_with_2(
    run: Run, configure: Configure, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing secret and an unreachable control host, each with its remedy; targets without a key rest."""
    path = configure(sandbox.base)
    path.write_text(path.read_text().replace("[monitor]\n", '[monitor]\ncontrol_hosts = ["127.0.0.1:9"]\n'))
    monkeypatch.delenv(KEY_VARIABLE)
    done = run("doctor")
    assert done.code == 2
    assert "FAULT secrets: config.toml:" in done.out
    assert "FAULT control hosts: 127.0.0.1:9: connect:" in done.out
    assert "by rest" not in done.out


def test_a_configuration_that_cannot_be_read_is_the_finding(
    run: Run, configure: Configure, home: Path
) -> None:
    """In text and as JSON."""
    configure(more="\n[endpoint.azure-sweden.deployment.x]\nkye = 1\n")
    assert "FAULT configuration: config.toml:" in run("doctor").out
    done = run("doctor", "--json")
    assert (done.code, json.loads(done.out)["exit_code"]) == (2, 2)
    (home / "config.toml").unlink()
    assert run("doctor").code == 2


def test_a_damaged_database_is_our_fault(run: Run, configure: Configure, home: Path) -> None:
    """With the sentence that the store has for it."""
    configure()
    (home / "data").mkdir()
    (home / "data" / "earwitness.db").write_bytes(b"no database at all" * 1000)
    done = run("doctor")
    assert done.code == 2
    assert "FAULT database:" in done.out
