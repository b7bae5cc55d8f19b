"""What a hostile or broken peer puts on the wire: bytes, bodies and streams that no service would send.

Only data and generators of data; who is shown them, and when, is decided elsewhere.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import repeat

MEGABYTE = 1024 * 1024
HUGE_FRAME = 64 * MEGABYTE
DECLARED_LENGTH = 10_000_000_000
BOMB_MEGABYTES = 256
ASSAULTS = ("huge_frame", "endless_fragments", "ping_flood", "flood", "drip")
_PIECE = 64 * 1024
_FIN, _TEXT, _CONTINUED, _PING = 0x80, 0x1, 0x0, 0x9

BROKEN_JSON: Mapping[str, bytes] = {
    "cut": b'{"type": "conversation.item.input_audio_transcription.comple',
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "duplicate": b'{"type": "session.created", "type": "error", "text": "a", "text": "b"}',
    "huge_number": b'{"type": 1e999999, "text": ' + b"9" * 5000 + b"}",
    "wrong_types": b'{"type": ["error"], "error": 7, "text": {"a": null}, "item_id": 4}',
}
INVALID_UTF8 = b'{"type": "error", "text": "\xff\xfe\xc3("}'

PAGE = (
    b"<!doctype html><html><head><title>Welcome</title></head>"
    b"<body><h1>Sign in to the network</h1></body></html>"
)
CONTROL_HEADERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Note: bell\x07 and null\x00 here\r\n"
    b'Content-Length: 12\r\nConnection: close\r\n\r\n{"text": ""}'
)


def large_headers() -> list[tuple[str, str]]:
    """Headers of 300 kB in all."""
    return [(f"x-padding-{number}", "p" * 1000) for number in range(300)]


@lru_cache(maxsize=1)
def gzip_bomb() -> bytes:
    """A gzip body of about 256 kB that unpacks to 256 MB of blanks around an answer."""
    blanks = b" " * MEGABYTE
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(b'{"text": ""}') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    check = zlib.crc32(b'{"text": ""}')
    for _ in range(BOMB_MEGABYTES):
        check = zlib.crc32(blanks, check)
    size = (12 + BOMB_MEGABYTES * MEGABYTE) % 2**32
    head = gzip.compress(b"")[:10]
    return head + first + block * BOMB_MEGABYTES + last + struct.pack("<II", check, size)


def hostile_stream(name: str) -> Iterator[bytes]:
    """What is thrown at a client whose WebSocket has just opened, piece by piece; most have no end."""
    match name:
        case "drip":
            whole = _frame(_FIN | _TEXT, b'{"type": "session.created", "event_id": "event_0", "session": {}}')
            yield from (bytes([one]) for one in whole)
        case "huge_frame":
            yield _frame_head(_FIN | _TEXT, HUGE_FRAME)
            yield from repeat(b"a" * _PIECE, HUGE_FRAME // _PIECE)
        case "endless_fragments":
            yield _frame(_TEXT, b'{"type": "')
            yield from repeat(_frame(_CONTINUED, b"a" * 1000) * 32)
        case "ping_flood":
            yield from repeat(_frame(_FIN | _PING, b"are you there") * 100)
        case _:
            yield from repeat(_frame(_FIN | _TEXT, b'{"type": "sandbox.noise", "event_id": "event_0"}') * 200)


def _frame(first: int, payload: bytes) -> bytes:
    return _frame_head(first, len(payload)) + payload


def _frame_head(first: int, length: int) -> bytes:
    if length < 126:
        return bytes([first, length])
    if length < 65_536:
        return struct.pack(">BBH", first, 126, length)
    return struct.pack(">BBQ", first, 127, length)
