"""Which event loop the service runs on: uvloop where it installs, since its sockets cost half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop, for `asyncio.Runner`; None for the standard one."""
    try:
        import uvloop  # noqa: PLC0415 - does not install everywhere
    except ImportError:
        return None
    return cast(Callable[[], asyncio.AbstractEventLoop], uvloop.new_event_loop)
