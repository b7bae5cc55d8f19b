"""What a run costs, by list prices or the operator's own: an estimate in US dollars."""

from __future__ import annotations

import math
from collections.abc import Mapping

from monitor.catalogue.models import KNOWN_MODELS
from monitor.clips import load_clip
from monitor.core.model import Target
from monitor.providers import PROVIDERS


def price_of(target: Target, own: Mapping[str, float]) -> float | None:
    """US dollars for a minute of audio; None where none is known.

    Own prices first; the shipped list holds for the vendors it was taken from, not for a server of one's own.
    """
    for name in (f"{target.endpoint.name}/{target.model}", target.model):
        if name in own:
            return own[name]
    known = KNOWN_MODELS.get(target.model)
    is_listed = PROVIDERS[target.endpoint.provider].has_list_prices
    return known.usd_per_minute if known and is_listed else None


def run_cost(target: Target, own: Mapping[str, float]) -> float | None:
    """US dollars for one run with the longest of its clips, by started seconds; None without a price."""
    price = price_of(target, own)
    if price is None:
        return None
    return max(math.ceil(load_clip(name).seconds) for name in target.rotation) / 60 * price
