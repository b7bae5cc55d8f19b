"""The template environment: strict, escaping, and the same for everyone it is handed to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from jinja2 import UndefinedError

from monitor.resources import data_folder
from monitor.web.frame.display_settings import DemoLinks, DisplaySettings
from monitor.web.frame.render import build_renderer

SITE = DisplaySettings(
    location="berlin", demo=DemoLinks(sandbox_url="http://127.0.0.1:8900/", note="A note.")
)


@dataclass(frozen=True)
class Page:
    title: str = "<Nothing>"
    status: int = 404
    detail: str = "<b>none</b>"


def test_values_are_escaped() -> None:
    """Text is text, in the title too."""
    page = build_renderer(SITE)("pages/error.html", Page())
    assert "&lt;b&gt;none&lt;/b&gt;" in page
    assert "<b>" not in page


def test_a_name_that_is_not_defined_raises() -> None:
    """A template never prints nothing in place of a value."""
    with pytest.raises(UndefinedError):
        build_renderer(SITE)("pages/run.html", Page())


def test_the_demo_leads_to_its_sandbox() -> None:
    """The frame says that it is a demo, and where to break something."""
    page = build_renderer(SITE)("pages/error.html", Page())
    assert 'href="http://127.0.0.1:8900/"' in page
    assert "A note." in page


def test_every_template_can_be_parsed() -> None:
    """Also those that no test renders."""
    from jinja2 import Environment  # noqa: PLC0415

    folder = data_folder("templates")
    for path in folder.rglob("*.html"):
        Environment(autoescape=True).parse(path.read_text())
