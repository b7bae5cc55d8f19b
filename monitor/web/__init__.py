"""Pages, JSON, metrics and the live stream: a route reads, summarises and renders; it decides nothing."""

from monitor.web.app import create_app
from monitor.web.common import site_of
from monitor.web.render import build_renderer
from monitor.web.settings import DemoLinks, Liveness, WebSettings

__all__ = ["DemoLinks", "Liveness", "WebSettings", "build_renderer", "create_app", "site_of"]
