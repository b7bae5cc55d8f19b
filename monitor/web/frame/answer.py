"""Answer with a page, or say that the browser holds it already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from monitor.store.database.engine import Transaction
from monitor.web.frame.context import WebContext

MakePage = Callable[[Transaction, datetime], tuple[str, object]]


def answer_page(context: WebContext, request: Request, make: MakePage) -> Response:
    """The page that *make* gives as a template and its value, or 304 where the browser holds it already.

    A page follows from its address and from what the revision tells.
    """
    now = context.clock()
    with context.database.read() as tx:
        parts = (context.revision_at(tx, now), request.url.query, request.url.path)
        tag = f'W/"{blake2b("|".join(parts).encode(), digest_size=12).hexdigest()}"'
        headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        text = context.kept.get(tag, lambda: context.render(*make(tx, now)))
    return HTMLResponse(text, headers=headers)
