"""The one template environment: strict, escaping, without arithmetic; found in a wheel or a checkout.

Templates get the core's own values. How an instant, a length or a latency is printed is a filter here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.core.diagnosis.nearby_changes import change_words
from monitor.core.model import target_path
from monitor.core.outages.uptime import METHOD
from monitor.core.timefmt import duration_words
from monitor.core.views.lanes import segments
from monitor.core.views.latency import latency_text, percentile
from monitor.resources import data_folder
from monitor.web.frame.components import draw_row, period_text, run_href, said_by, split_title
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.errors import Render
from monitor.web.frame.time_format import time_formatter, zone_named

_FILTERS: dict[str, Callable[..., object]] = {
    "changes": change_words,
    "drawing": draw_row,
    "duration": duration_words,
    "latency": latency_text,
    "percentile": percentile,
    "period": period_text,
    "run_href": run_href,
    "said": said_by,
    "segments": segments,
    "target_href": target_path,
    "told": split_title,
}


def build_renderer(settings: DisplaySettings) -> Render:
    """``render(name, page)``: the template *name* with one object, `page`; undefined names raise.

    *settings* are what the frame of every page shows, as `site`.
    """
    environment = Environment(
        loader=FileSystemLoader(data_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["site"] = settings
    environment.globals["asset"] = _asset_addresses(data_folder("static"))
    environment.globals["method"] = METHOD
    environment.filters |= {**_FILTERS, "moment": time_formatter(zone_named(settings.timezone))}

    def render(name: str, page: object) -> str:
        return environment.get_template(name).render(page=page)

    return render


def _asset_addresses(folder: Path) -> Callable[[str], str]:
    """Addresses that change with the content, so that browsers may keep the file for ever."""
    known: dict[str, str] = {}

    def address(name: str) -> str:
        if name not in known:
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
            known[name] = f"/static/{name}?v={digest}"
        return known[name]

    return address
