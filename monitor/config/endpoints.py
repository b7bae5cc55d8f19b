"""The endpoint tables as the core's endpoints; what contradicts itself on the wire is refused beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.checks.realtime_session.dialects import DIALECTS
from monitor.config import field_types
from monitor.config.file_model import DeploymentTable, EndpointTable
from monitor.config.problems import KeyPath, Problems, listed, spell
from monitor.config.secrets import check_reference
from monitor.config.sections import check_proxy
from monitor.config.validate import Read, read_table
from monitor.core.model import Deployment, Endpoint, is_reference
from monitor.core.pathways import PATHWAYS
from monitor.providers import PROVIDERS

_FRAMING = "belongs to the connection and is made for every request; remove it"
_OWN = "is made by the check itself; remove it"
_RESERVED = {
    **dict.fromkeys(
        ("host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "expect",
         "keep-alive", "proxy-connection"), _FRAMING,
    ),
    **dict.fromkeys(("content-type", "accept", "accept-encoding", "user-agent"), _OWN),
    "proxy-authorization": "is for a proxy: write proxy, a reference to a URL with user and password",
    **{name: said for provider in PROVIDERS.values() for name, said in provider.own_headers.items()},
}  # fmt: skip

_WEBSOCKET = "sec-websocket-"
_SECRET = re.compile(r"key|token|secret|auth|password|cookie|credential|signature", re.IGNORECASE)


def refused_headers(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """The name of each header that may not be given, and a sentence that says why."""
    provider = PROVIDERS[endpoint.provider]
    credential = provider.credential(endpoint)
    reserved = {**_RESERVED, provider.correlation_header.lower(): _OWN}
    if credential is not None:
        reserved[credential.header.lower()] = "is sent with the key already; remove it"
    seen: set[str] = set()
    for name, value in endpoint.headers.items():
        lowered = name.lower()
        reason = _FRAMING if lowered.startswith(_WEBSOCKET) else reserved.get(lowered)
        reason = reason or _unusable(name, value)
        if lowered in seen:
            reason = "stands here twice: case makes no difference in the name of a header"
        seen.add(lowered)
        if reason:
            yield name, reason


def _unusable(name: str, value: str) -> str | None:
    try:
        field_types.header_name(name)
        if is_reference(value) or _SECRET.search(name):
            check_reference(value)
    except ValueError as error:
        return str(error)
    return None


NOT_DEPLOYED = "-"
NO_PROXY = "none"
_SUPPORT_FACTS = ("subscription", "tier")
_PLAIN = (
    "region",
    "resource_id",
    "scope",
    "api",
    "api_version",
    "dialect",
    "session_query",
    "send_model",
    "sample_rate",
    "daily_budget",
    "reserve",
)

_PLAIN_NAMED = ("organization", "project", "path", "proxy")


def read_endpoints(raw: object, problems: Problems) -> Mapping[str, Endpoint]:
    """Every endpoint that could be read, by name; faults are recorded."""
    found: dict[str, Endpoint] = {}
    for name, table in _tables(raw, ("endpoint",), problems).items():
        endpoint = _endpoint(name, table, problems)
        if endpoint is not None:
            found[name] = endpoint
    return found


def _tables(raw: object, path: KeyPath, problems: Problems) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be tables such as [{spell(path)}.some-name]")
        return {}
    return raw


def _endpoint(name: str, raw: object, problems: Problems) -> Endpoint | None:
    path: KeyPath = ("endpoint", name)
    _note(problems, path, field_types.name, name)
    nested: object = None
    if isinstance(raw, Mapping):
        nested = raw.get("deployment")
        raw = {key: value for key, value in raw.items() if key != "deployment"}
    deployments = _deployments(nested, (*path, "deployment"), problems)
    read = read_table(EndpointTable, raw, path, problems)
    if read is None:
        return None
    table = read.table
    url = None if "url" in read.wrong else _url(table, (*path, "url"), problems)
    given = {key: getattr(table, key) for key in (*_PLAIN, *_PLAIN_NAMED) if key in table.model_fields_set}
    details = {key: getattr(table, key) for key in _SUPPORT_FACTS if key in table.model_fields_set}
    provider = PROVIDERS[table.provider]
    if deployments and not provider.may_rename_models:
        sentence = f"{provider.label} has no deployments: a model is asked for by its name"
        problems.add((*path, "deployment"), sentence)
    auth = table.auth or ("key" if table.key or provider.needs_key else "none")
    given.setdefault("api", provider.apis[0])
    usual_rate = DIALECTS[table.dialect].sample_rate if table.dialect else None
    if usual_rate is not None:
        given.setdefault("sample_rate", usual_rate)
    if table.proxy is not None and table.proxy != NO_PROXY:
        check_proxy(table.proxy, (*path, "proxy"), problems)
    endpoint = Endpoint(
        name=name,
        provider=table.provider,
        url=url or "",
        auth=auth,
        key=table.key,
        headers=dict(table.headers or {}),
        details=details,
        deployments=deployments,
        **given,
    )
    for header, sentence in refused_headers(endpoint):
        problems.add((*path, "headers", header), sentence)
    for key, sentence in _contradictions(read, endpoint):
        problems.add((*path, key), sentence)
    return endpoint


def _note(problems: Problems, path: KeyPath, check: Any, value: str) -> None:
    try:
        check(value)
    except ValueError as error:
        problems.add(path, str(error))


def _deployments(raw: object, path: KeyPath, problems: Problems) -> Mapping[str, Deployment]:
    found: dict[str, Deployment] = {}
    for model, raw_table in _tables(raw, path, problems).items():
        _note(problems, (*path, model), field_types.model_name, model)
        read = read_table(DeploymentTable, raw_table, (*path, model), problems)
        if read is None:
            continue
        table = read.table
        if table.name == NOT_DEPLOYED:
            problems.add((*path, model, "name"), 'only a pathway can be "-": leave the table out instead')
        own = {name: getattr(table, name) for name in PATHWAYS}
        asked = {name: own[name] or own.get(ways.deployed_as or "") for name, ways in PATHWAYS.items()}
        found[model] = Deployment(
            model=model,
            name=table.name or model,
            type=table.type,
            version=table.version,
            tokens_per_minute=table.tokens_per_minute,
            names={pathway: name for pathway, name in asked.items() if name},
        )
    return found


def _url(table: EndpointTable, path: KeyPath, problems: Problems) -> str | None:
    provider = PROVIDERS[table.provider]
    url = provider.default_url if table.url is None else table.url
    if url is None:
        problems.add(path, f'is missing, write such as url = "{provider.example_url}"')
        return None
    try:
        return _understood(table.provider, url)
    except ValueError as error:
        problems.add(path, str(error))
        return None


def _understood(provider: str, url: str) -> str:
    """The base URL that the provider makes of what people paste."""
    field_types.refuse_secrets(url)
    base = PROVIDERS[provider].understand_url(url)
    parts = field_types.split_url(base, ("https", "http"))
    is_safe = parts.scheme == "https" or field_types.is_loopback(parts.hostname or "")
    if not is_safe and PROVIDERS[provider].needs_key:
        raise ValueError("http:// would send the key in clear; write https://")
    return base


def _contradictions(read: Read[EndpointTable], endpoint: Endpoint) -> list[tuple[str, str]]:
    table = read.table
    provider = PROVIDERS[table.provider]
    found = _needs_key(table) if provider.needs_key else _may_have_key(table)
    if table.scope is not None and table.auth != "entra":
        found.append(("scope", 'is for auth = "entra" only; remove it'))
    found += [*_wire_rate(table), *provider.refuse(endpoint)]
    if table.api_version and not provider.has_versions:
        found.append(("api_version", f"{table.provider} has no API versions; remove it"))
    if table.path and not provider.has_path:
        found.append(("path", f"{table.provider} has paths of its own; remove it"))
    if table.session_query and not provider.has_session_query:
        found.append(("session_query", f"{table.provider} has addresses of its own; remove it"))
    if table.dialect and table.dialect not in provider.dialects and "dialect" not in dict(found):
        known = listed(provider.dialects)
        found.append(("dialect", f"{table.provider} does not speak '{table.dialect}', it speaks {known}"))
    if table.api and table.api not in provider.apis:
        found.append(("api", f"{table.provider} has no '{table.api}', it has {listed(provider.apis)}"))
    # A key that was given wrongly has been told already; its absence is no second fault.
    return [(key, sentence) for key, sentence in found if key not in read.wrong and not _rests_on(key, read)]


def _rests_on(key: str, read: Read[EndpointTable]) -> bool:
    rests_on = {"key": {"auth"}, "api": {"dialect"}, "api_version": {"api", "dialect"}}
    return bool(read.wrong & rests_on.get(key, set()))


def _by_entra(table: EndpointTable) -> list[tuple[str, str]]:
    found = []
    takers = _taking("entra")
    if table.provider not in takers:
        found.append(("auth", f"'entra' is for {' or '.join(takers)} only; write a key"))
    if table.key is not None:
        found.append(("key", 'contradicts auth = "entra" beside it; remove one of them'))
    return found


def _needs_key(table: EndpointTable) -> list[tuple[str, str]]:
    if table.auth == "entra":
        return _by_entra(table)
    if table.auth == "none":
        takers = " or ".join(_taking("none"))
        return [("auth", f"'none' is for {takers} only: {table.provider} always asks for a key")]
    if table.key is None:
        return [("key", f'is missing, write such as key = "env:{PROVIDERS[table.provider].example_key}"')]
    return []


def _wire_rate(table: EndpointTable) -> list[tuple[str, str]]:
    only = PROVIDERS[table.provider].sample_rate
    if only is None or table.sample_rate in {None, only}:
        return []
    return [("sample_rate", f"must be {only}: {table.provider} takes no other rate")]


def _taking(auth: str) -> list[str]:
    """The names of the providers that know a kind of authentication."""
    return [provider.name for provider in PROVIDERS.values() if auth in provider.auths]


def _may_have_key(table: EndpointTable) -> list[tuple[str, str]]:
    if table.auth == "entra":
        return _by_entra(table)
    if table.auth == "key" and table.key is None:
        return [("key", 'is missing, write such as key = "env:NAME", or auth = "none"')]
    if table.auth == "none" and table.key is not None:
        return [("auth", "'none' contradicts the key beside it; remove one of them")]
    return []
