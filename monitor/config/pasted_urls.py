"""What stood in a pasted address and has another place in the file, such as the portal's Target URI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from monitor.core.model import Endpoint, Target
from monitor.core.scheduling.attention import quota_key

_DEPLOYMENT = re.compile(r"/deployments/([^/?#]+)")
_DATED = re.compile(r"\d{4}-\d\d-\d\d[\w-]*")


def left_out(url: str, endpoint: Endpoint, targets: Iterable[Target]) -> Iterator[str]:
    """One sentence for each part of the address as it was written that nothing in the file takes up."""
    where = f"endpoint.{endpoint.name}"
    mine = [target for target in targets if target.endpoint.name == endpoint.name]
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    found = _DEPLOYMENT.search(parts.path)
    deployment = unquote(found[1]) if found else None
    asked = {quota_key(target)[1] for target in mine} | {one.name for one in endpoint.deployments.values()}
    if deployment and deployment not in asked:
        yield (
            f"{where}.url: the deployment '{deployment}' in the address is left out; name it "
            f'with its model: [{where}.deployment.MODEL] name = "{deployment}"'
        )
    session = parts.path.rstrip("/").endswith("/realtime")
    host = (query.get("deployment") or query.get("model")) if session else None
    if host and host not in {target.session_model for target in mine}:
        yield (
            f"{where}.url: the deployment '{host}' in the address is left out; "
            f'where it hosts sessions, say session_model = "{host}" in the [[watch]]'
        )
    version = query.get("api-version", "")
    if _DATED.fullmatch(version) and endpoint.api_version is None:
        route = 'dialect = "preview"' if session else 'api = "dated"'
        yield (
            f"{where}.url: the api-version '{version}' in the address is left out; the v1 route "
            f'needs none, the dated one is {route}, api_version = "{version}"'
        )
