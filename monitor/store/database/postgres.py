"""Connections to Postgres that give up: a server, or a way to it, may fall silent without a word.

The server's own limit does not help where the server is stopped or the way is cut, and keepalives do not
where its machine still answers: so each statement has a deadline on our side too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen

RV = TypeVar("RV")
CONNECT_S = 5
KEEPALIVE: Mapping[str, int] = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
SILENT = "no answer within"


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when a statement is not answered in time."""

    statement_s: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for one exchange; raises OperationalError where it takes too long."""
        limit = self.statement_s if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except errors._WaitTimeout:  # noqa: SLF001 - the only sign that there is
            self.pgconn.finish()  # in the middle of an exchange: it can serve no other
            raise psycopg.OperationalError(f"{SILENT} {limit} s") from None


def bounded(statement_s: float | None) -> type[ImpatientConnection]:
    """Connections with this deadline for a statement; None for none."""
    return type("Connection", (ImpatientConnection,), {"statement_s": statement_s})
