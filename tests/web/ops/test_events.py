"""The live stream: one word per change, bounded in number and in length."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from monitor.web.ops.events import ALIVE_EVERY, MOST_STREAMS, Streams, routes


class Listener(Request):
    """A request whose sender leaves after some looks."""

    def __init__(self, looks: int) -> None:
        super().__init__({"type": "http", "headers": []})
        self.looks = looks

    async def is_disconnected(self) -> bool:
        self.looks -= 1
        return self.looks < 0


async def words_of(revisions: list[str], looks: int) -> list[str]:
    """The kinds of event that a listener hears while the revision goes through a list."""
    left = list(revisions)
    streams = Streams(lambda: left.pop(0) if len(left) > 1 else left[0], look_every_s=0)
    events = [event async for event in streams.follow(Listener(looks))]
    assert not streams.is_full()
    return [line for event in events for line in event.splitlines() if line.startswith("event:")]


async def test_a_change_is_told_once() -> None:
    """First that the stream lives, then each change, and nothing between."""
    heard = await words_of(["1", "1", "2", "2", "3"], looks=4)
    assert heard == ["event: alive", "event: changed", "event: changed"]


async def test_silence_is_broken_by_a_sign_of_life() -> None:
    """A listener can tell a quiet monitor from a dead one."""
    heard = await words_of(["1"], looks=2 * ALIVE_EVERY)
    assert heard == ["event: alive"] * 3


async def test_a_stream_ends_with_its_service() -> None:
    """A service that stops is not held up by its listeners."""
    streams = Streams(lambda: "1", alive=lambda: False, look_every_s=0)
    assert len([event async for event in streams.follow(Listener(100))]) == 1


async def test_listeners_of_the_same_thing_share_each_look() -> None:
    """However many tabs are open, the store is asked once in each interval, and once more for another key."""
    looks: list[str] = []

    def look_up() -> str:
        looks.append("look")
        return "1"

    streams = Streams(look_up, look_every_s=3600)
    followers = [streams.follow(Listener(1)) for _ in range(20)]
    followers.append(streams.follow(Listener(1), look_up, key="another"))
    for follower in followers:
        await anext(follower)
    assert len(looks) == 2
    for follower in followers:
        await follower.aclose()


async def test_streams_are_bounded() -> None:
    """A listener beyond the limit is refused, and one that leaves makes room."""
    streams = Streams(lambda: "1", look_every_s=0)
    followers = [streams.follow(Listener(1)) for _ in range(MOST_STREAMS)]
    for follower in followers:
        await anext(follower)
    assert streams.is_full()
    await followers[0].aclose()
    assert not streams.is_full()
    for follower in followers:
        await follower.aclose()


def test_a_refused_stream_is_told_to_poll() -> None:
    """503 as problem details."""
    app = FastAPI()
    app.include_router(routes(lambda: "1", most=0))
    answer = TestClient(app).get("/events")
    assert answer.status_code == 503
    assert "poll" in answer.json()["detail"]


def test_the_stream_speaks_the_events_format() -> None:
    """The route answers with the content type that browsers ask for."""
    app = FastAPI()
    app.include_router(routes(lambda: "7", looks=1))
    with TestClient(app).stream("GET", "/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert next(answer.iter_lines()) == "retry: 3000"
