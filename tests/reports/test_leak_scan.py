"""The last look before bytes leave the house: canaries in every place and spelling."""

from __future__ import annotations

import json

import pytest

from monitor.core.errors import MonitorError
from monitor.reports.bundle import render
from monitor.reports.leak_scan import LeakFound, needles, scan_for_leaks
from tests.support.sample_bundle_facts import dossier, failed, with_first
from tests.support.sample_incident import START


@pytest.mark.parametrize("secret", ["canary-key-1234", 'quo"ted\\key', "käse-schlüssel", "a b+c/d=="])
def test_a_known_secret_in_any_member_stops_the_bundle(secret: str) -> None:
    """Plain, escaped in JSON or in a URL: no byte is given, and the message quotes no secret."""
    leaks = [
        with_first(frames=[{"dir": "in", "type": "error", "body": json.dumps({"echo": secret})}]),
        with_first(url=f"https://x.example/?q={secret}"),
        dossier(outcomes=lambda: iter([failed("first", START, message=f"bad key {secret}!")])),
    ]
    for leaking in leaks:
        with pytest.raises(MonitorError, match="holds a secret of this process") as caught:
            render(leaking, ["other-secret", f"{secret}\n"])
        assert secret not in str(caught.value)
    assert render(leaks[0], ["other-secret", "", "ab"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Authorization: Bearer abcdefghijklmnop", "an authorization header"),
        ('{"authorization": "Bearer abcdefghijklmnop"}', "an authorization header"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==", "an authorization header"),
        ("Cookie: session=abcdef0123", "a cookie"),
        ('[["set-cookie","__cf_bm=abcdef0123"]]', "a cookie"),
        ("https://blob.example/x?sv=1&sig=abcdefabcdef%3D", "a signed address"),
    ],
)
def test_a_credential_that_nobody_told_us_of_stops_it_too(text: str, what: str) -> None:
    """The form of a credential is enough, wherever it stands."""
    with pytest.raises(MonitorError, match=f"holds {what}"):
        render(with_first(frames=[{"dir": "in", "type": "error", "body": text}]))


def test_a_vendors_sentence_about_keys_stops_nothing() -> None:
    """The incidents about keys are those in which the word occurs."""
    said = (
        "You didn't provide an API key. You need to provide your API key in an Authorization header using "
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY). Enable cookies?"
    )
    assert render(with_first(frames=[{"dir": "in", "type": "error", "body": said}]), ["canary-key-1234"])


def test_each_of_two_signing_secrets_is_looked_for() -> None:
    """While one replaces the other they are one value; either alone must not leave the house."""
    new, old = "whsec_" + "a" * 32, "whsec_" + "b" * 32
    sought = needles([f"{new} {old}"])
    for one in (new, old):
        with pytest.raises(LeakFound):
            scan_for_leaks("outcomes.jsonl", f'"{one}"'.encode(), sought)
    scan_for_leaks("outcomes.jsonl", b"whsec_", sought)
