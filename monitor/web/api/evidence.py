"""What a ticket needs of an incident, as files: the evidence bundle and the text to paste."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from monitor.web.api.facts import PROBLEM
from monitor.web.frame.query_params import Number

Bundle = Callable[[int], bytes]
Summary = Callable[[int], bytes | str]


def routes(bundle: Bundle, summary: Summary) -> APIRouter:
    """*bundle* and *summary* give the zip and the text of an incident by its number, or raise NotFound."""
    router = APIRouter(prefix="/incidents/{number}", tags=["evidence"])

    @router.get(
        "/evidence.zip",
        summary="The evidence bundle of an incident",
        response_class=Response,
        responses={**PROBLEM, 200: {"content": {"application/zip": {}}}},
    )
    def evidence(number: Number) -> Response:
        headers = {
            "content-disposition": f'attachment; filename="incident-{number}.zip"',
            "cache-control": "no-store",
        }
        return Response(bundle(number), media_type="application/zip", headers=headers)

    @router.get(
        "/summary.md",
        summary="The ticket text of an incident, ready to paste",
        response_class=Response,
        responses={**PROBLEM, 200: {"content": {"text/markdown": {}}}},
    )
    def text(number: Number) -> Response:
        headers = {"cache-control": "no-store"}
        return Response(summary(number), media_type="text/markdown", headers=headers)

    return router
