"""What becomes of a connection at its first bytes, before any HTTP: served, held, ignored or reset.

The control page is served whatever happens, so that every fault can be mended.
"""

from __future__ import annotations

from enum import Enum
from urllib.parse import unquote

from monitor.sandbox.common.access import named_endpoint
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment

LONGEST_LINE = 8192
_HANDSHAKE = 0x16  # the first byte of a TLS handshake record (RFC 8446, section 5.1)


class FirstBytesDecision(Enum):
    """What becomes of a connection."""

    UNDECIDED = "more bytes are needed"
    SERVE = "served"
    SILENT = "held and never answered"
    DEAF = "not even read"
    RESET = "reset"


_BY_FAULT = {
    "no_tls": FirstBytesDecision.SILENT,
    "accept_silent": FirstBytesDecision.SILENT,
    "never_reads": FirstBytesDecision.DEAF,
    "accept_closed": FirstBytesDecision.RESET,
}


def judge_first_bytes(sandbox: Sandbox, first: bytes) -> FirstBytesDecision:
    """The verdict on a connection that begins with *first*."""
    if not sandbox.faults.listed():
        return FirstBytesDecision.SERVE
    if first[:1] == bytes([_HANDSHAKE]):
        return _verdict(sandbox.faults.strike_unnamed())
    line, separator, _ = first.partition(b"\r\n")
    if not separator and len(first) < LONGEST_LINE:
        return FirstBytesDecision.UNDECIDED
    method, _, rest = line.decode("latin-1").partition(" ")
    target = rest.partition(" ")[0]
    endpoint = named_endpoint(sandbox.script, unquote(target.partition("?")[0]))
    pathway = _pathway(method, target)
    if endpoint is None or pathway is None:
        return FirstBytesDecision.SERVE
    fault = sandbox.faults.strike(FaultMoment.ACCEPT, endpoint=endpoint.name, pathway=pathway, models=())
    return FirstBytesDecision.SERVE if fault is not None and fault.fault == "no_tls" else _verdict(fault)


def _verdict(fault: ActiveFault | None) -> FirstBytesDecision:
    return FirstBytesDecision.SERVE if fault is None else _BY_FAULT[fault.fault]


def _pathway(method: str, target: str) -> str | None:
    """The pathway an address belongs to, as far as it can be told from the first line."""
    path, _, query = target.partition("?")
    if path.endswith("/audio/transcriptions"):
        return "rest"
    if path.endswith("/client_secrets"):
        return "client_secret"
    if path.endswith("/realtime"):
        return "realtime_transcription" if "intent=transcription" in query else "realtime"
    if path.endswith("transcriptions:transcribe"):
        return "speech_rest"
    if "/speech/" not in path:
        return None
    return "speech_rest" if method == "POST" else "speech_ws"
