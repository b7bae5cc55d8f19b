"""The one template environment: strict, escaping, without arithmetic; found in a wheel or a checkout."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.resources import data_folder

Render = Callable[[str, object], str]


def build_renderer(site: object = None) -> Render:
    """``render(name, page)``: the template *name* with one object, `page`; undefined names raise.

    *site* is what every page shows (its frame); templates that use no frame do without it.
    """
    environment = Environment(
        loader=FileSystemLoader(data_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["site"] = site
    environment.globals["asset"] = _asset_addresses(data_folder("static"))

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
