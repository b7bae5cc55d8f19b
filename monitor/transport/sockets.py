"""Connections that are read to the end, also where the peer answers, hangs up and takes no more.

A write to a connection that the peer has reset fails, and the event loop then drops what the peer said
before: its close frame, or the whole refusal. So nothing is written where the peer has hung up.
"""

from __future__ import annotations

import asyncio
import select
import socket
from ssl import SSLContext

Streams = tuple["Reader", asyncio.StreamWriter]
# The end of what the peer sends is told by Linux alone; elsewhere only a reset can be seen.
_ENDS = sum(getattr(select, name, 0) for name in ("POLLRDHUP", "POLLHUP", "POLLERR"))


class Reader(asyncio.StreamReader):
    """Gives all that has come before it tells how the connection was lost, by `lost`."""

    lost: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        """The connection is lost; what has come is still to be read."""
        self.lost = exc
        self.feed_eof()


async def open_streams(sock: socket.socket, context: SSLContext | None, name: str | None) -> Streams:
    """Reader and writer of a connected socket, through TLS where there is a context."""
    loop = asyncio.get_running_loop()
    reader = Reader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_connection(
        lambda: protocol, sock=sock, ssl=context, server_hostname=name
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def is_hung_up(transport: asyncio.BaseTransport) -> bool:
    """Whether the peer has closed or reset the connection, whatever of its words is still unread."""
    sock = transport.get_extra_info("socket")
    number = -1 if sock is None else sock.fileno()
    if number < 0 or not _ENDS:  # there is no poll(2) on this system
        return transport.is_closing()
    asked = select.poll()
    asked.register(number, _ENDS)
    return bool(asked.poll(0))
