"""Tokens of Entra ID with a credential of our own making: cached, renewed in time, secret, well explained."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from monitor.core.conversation import Credential, Responded, Upload
from monitor.core.errors import SecretError, TokenRefused
from monitor.transport import Tokens, Transport
from monitor.transport.entra_tokens import PREFIX, RENEW_BEFORE_S, advice, principal_of
from tests.support.fakes import Line, ScriptedServer
from tests.support.transport_conversations import ask_all

SCOPE = "https://ai.azure.com/.default"
REFERENCE = f"{PREFIX}{SCOPE}"
REFUSAL = "AADSTS7000222: The provided client secret keys for app '4be1' are expired."


def jwt(**claims: object) -> str:
    """A token with these claims."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.canary-of-a-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the fake credential gives."""

    token: str
    expires_on: int


@dataclass(slots=True)
class Fake:
    """An hour's token each time it is asked, or an error; *now* is the wall clock."""

    now: float = 1_000_000.0
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)
    made: int = 0

    def make(self) -> Fake:
        """The credential itself."""
        self.made += 1
        return self

    def get_token(self, *scopes: str) -> Given:
        """The next token."""
        self.asked += scopes
        if self.error is not None:
            raise self.error
        return Given(token=jwt(appid="4be1", oid="77aa", n=len(self.asked)), expires_on=int(self.now) + 3600)

    def tokens(self) -> Tokens:
        """Tokens from this credential, by this clock."""
        return Tokens(self.make, wall=lambda: self.now)


async def test_one_token_serves_all_runs_until_shortly_before_its_end() -> None:
    """It is renewed five minutes before, and the credential is made once."""
    fake = Fake()
    tokens = fake.tokens()
    await asyncio.gather(*(tokens.ready(REFERENCE) for _ in range(20)))
    first = tokens.current(REFERENCE)
    fake.now += 3600 - RENEW_BEFORE_S - 1
    await tokens.ready(REFERENCE)
    assert (fake.asked, tokens.current(REFERENCE)) == ([SCOPE], first)
    fake.now += 1
    await tokens.ready(REFERENCE)
    assert tokens.current(REFERENCE) != first
    assert (fake.made, fake.asked) == (1, [SCOPE, SCOPE])


async def test_each_scope_has_a_token_of_its_own() -> None:
    """Two endpoints may want two audiences."""
    fake = Fake()
    tokens = fake.tokens()
    await tokens.ready(REFERENCE)
    await tokens.ready(f"{PREFIX}other")
    assert fake.asked == [SCOPE, "other"]


async def test_a_token_that_is_still_valid_serves_while_renewing_fails() -> None:
    """Only when it has run out does the failure count."""
    fake = Fake()
    tokens = fake.tokens()
    await tokens.ready(REFERENCE)
    fake.now += 3400
    fake.error = OSError("login.microsoftonline.com is away")
    await tokens.ready(REFERENCE)
    assert tokens.current(REFERENCE)
    fake.now += 200
    with pytest.raises(SecretError, match="no token could be had: login"):
        await tokens.ready(REFERENCE)
    with pytest.raises(SecretError, match="no token is held"):
        tokens.current(REFERENCE)


async def test_a_refusal_of_entra_is_told_from_a_failure_to_ask() -> None:
    """A refusal has Entra's own code, and is our account's fault; its words are quoted."""
    fake = Fake(error=ValueError(f"DefaultAzureCredential failed.\n EnvironmentCredential: {REFUSAL}"))
    with pytest.raises(TokenRefused, match="AADSTS7000222") as raised:
        await fake.tokens().ready(REFERENCE)
    assert "DefaultAzureCredential" not in str(raised.value)


def test_the_principal_is_read_from_the_token() -> None:
    """Whatever names it; nothing of a token that is none."""
    assert principal_of(jwt(appid="4be1", oid="77aa", secret="x")) == "appid 4be1 oid 77aa"
    assert principal_of(jwt(upn="me@contoso.test")) == "upn me@contoso.test"
    for odd in ("", "a.b.c", "opaque", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c"):
        assert principal_of(odd) == "unknown"
    assert "it needs the role Reader on the resource" in advice(None, "Reader")
    assert "minutes" in advice("oid 77aa", None)


async def test_the_token_is_sent_and_stands_nowhere_else() -> None:
    """A peer that echoes it back leaves no trace of it in the evidence."""
    fake, heads = Fake(), list[str]()

    async def echo(line: Line) -> None:
        head, _ = await line.read_request()
        heads.append(head)
        await line.respond("200 OK", json.dumps({"text": head}))

    transport = Transport(secret=lambda _: "not used", tokens=fake.tokens())
    credential = Credential(header="Authorization", prefix="Bearer ", reference=REFERENCE)
    await transport.ready(credential)
    answers: list[object] = []
    async with ScriptedServer(echo) as server:
        ask = Upload(url=server.url(), headers=(), body=b"x", until=5, credential=credential)
        seen = await transport.run(ask_all(answers, ask), deadline=5)  # type: ignore[arg-type]
    token = fake.tokens()
    await token.ready(REFERENCE)
    assert "Authorization: Bearer eyJ" in heads[0] or "authorization: Bearer eyJ" in heads[0]
    assert isinstance(answers[0], Responded)
    assert "canary-of-a-signature" not in json.dumps(seen.evidence.document)
    assert transport.principal(credential) == "appid 4be1 oid 77aa"
    assert "canary" not in repr(token.__dict__)


async def test_a_key_needs_nothing_beforehand() -> None:
    """And has no principal."""
    transport = Transport(secret=lambda _: "k")
    await transport.ready(None)
    await transport.ready(Credential(header="api-key", reference="env:KEY"))
    assert transport.principal(None) is None


def test_the_library_is_imported_only_where_it_is_needed() -> None:
    """Neither the transport nor the commands load it."""
    code = "import sys, monitor.transport, monitor.cli.arguments; print('azure.identity' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_missing_library_is_told_with_what_to_install() -> None:
    """In a process that cannot see it; a configuration with keys starts all the same."""
    code = (
        "import sys; sys.modules['azure'] = None\n"
        "from monitor.transport import require_library\n"
        "from monitor.core.errors import ConfigurationError\n"
        "try:\n    require_library()\nexcept ConfigurationError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        'auth = "entra" needs azure-identity: install earwitness with its extra, earwitness[entra]'
    )
