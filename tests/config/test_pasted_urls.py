from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.config import Settings

HOST = "https://contoso.openai.azure.com"
REST = f"{HOST}/openai/deployments/{{}}/audio/transcriptions"
LEFT_OUT = "endpoint.a.url: the {} '{}' in the address is left out"
Loaded = Callable[[str], Settings]


def notes(loaded: Loaded, url: str, more: str = "") -> list[str]:
    """What is said of the address."""
    return list(
        loaded(f'[endpoint.a]\nprovider = "azure_openai"\nkey = "env:K"\nurl = "{url}"\n{more}').notes
    )


def watch(model: str, pathway: str = "rest", host: str = "rt-host") -> str:
    """One target of the endpoint."""
    head = f'[[watch]]\nendpoint = "a"\nmodels = ["{model}"]\n'
    return f'{head}pathways = ["{pathway}"]\nsession_model = "{host}"\n'


def test_a_pasted_deployment_is_told_where_it_belongs(loaded: Loaded) -> None:
    """The portal's Target URI is understood, and nothing of it is dropped without a word."""
    pasted = f"{REST.format('stt%20prod')}?api-version=2025-03-01-preview"
    assert notes(loaded, pasted) == [
        (
            f"{LEFT_OUT.format('deployment', 'stt prod')}; name it with its model: "
            '[endpoint.a.deployment.MODEL] name = "stt prod"'
        ),
        (
            f"{LEFT_OUT.format('api-version', '2025-03-01-preview')}; the v1 route needs none, the dated "
            'one is api = "dated", api_version = "2025-03-01-preview"'
        ),
    ]


@pytest.mark.parametrize(
    "more",
    ['[endpoint.a.deployment.gpt-4o-transcribe]\nname = "stt"\n', watch("stt")],
    ids=["named", "watched"],
)
def test_a_pasted_deployment_that_is_asked_for_needs_no_word(loaded: Loaded, more: str) -> None:
    """Once a target asks for it the address may stay as the portal shows it."""
    assert notes(loaded, REST.format("stt"), more) == []


@pytest.mark.parametrize("name", ["deployment", "model"])
def test_the_host_in_a_session_s_address_is_told_where_it_belongs(loaded: Loaded, name: str) -> None:
    """Its place is the watch; where it stands there already nothing is said."""
    path = "/openai/realtime" if name == "deployment" else "/openai/v1/realtime"
    pasted = f"wss://contoso.openai.azure.com{path}?{name}=rt-host"
    assert notes(loaded, pasted) == [
        (
            f"{LEFT_OUT.format('deployment', 'rt-host')}; where it hosts sessions, "
            'say session_model = "rt-host" in the [[watch]]'
        )
    ]
    assert notes(loaded, pasted, watch("gpt-4o-transcribe", "realtime")) == []


def test_the_version_of_a_session_s_address_is_that_of_the_preview(loaded: Loaded) -> None:
    """The dated route of sessions is called by its dialect, not by the route of uploads."""
    [note] = notes(loaded, f"{HOST}/openai/realtime?api-version=2024-10-01-preview")
    assert note.endswith('the dated one is dialect = "preview", api_version = "2024-10-01-preview"')
