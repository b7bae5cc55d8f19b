from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config import ChannelSettings, Settings

Load = Callable[[str], Settings]


def test_everything_outside_endpoints_is_read(loaded: Load) -> None:
    """Each section arrives, lists without repetition, URLs without a slash at the end."""
    settings = loaded(
        """
[monitor]
location = "berlin"
timezone = "Europe/Berlin"
control_hosts = ["example.com:443", "example.org:80", "example.com:443"]
[web]
listen = "[::1]:9000"
public_url = "https://earwitness.example/monitor/"
[network]
proxy = "env:HTTPS_PROXY"
[database]
url = "postgresql+psycopg://me@db.example/earwitness"
[price]
whisper-1 = 0.01
"own/whisper-1" = 0
"""
    )
    assert settings.monitor.control_hosts == ("example.com:443", "example.org:80")
    assert settings.web.public_url == "https://earwitness.example/monitor"
    assert settings.network.proxy == "env:HTTPS_PROXY"
    assert settings.database.url == "postgresql+psycopg://me@db.example/earwitness"
    assert settings.prices == {"whisper-1": 0.01, "own/whisper-1": 0}


def test_an_empty_file_is_a_configuration(loaded: Load) -> None:
    """`import` and `serve` over stored outcomes need no target."""
    assert loaded("").targets == ()


def test_any_address_is_served_behind_a_proxy_that_asks(loaded: Load) -> None:
    """The operator's word for it is one key."""
    settings = loaded('[web]\nlisten = "0.0.0.0:80"\nbehind_proxy = true\n')
    assert settings.web.host == "0.0.0.0"  # noqa: S104


def test_a_ca_file_counts_from_the_configuration_file(loaded: Load, tmp_path: Path) -> None:
    """A relative path is made absolute, and the file is parsed."""
    bundle = ssl.get_default_verify_paths().cafile
    if bundle is None:
        pytest.skip("this machine has no bundle of certificates to copy")
    (tmp_path / "company.pem").write_bytes(Path(bundle).read_bytes())
    assert loaded('[network]\nca_file = "company.pem"\n').network.ca_file == tmp_path / "company.pem"


@pytest.mark.parametrize(
    "url", ["env:ONCALL_URL", "file:/run/secrets/url", "http://127.0.0.1:9099/notices?a=b"]
)
def test_a_channel_is_a_reference_or_a_receiver_on_this_machine(url: str, loaded: Load) -> None:
    """Anything else would keep a receiver's secret address in the file."""
    settings = loaded(f'[channel.oncall]\nkind = "webhook"\nurl = "{url}"\nsecret = "env:S"\n')
    assert settings.channels == {
        "oncall": ChannelSettings(
            name="oncall", kind="webhook", url=url, secret="env:S", when=frozenset({"down", "degraded"})
        )
    }


@pytest.mark.parametrize("url", ["env:DATABASE_URL", "sqlite:////var/lib/e.db", "postgresql://db/e"])
def test_databases_without_passwords_are_taken_as_they_are(url: str, loaded: Load) -> None:
    """The store reads them later."""
    assert loaded(f'[database]\nurl = "{url}"\n').database.url == url
