"""What a conversation may ask and what it may be told; and the evidence that remains of it.

A conversation is a generator that yields *asks* and is sent *answers*. It never sees a socket or a
clock: every answer carries its offset, in seconds since the run began, and every ask carries the
offset until which it may take (`until`). The transport never waits past the run's own deadline.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from monitor.core.model import Stage

Headers = Sequence[tuple[str, str]]
MINTED = "minted"  # the reference of a secret that the peer made in this run


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret to be added last, by the transport: header, prefix of its value, reference."""

    header: str
    reference: str
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """From here on the run is in `stage`; answered at once by `Noted`."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open a WebSocket; the transport passes resolve, connect, tls and handshake by itself.

    Answered by `Opened`, `Refused` (an HTTP status instead of 101), `Silent` or `Fault`.
    """

    url: str
    headers: Headers
    until: float
    credential: Credential | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send frames in order, `spacing` seconds apart, and go on receiving meanwhile.

    A `str` goes as a text message, `bytes` as a binary one.

    Answered by `Sent` once all are written; or by `Text`, `Binary`, `Closed` as soon as the peer
    speaks: sending then goes on in the background, and a later `Receive` is told `Sent`. Silent
    where `until` passes with frames unsent. `audio` frames are summarised in the evidence.
    """

    frames: Sequence[str | bytes]
    until: float
    spacing: float = 0.0
    audio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """Wait for the next word of the peer until an offset.

    Answered by `Text`, `Binary`, `Closed`, `Fault`, `Sent` (a pending send is done) or `Silent`; after
    a streamed `Upload` by `Piece`, `Finished`, `Fault` or `Silent`.
    """

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One HTTP request with a complete body; answered by `Responded`, `Silent` or `Fault`.

    With `streamed` the answer is `Answering` as soon as its head is there, and the body is received
    piece by piece. `mints` names the key of a JSON answer whose value is a secret: the transport keeps
    it for a later `Credential` with the reference `MINTED`, and hides it from everybody else.
    """

    url: str
    headers: Headers
    body: bytes
    until: float
    method: str = "POST"
    credential: Credential | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)  # what the body is, for the evidence
    streamed: bool = False
    mints: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close the socket with a code; answered by `Closed`, or by `Silent` if the peer says nothing."""

    until: float
    code: int = 1000
    reason: str = ""


Ask = Enter | Open | Send | Receive | Upload | Close


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The stage was entered."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The upgrade succeeded (which proves nothing yet: health begins with the session event).

    `wall` is the time of day, for protocols whose messages carry it.
    """

    at: float
    headers: Headers
    wall: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The upgrade was answered by an HTTP status other than 101."""

    at: float
    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Every frame of the last `Send` is written."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A whole text message."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A whole binary message."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The connection ended; `code` 1006 where no close frame came (RFC 6455, 7.1.5)."""

    at: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nothing came until the offset that was asked for; the connection is still there.

    `stage` is the one that an upload had reached, which the conversation cannot see.
    """

    at: float
    stage: Stage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """An HTTP response with its whole body; `truncated` where it was longer than the bound."""

    at: float
    status: int
    headers: Headers
    body: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The head of an HTTP response whose body is still to be received."""

    at: float
    status: int
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """More of the body: whole lines, but for the last piece."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The body has ended; `truncated` where it was longer than the bound."""

    at: float
    truncated: bool = False


class FaultKind(StrEnum):
    """What happened below the protocol."""

    NAME = "name_not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESET = "reset"  # the peer dropped the connection without a word
    TIMEOUT = "timeout"  # while resolving, connecting or in the TLS handshake
    CERTIFICATE = "bad_certificate"
    TLS = "tls"
    PROTOCOL = "protocol"  # HTTP or WebSocket framing that is no such thing
    TOO_LARGE = "too_large"  # more than the bounds allow
    MONITOR = "monitor"  # our own side: no descriptor, no secret, no memory, a stepped clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The connection could not be made or broke below the protocol; `stage` says where."""

    at: float
    stage: Stage
    kind: FaultKind
    detail: str


Answer = (
    Noted
    | Opened
    | Refused
    | Sent
    | Text
    | Binary
    | Closed
    | Silent
    | Responded
    | Answering
    | Piece
    | Finished
    | Fault
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """An error as the provider worded it; every field may be missing."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None


class End(StrEnum):
    """How a conversation ended."""

    TEXT = "text"  # a final transcript came
    LISTED = "listed"  # the models were listed, which is no run
    UNANSWERED = "unanswered"  # the response that was asked for failed, or has no words
    ITEM_FAILED = "item_failed"  # …input_audio_transcription.failed
    ERROR = "error"  # an `error` event or an HTTP error status
    REFUSED = "refused"  # the upgrade was refused
    CLOSED = "closed"  # the peer closed or dropped the connection
    SILENT = "silent"  # a watchdog expired with the connection open
    MALFORMED = "malformed"  # what came could not be understood
    FAULT = "fault"  # below the protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a conversation found: the facts that classification rests on.

    `step` names the part of a run of several steps that ended it. `marks` are offsets in seconds since
    the start of the run (`connect`, which the transport adds, `created` for the first session event,
    `ready`, `speech_end` where the server ends the turn, `commit`, `first_text`, `final`); `ids` are the
    provider's ids worth quoting; `notes` name deviations, and `drift` what the peer says of itself against
    what was asked for; `url` is the address asked, which never holds a secret. `ends` are the last days of
    models, by their ids, as an endpoint lists them, and `models` all that it lists.
    """

    stage: Stage
    end: End
    url: str | None = None
    transcript: str | None = None
    error: ProviderError | None = None
    http_status: int | None = None
    headers: Headers = ()
    close_code: int | None = None
    close_reason: str | None = None
    fault: FaultKind | None = None
    detail: str | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    ids: Mapping[str, str | None] = field(default_factory=dict)
    notes: Sequence[str] = ()
    drift: Sequence[str] = ()
    step: str | None = None
    ends: Mapping[str, date] = field(default_factory=dict)
    models: frozenset[str] = frozenset()


Conversation = Generator[Ask, Answer, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one run saw, scrubbed; `document` is JSON-ready (``earwitness.evidence/1``)."""

    started_at: datetime
    finished_at: datetime
    document: Mapping[str, Any]
