"""The response headers by which each vendor lets a support case be traced.

Names and forms follow dumps of real responses; which of them come with a successful upgrade is
not documented by either vendor, so both get the set of their REST answers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime

from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.script import ServedEndpoint

HeaderList = list[tuple[str, str]]

_REGIONS = {  # `x-ms-region` carries the display name
    "swedencentral": "Sweden Central",
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus": "West US",
    "westus3": "West US 3",
    "northcentralus": "North Central US",
    "southcentralus": "South Central US",
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "switzerlandnorth": "Switzerland North",
    "uksouth": "UK South",
    "polandcentral": "Poland Central",
    "norwayeast": "Norway East",
    "japaneast": "Japan East",
    "australiaeast": "Australia East",
}


class TraceHeaders:
    """Makes the evidence headers of one sandbox."""

    def __init__(self, clock: Callable[[], datetime], ids: Identifiers) -> None:
        self._clock = clock
        self._ids = ids

    def of(
        self,
        endpoint: ServedEndpoint,
        *,
        client_id: str | None,
        deployment: str | None,
        milliseconds: int = 0,
    ) -> HeaderList:
        """The headers of one answer; *client_id* is what the client sent as its own identifier."""
        now = format_datetime(self._clock(), usegmt=True)
        if endpoint.kind == "compatible":
            return [("date", now)]  # no id that a support would ask for
        if endpoint.kind != "openai":
            return [("date", now), *self._azure(endpoint, client_id, deployment, milliseconds)]
        return [("date", now), *self._openai(milliseconds)]

    def _azure(
        self, endpoint: ServedEndpoint, client_id: str | None, deployment: str | None, milliseconds: int
    ) -> HeaderList:
        region = endpoint.region or ""
        headers = [
            ("apim-request-id", self._ids.uuid()),
            ("x-ms-region", _REGIONS.get(region, region)),
            ("x-ms-client-request-id", client_id or "Not-Set"),
            ("x-request-id", self._ids.uuid()),
            ("azureml-model-session", f"d{self._ids.hexadecimal(3)}-{self._ids.hexadecimal(14)}"),
            ("x-envoy-upstream-service-time", str(milliseconds)),
            ("x-ratelimit-limit-requests", "3"),
            ("x-ratelimit-remaining-requests", "2"),
            ("x-ratelimit-limit-tokens", "100000"),
            ("x-ratelimit-remaining-tokens", "99000"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
            ("x-content-type-options", "nosniff"),
        ]
        return [*headers, ("x-ms-deployment-name", deployment)] if deployment else headers

    def _openai(self, milliseconds: int) -> HeaderList:
        return [
            ("x-request-id", f"req_{self._ids.hexadecimal(32)}"),
            ("openai-processing-ms", str(milliseconds)),
            ("openai-version", "2020-10-01"),
            ("openai-organization", "sandbox"),
            ("openai-project", "proj_sandbox"),
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-remaining-requests", "9999"),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-limit-tokens", "2000000"),
            ("x-ratelimit-remaining-tokens", "1999955"),
            ("x-ratelimit-reset-tokens", "1ms"),
            ("server", "cloudflare"),
            ("cf-cache-status", "DYNAMIC"),
            ("cf-ray", f"{self._ids.hexadecimal(16)}-ARN"),
        ]
