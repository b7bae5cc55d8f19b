"""Server-sent events: one word whenever a page would show something else; it then asks for itself again.

The stream carries no content, so that there is one way only to word a page. With each word it tells the
revision: a page that shows another one has missed a change, be it while it was loaded or not connected.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from monitor.web.frame.errors import problem_response

LOOK_EVERY_S = 1.0
ALIVE_EVERY = 10  # looks
MOST_STREAMS = 64
LONGEST_LOOKS = 900  # then the browser connects again, so that no stream outlives its service for long


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look, begun at a moment of the loop's clock, whose result many streams share."""

    at: float
    result: asyncio.Task[str]


class Streams:
    """The open streams: bounded in number; those that follow the same thing share each look at it."""

    def __init__(
        self,
        revision: Callable[[], str],
        *,
        alive: Callable[[], bool] = lambda: True,
        look_every_s: float = LOOK_EVERY_S,
        most: int = MOST_STREAMS,
        looks: int = LONGEST_LOOKS,
    ) -> None:
        self._revision = revision
        self._alive = alive
        self._look_every_s = look_every_s
        self._most = most
        self._looks = looks
        self._open: Counter[Hashable] = Counter()
        self._looked: dict[Hashable, _Look] = {}

    def is_full(self) -> bool:
        """Whether no further stream is accepted."""
        return self._open.total() >= self._most

    async def follow(
        self, request: Request, revision: Callable[[], str] | None = None, key: Hashable = None
    ) -> AsyncGenerator[str]:
        """The events of one listener, until it leaves or the stream has lasted long enough.

        A listener may follow a *revision* of its own: one line of text that changes when its news does.
        Those of the same *key* follow the same.
        """
        look_up = revision or self._revision
        self._open[key] += 1
        try:
            seen = await self._look(key, look_up)
            yield f"retry: 3000\nevent: alive\ndata: {seen}\n\n"
            for look in range(1, self._looks):
                await asyncio.sleep(self._look_every_s)
                if not self._alive() or await request.is_disconnected():
                    return
                now = await self._look(key, look_up)
                if now != seen:
                    seen = now
                    yield f"event: changed\ndata: {now}\n\n"
                elif look % ALIVE_EVERY == 0:
                    yield f"event: alive\ndata: {now}\n\n"
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
                self._looked.pop(key, None)

    async def _look(self, key: Hashable, look_up: Callable[[], str]) -> str:
        """What is there now; a look that another stream made within the interval serves too."""
        now = asyncio.get_running_loop().time()
        last = self._looked.get(key)
        if last is None or now - last.at >= self._look_every_s:
            last = _Look(at=now, result=asyncio.create_task(asyncio.to_thread(look_up), name="look"))
            self._looked[key] = last
        return await asyncio.shield(last.result)


def routes(
    revision: Callable[[], str],
    *,
    alive: Callable[[], bool] = lambda: True,
    most: int = MOST_STREAMS,
    looks: int = LONGEST_LOOKS,
) -> APIRouter:
    """``/events``: at most *most* streams at once, each closed after so many *looks*.

    Every stream also ends once the service is no longer *alive*, so that it can stop without a word.
    """
    router = APIRouter(tags=["live"])
    streams = Streams(revision, alive=alive, most=most, looks=looks)

    @router.get(
        "/events",
        summary="Server-sent events: changed when a page would show something else, alive otherwise",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}}, 503: {"description": "too many streams"}},
    )
    async def events(request: Request) -> Response:
        if streams.is_full():
            return problem_response(503, "Too many live streams are open; poll the page instead.")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(streams.follow(request), media_type="text/event-stream", headers=headers)

    return router
