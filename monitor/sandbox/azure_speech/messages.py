"""The message format of Azure AI Speech over WebSockets: a block of headers and a body in each frame.

Implementation-defined by Microsoft's open Speech SDKs; there is no published specification.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

END_OF_HEADERS = b"\r\n\r\n"


class BadMessage(ValueError):
    """A frame that is no message of this protocol; the sentence says what is wrong."""


class ClientMessage(NamedTuple):
    """One message of a client: header names in lower case, and the body as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """What the message is, in lower case."""
        return self.headers.get("path", "").lower()

    @property
    def request_id(self) -> str:
        """The request it belongs to: 32 hexadecimal digits; raises BadMessage for anything else."""
        given = self.headers.get("x-requestid", "").replace("-", "")
        if len(given) != 32 or not all(sign in "0123456789abcdefABCDEF" for sign in given):
            raise BadMessage("X-RequestId must be 32 hexadecimal digits")
        return given

    def json(self) -> Any:
        """The body as JSON; raises BadMessage."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadMessage(f"the body of {self.path} is no JSON") from error


def read_text(frame: bytes) -> ClientMessage:
    """The message in a text frame; raises BadMessage."""
    head, separator, body = frame.partition(END_OF_HEADERS)
    if not separator:
        raise BadMessage("a text message needs an empty line after its headers")
    return ClientMessage(_headers(head), body)


def read_binary(frame: bytes) -> ClientMessage:
    """The message in a binary frame, which begins with the length of its headers (16 bits, big-endian).

    Raises BadMessage.
    """
    if len(frame) < 2:
        raise BadMessage("a binary message begins with the length of its headers")
    (length,) = struct.unpack_from(">H", frame)
    if len(frame) < 2 + length:
        raise BadMessage(f"{length} bytes of headers announced, {len(frame) - 2} bytes there")
    return ClientMessage(_headers(frame[2 : 2 + length]), frame[2 + length :])


def _headers(block: bytes) -> Mapping[str, str]:
    try:
        lines = block.decode("ascii").split("\r\n")
    except UnicodeDecodeError as error:
        raise BadMessage("headers are ASCII") from error
    headers = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadMessage(f"'{line[:40]}' is no header")
        headers[name.strip().lower()] = value.strip()
    if not headers.get("path"):
        raise BadMessage("the header Path is missing")
    return headers


def write(path: str, request_id: str, body: object) -> bytes:
    """A message of the service, for a text frame."""
    head = f"X-RequestId:{request_id}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
    return head.encode() + orjson.dumps(body)
