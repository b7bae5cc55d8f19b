"""What all providers owe, whichever vendor they are."""

from __future__ import annotations

import pytest

from monitor.core.classification.failure_rules import RULES, Condition
from monitor.core.model import Deployment, Endpoint, Target
from monitor.providers import PROVIDERS
from monitor.providers.provider import deployment_name, form, host_name
from tests.support.scripted_peer import BASES, target

ANY = pytest.mark.parametrize("name", sorted(PROVIDERS))


@ANY
def test_a_provider_stands_under_its_own_name(name: str) -> None:
    """The register and the value agree."""
    assert PROVIDERS[name].name == name


@ANY
def test_what_was_understood_is_understood_again(name: str) -> None:
    """The normalised base is its own normal form."""
    understand = PROVIDERS[name].understand_url
    base = understand(BASES[name])
    assert understand(base) == base


@ANY
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_sessions_go_over_the_scheme_of_the_base(name: str, scheme: str) -> None:
    """A plain base gives a plain WebSocket, a secure one a secure one."""
    base = PROVIDERS[name].understand_url(f"{scheme}://stt.test:8900/prefix")
    asked = target("realtime", name, endpoint={"url": base})
    assert (
        PROVIDERS[name]
        .realtime_url(asked)
        .startswith(f"{'wss' if scheme == 'https' else 'ws'}://stt.test:8900/")
    )
    assert PROVIDERS[name].rest_url(asked).startswith(f"{scheme}://stt.test:8900/prefix/")


@ANY
def test_the_correlation_id_goes_with_every_request(name: str) -> None:
    """REST and handshake carry it under the vendor's own header."""
    provider = PROVIDERS[name]
    for headers in (provider.rest_headers(target(), "ours-1"), provider.upgrade_headers(target(), "ours-1")):
        assert (provider.correlation_header, "ours-1") in headers


@ANY
def test_no_secret_is_in_headers_or_addresses(name: str) -> None:
    """A key is only ever a reference, handed to the transport apart from everything else."""
    provider, asked = PROVIDERS[name], target("realtime", name)
    credential = provider.credential(asked.endpoint)
    assert credential is not None
    assert credential.reference == "env:KEY"
    headers = (*provider.rest_headers(asked, "ours-1"), *provider.upgrade_headers(asked, "ours-1"))
    assert "KEY" not in f"{headers}{provider.rest_url(asked)}{provider.realtime_url(asked)}"


@ANY
@pytest.mark.parametrize("endpoint", [{"auth": "none"}, {"key": None}])
def test_no_key_no_credential(name: str, endpoint: dict[str, str | None]) -> None:
    """An endpoint without a key is asked without one."""
    assert PROVIDERS[name].credential(target("rest", name, endpoint=endpoint).endpoint) is None


@ANY
def test_own_codes_add_to_the_common_table(name: str) -> None:
    """A vendor's codes are lower case and repeat nothing that the rules know already by itself."""
    common = {
        code
        for rule in RULES
        for when in rule.any_of
        for code in when.code
        if when == Condition(code=when.code)
    }
    own = set(PROVIDERS[name].codes)
    assert own.isdisjoint(common)
    assert all(code == code.lower() for code in own)


@ANY
def test_ids_are_found_however_a_header_is_written(name: str) -> None:
    """The first of repeated headers counts."""
    provider = PROVIDERS[name]
    for key, header in provider.support_ids.items():
        headers = ((header.upper(), "first"), (header, "second"))
        assert provider.ids_in(headers) == {key: "first"}
    assert provider.ids_in(()) == {}


def test_models_go_by_their_deployed_names() -> None:
    """A pathway may have a name of its own, and the host model is a deployment like any other."""
    whisper = Deployment(model="whisper-1", name="whisper-1", names={"rest": "whisper"})
    deployments = {"whisper-1": whisper, "gpt-realtime": Deployment(model="gpt-realtime", name="rt-host")}
    for pathway, name in (("rest", "whisper"), ("realtime", "whisper-1")):
        assert deployment_name(target(pathway, model="whisper-1", deployments=deployments)) == name
    assert host_name(target(deployments=deployments)) == "rt-host"
    endpoint = Endpoint(name="here", provider="openai", url=BASES["openai"])
    assert host_name(Target(endpoint=endpoint, model="m", pathway="realtime")) == "gpt-realtime"


def test_the_form_names_model_language_and_format() -> None:
    """`languages[]` for the models of many languages; no language where none is configured."""
    assert form(target("rest")) == (
        ("model", "gpt-4o-transcribe"),
        ("language", "en"),
        ("response_format", "json"),
    )
    assert ("languages[]", "en") in form(target("rest", model="gpt-transcribe"))
    assert form(target("rest", language=None), send_model=False) == (("response_format", "json"),)
