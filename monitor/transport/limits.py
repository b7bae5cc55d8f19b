"""How much of a peer's words is taken; a peer that says more is cut off, never obeyed."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run, in bytes unless the name says otherwise."""

    message: int = MIB  # one WebSocket message; told by its length, a larger one is refused unread
    received: int = 32 * MIB  # over the whole of one connection
    frames: int = 6_000  # of any kind, pings too
    head: int = 256 * 1024  # of everything that comes before the body of an HTTP response
    response: int = 4 * MIB  # of one HTTP response, also after unpacking
    reply: int = 64 * 1024  # what is kept of the answer to a notice
    body: int = 16 * 1024  # what one frame leaves in the evidence
    bodies: int = 256 * 1024  # what all frames of a run leave there
    entries: int = 2_000  # frames listed in the evidence
