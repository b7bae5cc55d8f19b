"""An endpoint's own list of models, asked for once: the last days it gives; it checks no target."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from monitor.checks.rest import read_answer
from monitor.core.alerting.model_retirement import shutdown_day
from monitor.core.classification.error_bodies import mapping
from monitor.core.conversation import Conversation, End, Finding, Upload
from monitor.core.model import Endpoint, Stage
from monitor.providers import PROVIDERS

WITHIN_S = 10.0
MOST_MODELS = 5_000
LONGEST_NAME = 200  # characters


def models(endpoint: Endpoint, url: str, correlation: str) -> Conversation:
    """Get the list at *url* (the provider's `models_url`) and read it.

    The finding ends in `LISTED` with the days in `ends` and the names in `models`, or says what came instead.
    """
    provider = PROVIDERS[endpoint.provider]
    answer = yield Upload(
        url=url,
        headers=provider.request_headers(endpoint, correlation),
        body=b"",
        until=WITHIN_S,
        method="GET",
        credential=provider.credential(endpoint),
    )
    finding = read_answer(answer, _read_list)
    ids = {**provider.ids_in(finding.headers), "client_request_id": correlation}
    return replace(finding, url=url, ids=ids)


def _read_list(value: object) -> Finding:
    listed = mapping(value).get("data")
    if not isinstance(listed, list):
        return Finding(stage=Stage.RESPOND, end=End.MALFORMED, detail="the answer lists no models")
    ends: dict[str, date] = {}
    names: set[str] = set()
    for entry in listed[:MOST_MODELS]:
        fields = mapping(entry)
        name, day = fields.get("id"), shutdown_day(fields.get("shutdown_date"))
        if not isinstance(name, str) or len(name) > LONGEST_NAME:
            continue
        names.add(name)
        if day is not None:
            ends[name] = day
    return Finding(stage=Stage.RESPOND, end=End.LISTED, ends=ends, models=frozenset(names))
