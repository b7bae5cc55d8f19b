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
