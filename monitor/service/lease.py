"""One process at a time checks from a location over one database; a second one is refused.

Whoever holds the lease renews it with what it stores. A process that was killed renews nothing: the next one
takes over after `HELD_FOR`, or at once where it can see that the holder's process is gone.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import orjson
import structlog

from monitor.core.errors import MonitorError
from monitor.core.timefmt import rfc3339
from monitor.store.database.engine import Database, Transaction
from monitor.store.leases import release_lease, renew_lease, take_lease

log = structlog.get_logger("serve")

LOOK_S = 1.0


class Lease:
    """The right to check from *location*, of this process."""

    def __init__(self, database: Database, location: str, *, clock: Callable[[], datetime]) -> None:
        self._database, self._location, self._clock = database, location, clock
        self._instance = orjson.dumps({"machine": _machine(), "pid": os.getpid(), "id": uuid4().hex}).decode()

    async def take(self) -> None:
        """Take the lease; wait for one that is not renewed any more.

        Raises MonitorError where another process renews it meanwhile: it checks from the same location.
        """
        seen: datetime | None = None
        gone: str | None = None
        while True:
            with self._database.write() as tx:
                held = take_lease(tx, self._location, self._instance, self._clock(), gone=gone)
            if held is None:
                return
            holder, beat_at = held
            gone = holder if _is_gone(holder) else None
            if seen is not None and beat_at != seen:
                raise MonitorError(
                    f"another monitor checks from location '{self._location}' over {self._database.place} "
                    f"(last sign of life {rfc3339(beat_at)}): stop it, or set another [monitor] location"
                )
            if seen is None and gone is None:
                log.info("waiting for the monitor before to be gone", last_sign_of_life=rfc3339(beat_at))
            seen = beat_at
            if gone is None:
                await asyncio.sleep(LOOK_S)

    def renew(self, tx: Transaction) -> bool:
        """Renew the lease in a transaction that stores; whether it is still ours."""
        return renew_lease(tx, self._location, self._instance, self._clock())

    def release(self) -> None:
        """Give the lease back."""
        with self._database.write() as tx:
            release_lease(tx, self._location, self._instance)


def _machine() -> str:
    """Where process numbers mean the same: this machine since its start, and the container in it."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    except OSError:
        pass  # another system: its name has to do
    return " ".join(parts)


def _is_gone(instance: str) -> bool:
    """Whether the holder ran on this machine and its process is not there any more."""
    holder = orjson.loads(instance)
    if holder["machine"] != _machine():
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
