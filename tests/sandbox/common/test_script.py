"""Scripts: what can be served, and what is wrong with a file that cannot be used."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from monitor.core.errors import ConfigurationError
from monitor.sandbox import default_script, load_script
from monitor.sandbox.faults.active import FaultError
from tests.support.sandbox_sessions import broken, fault, sandbox

WHOLE = """
ping = 5
session = 60
[latency]
transcription = 0
[endpoint.azure-west]
kind = "azure"
region = "westeurope"
key = "k"
models = ["whisper-1"]
deployments = { stt-prod = "gpt-4o-transcribe" }
hosts = ["rt-host"]
[endpoint.openai-eu]
kind = "openai"
[[fault]]
endpoint = "azure-west"
model = "stt-prod"
pathway = "realtime"
fault = "failed"
from = 08:30:00
until = "15:30"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sandbox.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_script_two_endpoints_are_served() -> None:
    """One of each vendor's ways, with the models and the host of the contract, and the known key."""
    endpoints = default_script().endpoints
    assert {name: endpoint.kind for name, endpoint in endpoints.items()} == {
        "azure-sweden": "azure",
        "openai-us": "openai",
    }
    for endpoint in endpoints.values():
        assert endpoint.key == "sandbox-key"
        assert endpoint.hosts == ("gpt-realtime",)
        assert list(endpoint.deployments) == [
            "gpt-4o-transcribe",
            "gpt-4o-mini-transcribe",
            "whisper-1",
            "gpt-transcribe",
            "gpt-live-transcribe",
        ]


def test_a_whole_script_is_read(tmp_path: Path) -> None:
    """Endpoints, deployments, latencies and faults arrive as written; TOML's own times are understood."""
    script = load_script(write(tmp_path, WHOLE))
    azure = script.endpoints["azure-west"]
    assert azure.deployments == {"whisper-1": "whisper-1", "stt-prod": "gpt-4o-transcribe"}
    assert (azure.hosts, azure.key, azure.region) == (("rt-host",), "k", "westeurope")
    assert (script.ping, script.session, script.latency.transcription) == (5, 60, 0)
    (fault,) = script.faults
    assert (fault.start, fault.until, fault.model) == (time(8, 30), time(15, 30), "stt-prod")
    assert sandbox(script).faults.listed()[0].fault == "failed"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("endpiont = 1", "endpiont: unknown key, did you mean 'endpoint'?"),
        (
            "[endpoint.x]\nkind = 'aws'",
            "endpoint.x.kind: expected 'azure', 'openai', 'speech' or 'compatible'",
        ),
        (
            "[endpoint.x]\nkind = 'azure'\nregoin = 'y'",
            "endpoint.x.regoin: unknown key, did you mean 'region'?",
        ),
        ("[endpoint.x]\nkind = 'azure'\nmodels = 'y'", "endpoint.x.models: expected a list of texts"),
        ("endpoint = 4", "endpoint: expected a table"),
        ("[latency]\ntranscription = '3s'", "latency.transcription: expected seconds as a number"),
        ("ping = -1", "ping: expected seconds as a number, 0 or more"),
        ("fault = 4", "fault: expected [[fault]] tables"),
        ("[[fault]]\nfault = 'failed'\n[[fault]]\nfault = 'fial'", "fault 2: fault: 'fial' is unknown"),
        ("[[fault]]\nfault = 'failed'\nfrom = 2025-11-17T08:30:00", "fault 1: from:"),
        (
            "[[fault]]\nfault = 'failed'\n[[fault]]\nfault = 'failed'\nendpoint = 'x'",
            "fault 2: endpoint: 'x' is",
        ),
        ("[[fault]]\nfault = 'failed'\npathway = 'rest'", "fault 1: 'failed' is a fault of realtime"),
        ("[endpoint.'a/b']\nkind = 'azure'", "endpoint.a/b: a name is part of addresses"),
        ("[endpoint._control]\nkind = 'azure'", "endpoint._control: a name is part of addresses"),
        ("[endpoint.x]\nkind = 'azure'\nmodels = ['']", "endpoint.x.models: expected a list of texts"),
        ("[endpoint.x]\nkind = 'compatible'\ndialect = 'vlm'", "endpoint.x.dialect: expected one of 'ga', "),
        ("[endpoint.x]\nkind = 'azure'\ndialect = 'ga'", 'endpoint.x.dialect: is for kind = "compatible"'),
        ("ping = inf", "ping: expected seconds as a number, 0 or more"),
        ("session = nan", "session: expected seconds as a number, 0 or more"),
        ("not toml", "sandbox.toml: "),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    """Each problem names the file and the key."""
    with pytest.raises(ConfigurationError) as refused:
        load_script(write(tmp_path, text))
    assert sentence in str(refused.value)
    assert "sandbox.toml" in str(refused.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Nobody mends a file one message at a time."""
    with pytest.raises(ConfigurationError) as refused:
        load_script(write(tmp_path, "ping = -1\nsesion = 2\n[[fault]]\nfault = 'x'"))
    assert len(refused.value.problems) == 3


def test_a_missing_script_says_so(tmp_path: Path) -> None:
    """The sentence has the path and the remedy."""
    with pytest.raises(ConfigurationError, match="give the path of a readable script"):
        load_script(tmp_path / "absent.toml")


def test_a_script_with_a_fault_that_never_strikes_does_not_start(tmp_path: Path) -> None:
    """A sandbox that would silently not break is refused."""
    with pytest.raises(ConfigurationError, match=r"sandbox\.toml: fault 1: endpoint: 'elsewhere' is unknown"):
        load_script(write(tmp_path, "[[fault]]\nendpoint = 'elsewhere'\nfault = 'failed'"))
    with pytest.raises(FaultError, match="'elsewhere' is unknown"):
        sandbox(broken(fault("failed", endpoint="elsewhere")))
