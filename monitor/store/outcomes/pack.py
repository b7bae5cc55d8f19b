"""Evidence as it is stored: JSON by zstandard, with a dictionary of what evidence usually says.

Measured on the recorded day, which the dictionary was not made from: a realtime run's 7,200 bytes become 780,
an upload's 2,000 become 320, where zlib made 2,100 and 1,000 of them in twice the time. What the dictionary
does not know costs as much as with zlib.

A packed document is one byte, the number of its dictionary, and a zstandard frame. Rows of before begin with
zlib's own first byte.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

from monitor.store.database.columns import from_json, to_json

LEVEL = 3
NEWEST = 1
_ZLIB = 0x78  # RFC 1950, 2.2: the first byte of a stream with the usual window


@cache
def _dictionary(number: int) -> ZstdCompressionDict:
    """The dictionary of that number; it is never changed, since what was stored with it needs it."""
    content = (files("monitor.store.outcomes") / f"evidence-{number}.dictionary").read_bytes()
    made = ZstdCompressionDict(content, dict_type=DICT_TYPE_RAWCONTENT)
    made.precompute_compress(level=LEVEL)
    return made


class _Tools(threading.local):
    """What packs and unpacks in one thread: the library's objects may not be shared by threads."""

    def __init__(self) -> None:
        self.packer = ZstdCompressor(level=LEVEL, dict_data=_dictionary(NEWEST))
        self.unpackers: dict[int, ZstdDecompressor] = {}

    def unpacker(self, number: int) -> ZstdDecompressor:
        """The one that knows the dictionary of that number."""
        if number not in self.unpackers:
            self.unpackers[number] = ZstdDecompressor(dict_data=_dictionary(number))
        return self.unpackers[number]


@cache
def _tools() -> _Tools:
    return _Tools()


def pack_evidence(document: Mapping[str, Any]) -> bytes:
    """The document as it is stored."""
    return bytes([NEWEST]) + _tools().packer.compress(to_json(document).encode())


def unpack_evidence(packed: bytes) -> Any:
    """The document that was stored."""
    return from_json(unpacked_bytes(packed).decode())


def unpacked_bytes(packed: bytes) -> bytes:
    """The JSON that was stored."""
    if packed[0] == _ZLIB:
        return zlib.decompress(packed)
    return _tools().unpacker(packed[0]).decompress(packed[1:])
