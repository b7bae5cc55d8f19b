"""The catalogue of faults as data: each one's name, what it does, where and at which moment it can strike.

How a fault looks on the wire is decided where it is shown, and which one is in force in `faults`; not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.sandbox.faults.payloads import BROKEN_JSON


class FaultMoment(StrEnum):
    """The moment at which a fault strikes."""

    ACCEPT = "accept"  # a connection came and has shown its first line
    REQUEST = "request"  # a request with a body arrived
    UPGRADE = "upgrade"  # a WebSocket is asked for
    UPDATE = "update"  # the session is configured
    COMMIT = "commit"  # a piece of audio is to be transcribed
    ITEM = "item"  # a text joins the conversation
    RESPONSE = "response"  # the speech model is to answer


UPLOADS = ("rest", "rest_stream")
SESSIONS = ("realtime", "realtime_transcription")
SPEECH = ("speech_rest", "speech_ws")
PATHWAYS = (*UPLOADS, *SESSIONS, "dual", "client_secret", *SPEECH)
POSTS = (*UPLOADS, "client_secret", "speech_rest")
SOCKETS = (*SESSIONS, "speech_ws")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDefinition:
    """What one fault does, and at which moment of which pathway."""

    says: str
    group: str
    at: Mapping[str, FaultMoment]
    inside: bool = False  # with a transcription model named, a session shows it as a failed item
    extras: tuple[str, ...] = ()

    @property
    def at_upgrade(self) -> bool:
        """Whether it strikes before a session has named its transcription model."""
        return FaultMoment.UPGRADE in self.at.values() and not self.inside


_ERROR = ("code", "type", "message")
_STATUS = ("code", "message", "retry_after", "retry_after_ms")
_POSTED = dict.fromkeys(POSTS, FaultMoment.REQUEST)
_COMMITTED = dict.fromkeys(SESSIONS, FaultMoment.COMMIT)
_OPENED = dict.fromkeys(SESSIONS, FaultMoment.UPGRADE)
_ASKED = dict.fromkeys(SOCKETS, FaultMoment.UPGRADE)
_UPDATED = dict.fromkeys(SESSIONS, FaultMoment.UPDATE)
_ANSWERED = {"dual": FaultMoment.RESPONSE, "realtime": FaultMoment.RESPONSE}
_RECOGNISED = {"speech_rest": FaultMoment.REQUEST, "speech_ws": FaultMoment.COMMIT}
_HEARD = (
    dict.fromkeys(UPLOADS, FaultMoment.REQUEST) | _COMMITTED | {"dual": FaultMoment.RESPONSE} | _RECOGNISED
)
_ANY = _HEARD | _POSTED
_SAID = dict.fromkeys(SOCKETS, FaultMoment.COMMIT)
_ALL_ASKED = _POSTED | _ASKED
_FIRST_LINE = dict.fromkeys(("rest", "client_secret", "speech_rest", *SOCKETS), FaultMoment.ACCEPT)
_PIECEWISE = {pathway: stage for pathway, stage in _HEARD.items() if pathway != "speech_rest"}
_CONFIGURED = _UPDATED | {"speech_ws": FaultMoment.COMMIT}


def _failed(says: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="failed items", at=_COMMITTED, extras=_ERROR)


def _status(says: str) -> FaultDefinition:
    at = _POSTED | _ASKED | {"dual": FaultMoment.RESPONSE}
    return FaultDefinition(says=says, group="refusals and statuses", at=at, inside=True, extras=_STATUS)


def _words(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="wrong words", at=_HEARD, extras=extras)


def _quiet(says: str, at: Mapping[str, FaultMoment], *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="silence, delay, loss", at=at, extras=extras)


def _refused(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="refusals and statuses", at=_OPENED, extras=extras)


def _answer(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="answers of the speech model", at=_ANSWERED, extras=extras)


def _item(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(
        says=says, group="answers of the speech model", at={"dual": FaultMoment.ITEM}, extras=extras
    )


def _status_of_speech(says: str, *, by_socket: bool = False) -> FaultDefinition:
    at = {"speech_ws": FaultMoment.COMMIT} if by_socket else _RECOGNISED
    return FaultDefinition(says=says, group="recognition status of Azure Speech", at=at)


def _event(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="events gone wrong", at=_COMMITTED, extras=extras)


def _garbled(says: str, at: Mapping[str, FaultMoment], *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="broken bytes", at=at, extras=extras)


def _body(says: str, *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="broken HTTP answers", at=_POSTED, extras=extras)


def _stream(says: str, *extras: str) -> FaultDefinition:
    at = {"rest_stream": FaultMoment.REQUEST}
    return FaultDefinition(says=says, group="broken HTTP answers", at=at, extras=extras)


def _hostile(says: str, at: Mapping[str, FaultMoment], *extras: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="hostile peers", at=at, extras=extras)


def _secret(says: str) -> FaultDefinition:
    return FaultDefinition(says=says, group="client secrets", at={"client_secret": FaultMoment.REQUEST})


KINDS: Mapping[str, FaultDefinition] = {
    "failed": _failed("every item ends in the generic failed event: server_error, code null"),
    "failed_code": _failed("every item ends in a failed event with your code, type and message"),
    "failed_audio": _failed("failed: transcription_error, audio_unintelligible"),
    "failed_model_not_found": _failed("failed: code model_not_found"),
    "failed_rate_limit": _failed("failed: server_error whose message ends in 429 Too Many Requests"),
    "failed_quota": _failed("failed: the account has used up its quota"),
    "silent": _quiet("no answer at all, the connection stays open", _ANY),
    "slow": _quiet("the right answer after a delay", _ANY, "delay"),
    "deltas_stop": _quiet("some words arrive, the rest never does", _PIECEWISE),
    "drop": _quiet("the connection is cut without a close frame", _ANY),
    "no_committed": _quiet("a commit is never acknowledged", _COMMITTED),
    "no_updated": _quiet("a session.update is never answered", _UPDATED),
    "no_created": _quiet("the socket opens and nothing follows", _OPENED | {"speech_ws": FaultMoment.COMMIT}),
    "no_upgrade": _quiet("the upgrade is never answered", _ASKED),
    "session_expired": _quiet("error session_expired, close 1001", _COMMITTED),
    "empty": _words("an answer without words"),
    "truncated": _words("the first half of the words"),
    "wrong": _words("other words than were said", "text"),
    "whitespace": _words("nothing but blanks"),
    "punctuation": _words("nothing but punctuation"),
    "previous_clip": _words("the words that were heard before, as from a cache"),
    "loop": _words("the right words twenty times over"),
    "other_language": _words("a sentence in another language"),
    "prompt_leak": _words("the prompt, or instructions like one, in front of the words"),
    "hallucination": _words("invented words where nothing was said, else the right ones"),
    "unicode": _words("right-to-left text, combining marks, emoji, NUL, markup, a formula"),
    "completed_only": _event("the right words without any delta"),
    "error_event": _event("an error event in place of the words; the connection stays open", *_ERROR),
    "wrong_item": _event("the words come for an item nobody knows"),
    "duplicates": _event("the words are completed twice"),
    "out_of_order": _event("completed comes before its deltas"),
    "unknown_events": _event("events of unknown types in between"),
    "bare_completed": _event("completed with its type and transcript and nothing else"),
    "no_turns": FaultDefinition(
        says="speech is never noticed, so that nothing is committed without the client",
        group="events gone wrong",
        at=_UPDATED,
    ),
    "unasked_response": FaultDefinition(
        says="the speech model answers though nobody asked",
        group="events gone wrong",
        at={"realtime": FaultMoment.COMMIT},
    ),
    "drift_model": FaultDefinition(
        says="the session says it uses another transcription model", group="events gone wrong", at=_UPDATED
    ),
    "drift_host": FaultDefinition(
        says="session.created names another speech model than was asked for",
        group="events gone wrong",
        at={"realtime": FaultMoment.UPGRADE},
    ),
    "drift": FaultDefinition(
        says="the session says it uses no transcription model", group="events gone wrong", at=_UPDATED
    ),
    "refused": _refused("the session is refused in the way of the endpoint", "status", *_ERROR),
    "refused_azure": _refused("the upgrade is answered with an HTTP status and a body", "status", *_ERROR),
    "refused_openai": _refused("the socket opens, one error event, a close frame", *_ERROR),
    "401": _status("the key is refused"),
    "403": _status("access is denied"),
    "404": _status("the model or deployment is not there"),
    "408": _status("the operation timed out at the provider"),
    "429": _status("rate limit reached"),
    "429_quota": _status("quota used up"),
    "429_capacity": _status("the provider has no capacity"),
    "429_credit": _status("no credits are left"),
    "429_limit": _status("the provider has lowered the limit for a while"),
    "500": _status("internal server error"),
    "502": _status("a gateway's HTML page"),
    "503": _status("service unavailable"),
    "400": _status("a bad request"),
    "400_filter": _status("refused by the content filter"),
    "401_role": _status("the principal lacks the role"),
    "401_token": _status("the token has expired"),
    "401_ip": _status("the address we come from is not allowed"),
    "403_region": _status("the country or region is refused"),
    "403_blocked": _status("the resource is blocked after abuse detection"),
    "404_path": _status("the path or the API version is gone"),
    "413": _status("the audio is too large"),
    "415": _status("the kind of audio is refused"),
    "422": _status("the request is well formed and refused"),
    "429_tokens": _status("the token rate limit is reached"),
    "504": _status("a gateway's HTML page, after waiting"),
    "invalid_json": _garbled("no JSON, or JSON that is no event and no answer", _SAID | _POSTED, "variant"),
    "invalid_utf8": _garbled("bytes that are no UTF-8 in a text", _SAID | _POSTED),
    "binary_frame": _garbled("a binary frame where text is due", _SAID),
    "close": _quiet("a close frame in place of the words", _SAID, "close", "reason"),
    "half_close": _quiet("the sending side is shut without a close frame", _SAID),
    "drop_in_audio": _quiet("the connection is cut while audio is sent", _CONFIGURED),
    "html_200": _garbled("a page of HTML with status 200, as a captive portal answers", _ALL_ASKED),
    "empty_200": _body("200 and no body"),
    "error_200": _body("200 and an error object"),
    "truncated_json": _body("200 and the first half of the body"),
    "wrong_type": _body("the right body as text/html"),
    "wrong_charset": _body("the right body in UTF-16"),
    "endless_body": _body("the right body, and then blanks for ever"),
    "huge_length": _body("10 GB announced, and nothing after the answer"),
    "gzip_bomb": _body("256 kB that unpack to 256 MB"),
    "large_headers": _body("300 kB of headers"),
    "control_headers": _body("a header with control characters"),
    "sse_error": _stream("an error object in the middle of the stream", *_ERROR),
    "sse_done_marker": _stream("the right stream with [DONE] at its end"),
    "stream_ignored": _stream("plain JSON though a stream was asked for"),
    "redirect": _hostile("307 to another host", _ALL_ASKED, "location"),
    "redirect_loop": _hostile("307 to the same address", _ALL_ASKED),
    "no_tls": _hostile("a TLS handshake is never completed", {"rest": FaultMoment.ACCEPT}),
    "accept_silent": _hostile("the connection is accepted and nothing is ever said", _FIRST_LINE),
    "accept_closed": _hostile("the connection is accepted and reset", _FIRST_LINE),
    "never_reads": _hostile(
        "the peer stops reading",
        _CONFIGURED | dict.fromkeys(("rest", "client_secret", "speech_rest"), FaultMoment.ACCEPT),
    ),
    "no_pong": _hostile("pings are never answered", dict.fromkeys(SESSIONS, FaultMoment.UPGRADE)),
    "flood": _hostile("data without end, as fast as it is read", _ALL_ASKED),
    "drip": _hostile("the right bytes one by one, a pause after each", _ALL_ASKED, "delay"),
    "huge_frame": _hostile("one frame of 64 MB", _ASKED),
    "endless_fragments": _hostile("a message of fragments without end", _ASKED),
    "ping_flood": _hostile("pings without end", _ASKED),
    "item_refused": _item("the text is answered by an error event, the session stays open", *_ERROR),
    "item_unanswered": _item("the text is never acknowledged, nor is there an answer to it"),
    "response_failed": _answer("the response is created and ends as failed: server_error", *_ERROR),
    "response_failed_at_once": _answer("a failed response.done without response.created before it", *_ERROR),
    "response_incomplete": _answer("the response breaks off as incomplete: max_output_tokens", "reason"),
    "response_cancelled": _answer("the response ends as cancelled though nobody cancelled it"),
    "no_match": _status_of_speech("NoMatch: speech without words"),
    "initial_silence": _status_of_speech("InitialSilenceTimeout: no speech was heard"),
    "babble": _status_of_speech("BabbleTimeout: nothing but noise"),
    "recognition_error": _status_of_speech("Error: the service gave up, with HTTP 200"),
    "too_many_requests": _status_of_speech("a phrase TooManyRequests", by_socket=True),
    "bad_request": _status_of_speech("a phrase BadRequest", by_socket=True),
    "forbidden": _status_of_speech("a phrase Forbidden", by_socket=True),
    "secret_transcription": _secret("500 whenever the session has a transcription block, else fine"),
    "secret_expired": _secret("the secret is good, and has expired by the time it is used"),
}

EXTRAS: Mapping[str, str] = {
    "share": "a number above 0 and up to 1: the part of the runs that is hit",
    "delay": "seconds, 0 or more",
    "status": "an HTTP status from 400 to 599",
    "code": "a text or null",
    "type": "a text",
    "message": "a text",
    "text": "a text",
    "reason": "a text",
    "location": "a text",
    "variant": f"one of: {', '.join(BROKEN_JSON)}",
    "close": "a close code that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999",
    "retry_after": "a text or a number of seconds; an empty text for none",
    "retry_after_ms": "milliseconds, 0 or more",
}
