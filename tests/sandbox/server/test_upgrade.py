"""Upgrade requests: who gets a session, and how each vendor says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from monitor.sandbox.common.refusals import CloseAfterError, Refusal
from monitor.sandbox.common.script import Script
from monitor.sandbox.server.upgrade import Admission, NeverAnswer, enter, read_upgrade_request
from tests.support.sandbox_sessions import KEY, QUICK, broken, fault, sandbox

GA = "/azure-sweden/openai/v1/realtime"
PREVIEW = "/azure-sweden/openai/realtime?api-version=2025-04-01-preview"
OPENAI = "/openai-us/v1/realtime"


def knock(
    target: str, script: Script = QUICK, key: str | None = KEY, headers: Mapping[str, str] | None = None
) -> Any:
    """What becomes of an upgrade request with the right key in the vendor's header."""
    shown = {"api-key": key, "authorization": f"Bearer {key}"} if key else {}
    name = "api-key" if target.startswith("/azure") else "authorization"
    given = {**({name: shown[name]} if shown else {}), **(headers or {})}
    visit = read_upgrade_request(script, target, given)
    return visit if isinstance(visit, Refusal) else enter(sandbox(script), visit)


@pytest.mark.parametrize(
    ("target", "admission"),
    [
        (OPENAI + "?intent=transcription", Admission("ga", "transcription", None)),
        (OPENAI + "?model=gpt-realtime", Admission("ga", "realtime", "gpt-realtime")),
        (GA + "?intent=transcription", Admission("ga", "transcription", None)),
        (GA + "?model=gpt-realtime", Admission("ga", "realtime", "gpt-realtime")),
        (PREVIEW + "&deployment=gpt-realtime", Admission("preview", "realtime", "gpt-realtime")),
        (
            PREVIEW + "&deployment=gpt-realtime&intent=transcription",
            Admission("preview", "transcription", "gpt-realtime"),
        ),
        (
            PREVIEW + "&deployment=whisper-1&intent=transcription",
            Admission("preview", "transcription", "whisper-1"),
        ),
    ],
)
def test_right_addresses_get_a_session(target: str, admission: Admission) -> None:
    """Dialect, kind of session and host follow from the address."""
    assert knock(target) == admission


def test_azure_takes_the_key_in_three_places() -> None:
    """Header, bearer token (as Microsoft's v1 samples send it), query."""
    address = GA + "?intent=transcription"
    for target, headers in (
        (address, {"api-key": KEY}),
        (address, {"authorization": f"Bearer {KEY}"}),
        (f"{address}&api-key={KEY}", {}),
    ):
        assert isinstance(knock(target, key=None, headers=headers), Admission)


@pytest.mark.parametrize(
    ("target", "key", "status", "code"),
    [
        (GA + "?intent=transcription", "wrong", 401, "401"),
        (GA + "?intent=transcription", None, 401, "401"),
        (GA + "?intent=transcription&api-version=2025-04-01-preview", KEY, 401, "401"),
        (GA + "?model=gpt-realtime&api-version=2024-10-21", KEY, 401, "401"),
        (GA + "?intent=transcription&model=gpt-4o-transcribe", KEY, 400, "BadRequest"),
        (GA, KEY, 400, "BadRequest"),
        (GA + "?model=gpt-4o-transcribe", KEY, 400, "OpperationNotSupported"),
        (GA + "?model=nope", KEY, 404, "DeploymentNotFound"),
        (PREVIEW, KEY, 400, "BadRequest"),
        (PREVIEW + "&deployment=gpt-4o-transcribe", KEY, 400, "OpperationNotSupported"),
        (
            PREVIEW + "&deployment=gpt-live-transcribe&intent=transcription",
            KEY,
            400,
            "OpperationNotSupported",
        ),
        (PREVIEW + "&deployment=nope", KEY, 404, "DeploymentNotFound"),
        ("/azure-sweden/openai/realtime?deployment=gpt-realtime", KEY, 404, "404"),
    ],
)
def test_azure_refuses_the_upgrade(target: str, key: str | None, status: int, code: str) -> None:
    """An HTTP status and Azure's body, its spelling included."""
    refusal = knock(target, key=key)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, orjson.loads(refusal.body)["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("target", "key", "headers", "code", "close"),
    [
        (OPENAI + "?intent=transcription", "wrong", {}, "invalid_api_key", 3000),
        (OPENAI + "?intent=transcription", None, {}, "invalid_api_key", 3000),
        (OPENAI, KEY, {}, "missing_model", 4000),
        (OPENAI + "?intent=transcription&model=whisper-1", KEY, {}, "invalid_model", 4000),
        (OPENAI + "?model=gpt-4o-transcribe", KEY, {}, "invalid_model", 4000),
        (OPENAI + "?model=nope", KEY, {}, "model_not_found", 4004),
        (
            OPENAI + "?model=gpt-realtime",
            KEY,
            {"openai-beta": "realtime=v1"},
            "beta_api_shape_disabled",
            4000,
        ),
    ],
)
def test_openai_accepts_and_says_goodbye(
    target: str, key: str | None, headers: dict[str, str], code: str, close: int
) -> None:
    """One error event, and a close frame whose reason is type and code."""
    farewell = knock(target, key=key, headers=headers)
    assert isinstance(farewell, CloseAfterError)
    assert (farewell.complaint.code, farewell.close) == (code, close)
    assert farewell.reason == f"invalid_request_error.{code}"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/openai-us/v1/realtime/transcription_sessions", 403),
        ("/nowhere/v1/realtime?model=gpt-realtime", 404),
    ],
)
def test_addresses_that_do_not_exist_are_refused_by_status(target: str, status: int) -> None:
    """At OpenAI too."""
    assert knock(target).status == status


