"""Where each numbered fault is shown: the cells of the matrix and the tests that prove it.

A cell is written ``row × column``; a test ``path::name``, its path beneath `tests/`. The numbers are those of
the faults that a provider, a network or a recording can show; what they are stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Proof(NamedTuple):
    """What a fault is, and where it is shown."""

    fault: str
    shown: tuple[str, ...]


_DIAL, _SOCKETS = "transport/test_dial.py::test_", "transport/test_websocket_peers.py::test_"
_UPLOAD, _STREAM = "transport/test_http.py::test_", "transport/test_http_stream.py::test_"
_SESSION, _SCRIPTED = "checks/realtime_session/test_conversation.py::test_", "matrix/test_scripted.py::test_"
_CLIP, _FUZZ = "clips/test_recording.py::test_", "matrix/test_fuzz.py::test_"

PROOFS: Mapping[int, Proof] = {
    1: Proof("TLS is never completed", ("no_tls × realtime", f"{_DIAL}a_peer_that_never_completes_tls")),
    2: Proof("the upgrade is never answered", ("no_upgrade × realtime", "no_upgrade × speech_ws")),
    3: Proof(
        "the upgrade is answered by a status and a body",
        (
            f"{_SCRIPTED}every_status_of_a_refused_upgrade_has_its_name",
            "429 × realtime",
            "html_200 × realtime",
        ),
    ),
    4: Proof("upgrade, then silence", ("no_created × realtime", "no_created × speech_ws")),
    5: Proof("session event, then silence", ("no_updated × realtime", "no_committed × realtime")),
    6: Proof("deltas and no completion", ("deltas_stop × realtime", "deltas_stop × rest_stream")),
    7: Proof("completion without deltas", ("completed_only × realtime",)),
    8: Proof("a failed event", ("failed × realtime", "failed_code × realtime", "500 × realtime, item")),
    9: Proof("an error event, the connection stays open", ("error_event × realtime",)),
    10: Proof("completion for another item", ("wrong_item × realtime",)),
    11: Proof(
        "events twice, out of order, of unknown types",
        ("duplicates × realtime", "out_of_order × realtime", "unknown_events × realtime"),
    ),
    12: Proof(
        "a close before the completion",
        (
            *(f"close: {code} × realtime" for code in (1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000, 4999)),
            "close: 1011 told × realtime",
            "drop × realtime",
        ),
    ),
    13: Proof(
        "a reset in mid-audio, a half-close",
        (
            "drop_in_audio × realtime",
            "half_close × realtime",
            f"{_SOCKETS}a_reset_in_mid_audio_is_heard_while_sending",
        ),
    ),
    14: Proof(
        "a binary frame, no UTF-8, no JSON, JSON that is no event",
        (
            "binary_frame × realtime",
            "invalid_utf8 × realtime",
            *(
                f"invalid_json: {kind} × realtime"
                for kind in ("cut", "null", "array", "string", "number", "deep")
            ),
            "invalid_json: duplicate × realtime",
            "invalid_json: huge_number × realtime",
        ),
    ),
    15: Proof(
        "one huge frame, endless frames, endless fragments, a compressed bomb",
        (
            "huge_frame × realtime",
            "flood × realtime",
            "endless_fragments × realtime",
            f"{_SOCKETS}frames_that_break_the_protocol",
            f"{_FUZZ}an_assault_takes_bounded_memory",
        ),
    ),
    16: Proof("a flood of pings, no pong", ("ping_flood × realtime", "no_pong × realtime")),
    17: Proof(
        "one byte at a time for ever",
        ("drip × realtime", "drip × rest", f"{_SOCKETS}a_drip_ends_at_the_deadline"),
    ),
    18: Proof(
        "a peer that stops reading",
        (
            "never_reads × realtime",
            f"{_SESSION}a_peer_that_reads_no_more_is_silent_at_send",
            f"{_SCRIPTED}a_peer_that_stops_reading_is_silent_at_send",
        ),
    ),
    19: Proof(
        "session expiry; speech that is never noticed", ("session_expired × realtime", "no_turns × realtime")
    ),
    20: Proof(
        "a redirect of the upgrade to another host",
        ("redirect × realtime", f"{_SOCKETS}a_redirect_is_not_followed"),
    ),
    21: Proof(
        "a certificate that cannot be believed",
        (
            f"{_SCRIPTED}a_certificate_that_cannot_be_believed_is_named",
            f"{_DIAL}a_certificate_that_cannot_be_believed",
        ),
    ),
    22: Proof(
        "a session with another model than asked for",
        ("drift_host × realtime", "drift_model × realtime_transcription", "drift × realtime"),
    ),
    23: Proof(
        "slow acceptance of the upload, no 100-continue",
        (f"{_UPLOAD}a_peer_that_takes_no_body_is_silence", f"{_SCRIPTED}no_upload_waits_for_a_permission"),
    ),
    24: Proof(
        "200 with an error, a page, nothing, half a body, another type or charset",
        (
            *(f"{kind} × rest" for kind in ("error_200", "html_200", "empty_200", "truncated_json")),
            "wrong_type × rest",
            "wrong_charset × rest",
            "wrong_charset × rest_stream",
        ),
    ),
    25: Proof(
        "429 with and without retry-after",
        (
            "429 × rest",
            "429: retry-after × rest",
            "429: retry-after-ms × rest",
            f"{_SCRIPTED}a_wish_to_wait_is_kept_whatever_it_says",
        ),
    ),
    26: Proof("413, 415, 422 on our audio", ("413 × rest", "415 × rest", "422 × rest", "413 × speech_rest")),
    27: Proof(
        "a stream without its final event",
        ("deltas_stop × rest_stream", "sse_error × rest_stream", "truncated_json × rest_stream"),
    ),
    28: Proof(
        "a body without end, a packed bomb, 10 GB announced",
        (
            "endless_body × rest",
            "gzip_bomb × rest",
            "huge_length × rest",
            f"{_STREAM}bytes_and_pieces_are_bounded",
        ),
    ),
    29: Proof("control characters and 300 kB in headers", ("control_headers × rest", "large_headers × rest")),
    30: Proof(
        "redirect chains",
        ("redirect × rest", "redirect_loop × rest", f"{_UPLOAD}a_redirect_is_an_answer_and_nothing_else"),
    ),
    31: Proof("a stale kept-alive connection", (f"{_UPLOAD}every_run_connects_afresh_and_keeps_nothing",)),
    32: Proof("no words", ("empty × rest", "whitespace × realtime", "punctuation × realtime")),
    33: Proof("right words, written otherwise", (f"{_SCRIPTED}right_words_pass_however_they_are_written",)),
    34: Proof("another language", ("other_language × rest", "other_language × realtime")),
    35: Proof("half the text", ("truncated × rest", "truncated × realtime")),
    36: Proof(
        "a leaked prompt, a loop, words where nothing was said",
        ("prompt_leak × rest", "loop × realtime", "hallucination × rest", "hallucination × realtime"),
    ),
    37: Proof("the words of the previous clip", ("previous_clip × rest", "previous_clip × realtime")),
    38: Proof(
        "odd characters",
        ("unicode × rest", "unicode × realtime", f"{_FUZZ}whatever_bytes_come_a_run_ends_in_an_outcome"),
    ),
    39: Proof("refused by the content filter", ("400_filter × rest", "400_filter × dual")),
    40: Proof(
        "40 % random failures", (f"{_SCRIPTED}of_random_failures_each_is_named_and_no_other_run_is_hit",)
    ),
    41: Proof(
        "right and ten times slower",
        ("slow × rest", "slow × realtime", f"{_SCRIPTED}ten_times_the_usual_is_degraded"),
    ),
    42: Proof(
        "a key that is revoked, wrong, expired, of another resource, or ends in a line break",
        (
            "401 × rest",
            "401 × realtime, OpenAI",
            "401_token × rest",
            "secret_expired × client_secret",
            f"{_SCRIPTED}a_key_that_ends_in_a_line_break_is_our_own_fault",
        ),
    ),
    43: Proof(
        "a missing deployment, a retired model or API version",
        ("404 × rest", "404 × realtime", "404_path × rest", "failed_model_not_found × realtime"),
    ),
    44: Proof(
        "the spend limit is reached",
        ("429_quota × rest", "429_quota × realtime, OpenAI", "failed_quota × realtime"),
    ),
    45: Proof("the region is refused", ("403_region × rest", "403_region × rest, OpenAI")),
    46: Proof("a token that expires in mid-run", ("401_token × dual", "401_token × dual, session step")),
    56: Proof(
        "a recording that is missing or altered",
        (
            f"{_CLIP}an_altered_file_is_refused",
            f"{_CLIP}a_missing_file_is_refused",
            f"{_SCRIPTED}a_lost_recording_is_our_own_fault",
        ),
    ),
}
