"""What an endpoint adds to every request: headers, a path of its own, names that are folders."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from monitor.core.model import Target, split_target, target_path
from monitor.providers import PROVIDERS
from monitor.providers.openai_compatible import OPENAI_COMPATIBLE
from tests.support.scripted_peer import target

HEADERS = {"x-portkey-provider": "openai", "x-portkey-api-key": "env:PORTKEY"}


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_headers_go_with_uploads_upgrades_and_lists(provider: str) -> None:
    """Every request of the endpoint has them; a reference stays one until it is sent."""
    asked = target("rest", provider, endpoint={"headers": HEADERS})
    sides = PROVIDERS[provider]
    for sent in (
        sides.rest_headers(asked, "c"),
        sides.upgrade_headers(asked, "c"),
        sides.request_headers(asked.endpoint, "c"),
    ):
        assert HEADERS.items() <= dict(sent).items()


def own(**endpoint: object) -> Target:
    return target("rest", "openai_compatible", endpoint=endpoint)


def test_a_path_counts_from_the_host() -> None:
    """whisper.cpp listens on `/inference`; sessions and lists stay where they were."""
    asked = own(url="http://cpp.test:8080/v1", path="/inference")
    assert OPENAI_COMPATIBLE.rest_url(asked) == "http://cpp.test:8080/inference"
    assert OPENAI_COMPATIBLE.models_url(asked.endpoint) == "http://cpp.test:8080/v1/models"
    assert OPENAI_COMPATIBLE.rest_url(own(url="http://cpp.test:8080/v1")).endswith("/v1/audio/transcriptions")


def test_the_configuration_knows_headers_and_path_and_no_secret() -> None:
    """What reaches the wire changes the hash; the reference of a secret, the route and case do not."""
    plain = own().configuration
    team = own(headers={"x-team": "a"}).configuration
    assert len({plain, team, own(headers={"x-team": "b"}).configuration, own(path="/x").configuration}) == 4
    assert own(headers={"X-Team": "a"}).configuration == team
    assert own(proxy="none").configuration == plain
    secret = own(headers={"x-key": "env:A"}).configuration
    assert secret != plain
    assert own(headers={"x-key": "file:/b"}).configuration == secret


@pytest.mark.parametrize(
    "model", ["/models/whisper", "//srv/a", "Systran/whisper", "a//b", "whisper-1", "/a b%2F"]
)
def test_the_key_of_a_folder_can_be_taken_apart(model: str) -> None:
    """Key, parts and page: there and back, and no page's path has two slashes in a row."""
    asked = target("rest", "openai_compatible", model=model)
    assert split_target(asked.key) == ("here", model, "rest")
    path = target_path(asked.key)
    assert "//" not in path
    assert unquote(path) == f"/targets/{asked.key}"
