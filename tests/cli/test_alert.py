"""`alert-test` against receivers on loopback: what is sent, what is printed, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.commands import Configure, Run
from tests.support.webhook_receiver import SECRET, Receiver

CHANNEL = '\n[channel.oncall]\nkind = "webhook"\nurl = "env:TEST_HOOK_URL"\nsecret = "env:TEST_HOOK_SECRET"\n'
KINDS = [
    "test",
    "incident.opened",
    "incident.updated",
    "incident.recovering",
    "incident.resolved",
    "model.retirement",
    "monitor.storage_lost",
    "monitor.storage_restored",
]


@pytest.fixture
def receiver(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver, configured as the channel `oncall`."""
    configure(more=CHANNEL)
    with Receiver() as server:
        monkeypatch.setenv("TEST_HOOK_URL", server.url)
        monkeypatch.setenv("TEST_HOOK_SECRET", SECRET)
        yield server


@pytest.mark.parametrize("kind", KINDS)
def test_a_drill_of_every_kind_is_sent_signed_and_marked(run: Run, receiver: Receiver, kind: str) -> None:
    """The receiver verifies it, and both its title and its text say DRILL."""
    done = run("alert-test", "oncall", "--as", kind)
    assert (done.code, done.err) == (0, "")
    (said,) = receiver.verified()
    assert said["type"] == kind
    assert said["data"]["drill"] is True
    assert "DRILL" in said["data"]["title"]
    assert "DRILL" in said["data"]["text"]


def test_request_and_reply_are_printed_without_the_address(run: Run, receiver: Receiver) -> None:
    """The exchange can be read; the URL and the secret, which may be secrets, cannot."""
    done = run("alert-test", "oncall")
    lines = done.out.splitlines()
    assert lines[0] == "POST (the channel's url)"
    assert lines[-1] == "oncall: accepted: status 200: taken"
    assert "HTTP 200" in lines
    assert json.loads(lines[lines.index("") + 1])["type"] == "test"
    assert "secret-path" not in done.out + done.err
    assert SECRET not in done.out + done.err


def test_a_receiver_that_refuses_is_exit_code_1(run: Run, receiver: Receiver) -> None:
    """What it said stands on stderr."""
    receiver.status = 500
    done = run("alert-test", "oncall")
    assert (done.code, done.err) == (1, "oncall: not accepted: status 500: taken\n")


def test_a_receiver_that_is_away_is_exit_code_1(
    run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer the reason is told."""
    monkeypatch.setenv("TEST_HOOK_URL", "http://127.0.0.1:9/")
    done = run("alert-test", "oncall")
    assert done.code == 1
    assert done.err.startswith("oncall: not accepted: ")
    assert "no answer: " in done.out


def test_an_unknown_channel_names_the_known_ones(run: Run, receiver: Receiver) -> None:
    """Nothing is sent."""
    done = run("alert-test", "onkall")
    assert (done.code, done.err) == (2, "earwitness: unknown channel onkall; the configured ones: oncall\n")
    assert not receiver.posted


def test_an_unknown_kind_names_the_known_ones(run: Run, receiver: Receiver) -> None:
    """Nothing is sent."""
    done = run("alert-test", "oncall", "--as", "opened")
    assert done.code == 2
    listed = ", ".join(sorted(KINDS, key=lambda kind: (kind == "test", KINDS.index(kind))))
    assert done.err == f"earwitness: --as opened: one of {listed} is expected\n"
    assert not receiver.posted


def test_a_missing_secret_names_its_place(
    run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, line, key and variable."""
    monkeypatch.delenv("TEST_HOOK_SECRET")
    done = run("alert-test", "oncall")
    assert done.code == 2
    assert done.err.endswith(
        "channel.oncall.secret: env:TEST_HOOK_SECRET: the variable TEST_HOOK_SECRET is not set\n"
    )
    assert not receiver.posted


@pytest.mark.parametrize("kind", ["slack", "teams", "discord", "pagerduty", "ntfy"])
@pytest.mark.parametrize("told", KINDS)
def test_every_kind_of_channel_gets_its_drill_and_hides_its_secret(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch, kind: str, told: str
) -> None:
    """The service's form says DRILL; key, topic and address are not printed."""
    takes_secret = kind in ("pagerduty", "ntfy")
    table = f'\n[channel.oncall]\nkind = "{kind}"\nurl = "env:TEST_HOOK_URL"\n'
    configure(more=table + ('secret = "env:TEST_HOOK_SECRET"\n' if takes_secret else ""))
    with Receiver() as server:
        monkeypatch.setenv("TEST_HOOK_URL", server.url)
        monkeypatch.setenv("TEST_HOOK_SECRET", "canary-4711")
        done = run("alert-test", "oncall", "--as", told)
        ((headers, body),) = server.posted
    assert (done.code, done.err) == (0, "")
    assert b"DRILL" in body
    assert "canary-4711" in str(headers) + body.decode() or not takes_secret
    assert "canary-4711" not in done.out
    assert "secret-path" not in done.out
