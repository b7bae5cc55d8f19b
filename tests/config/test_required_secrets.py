from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.config import Settings, check_secrets, missing_secrets
from monitor.core.errors import ConfigurationError

CANARY = "hunter2"


@pytest.fixture
def settings(azure: str, loaded: Callable[[str], Settings]) -> Settings:
    """An endpoint's key, and a channel's URL and signing secret."""
    return loaded(f'{azure}\n[channel.oncall]\nkind = "webhook"\nurl = "env:URL"\nsecret = "env:SECRET"\n')


def test_all_missing_secrets_are_told_at_once(settings: Settings) -> None:
    """One start names every one of them, with line and key, and never a value."""
    with pytest.raises(ConfigurationError) as caught:
        check_secrets(settings, {"URL": "", "SECRET": CANARY})
    assert [problem.removeprefix(f"{settings.path}:") for problem in caught.value.problems] == [
        "5: endpoint.azure.key: env:AZURE_OPENAI_KEY: the variable AZURE_OPENAI_KEY is not set",
        "9: channel.oncall.url: env:URL: is empty",
        "10: channel.oncall.secret: env:SECRET: a signing secret begins with whsec_",
    ]


def test_nothing_is_told_where_all_are_there(settings: Settings) -> None:
    """A start goes on."""
    environ = {"AZURE_OPENAI_KEY": CANARY, "URL": "http://a/", "SECRET": "whsec_" + "A" * 32}
    assert missing_secrets(settings, environ) == []
    check_secrets(settings, environ)


def test_a_single_check_asks_for_no_channel(settings: Settings) -> None:
    """Only the tables that a command needs are looked up."""
    told = missing_secrets(settings, {}, sections=("endpoint", "network"))
    assert [problem.key for problem in told] == ["endpoint.azure.key"]


def test_a_secret_address_must_be_an_address(loaded: Callable[[str], Settings]) -> None:
    """A proxy, a receiver and a database whose variables hold something else; none is repeated."""
    settings = loaded(
        '[network]\nproxy = "env:P"\n[database]\nurl = "env:D"\n'
        '[channel.a]\nkind = "webhook"\nurl = "env:U"\nsecret = "env:S"\n'
    )
    environ = {"P": CANARY, "D": f"mysql://{CANARY}", "U": f"ftp://{CANARY}", "S": "whsec_" + "A" * 32}
    told = "\n".join(str(one) for one in missing_secrets(settings, environ))
    assert CANARY not in told
    assert told.count("is no URL that begins with") == 3
    right = {**environ, "P": "http://p", "D": "postgresql://d", "U": "https://u"}
    assert missing_secrets(settings, right) == []
    [wrong] = missing_secrets(settings, {**right, "P": "https://p"})
    assert str(wrong).endswith("network.proxy: env:P: is no URL that begins with http://")