def test_a_refusal_takes_the_way_of_the_endpoint() -> None:
    """Azure: a status; OpenAI: an error and a close frame; either way can be had on both."""
    refused = broken(fault("refused"))
    assert knock(GA + "?intent=transcription", refused).status == 400
    assert knock(OPENAI + "?intent=transcription", refused).close == 3000
    crossed = broken(
        fault("refused_azure", endpoint="openai-us", status=403),
        fault("refused_openai", endpoint="azure-sweden"),
    )
    assert knock(GA + "?intent=transcription", crossed).close == 3000
    assert knock(OPENAI + "?intent=transcription", crossed).status == 403


@pytest.mark.parametrize(
    ("extras", "close", "reason"),
    [
        ({"code": "model_not_found"}, 4004, "invalid_request_error.model_not_found"),
        ({"code": "credit_balance_exhausted"}, 1013, "insufficient_quota.credit_balance_exhausted"),
        ({"code": "missing_model"}, 4000, "invalid_request_error.missing_model"),
        ({"code": "x", "type": "server_error"}, 4000, "server_error.x"),
    ],
)
def test_a_code_brings_its_own_close(extras: dict[str, str], close: int, reason: str) -> None:
    """The close codes of the protocol."""
    farewell = knock(OPENAI + "?intent=transcription", broken(fault("refused", **extras)))
    assert (farewell.close, farewell.reason) == (close, reason)


@pytest.mark.parametrize(
    ("name", "azure", "openai"),
    [
        ("401", 401, 3000),
        ("404", 404, 4004),
        ("429", 429, 429),
        ("429_quota", 429, 1013),
        ("500", 500, 500),
        ("502", 502, 502),
        ("503", 503, 503),
    ],
)
def test_status_faults_strike_at_the_upgrade(name: str, azure: int, openai: int) -> None:
    """By status at Azure; at OpenAI by close frame, or by status at its edge."""
    script = broken(fault(name, pathway="realtime_transcription"))
    assert knock(GA + "?intent=transcription", script).status == azure
    found = knock(OPENAI + "?intent=transcription", script)
    assert (found.close if isinstance(found, CloseAfterError) else found.status) == openai
    assert isinstance(knock(GA + "?model=gpt-realtime", script), Admission)


def test_silence_can_begin_at_the_door() -> None:
    """The upgrade unanswered, or answered and then nothing."""
    assert isinstance(knock(GA + "?intent=transcription", broken(fault("no_upgrade"))), NeverAnswer)
    assert knock(GA + "?intent=transcription", broken(fault("no_created"))).begins is False


@pytest.mark.parametrize(
    "target", ["//[", "http://[x/openai-us", "*", "", "?", "#", "/%ff%fe", "/openai-us?=&%"]
)
def test_a_target_of_any_form_is_answered(target: str) -> None:
    """What is no address is a 404, never an exception."""
    assert knock(target).status == 404
