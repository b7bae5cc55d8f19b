"""Runs conversations and sends notices: the only package that opens sockets (but for the sandbox).

It judges nothing: what came, when, and what broke is told to the conversation and kept as evidence.
"""

from __future__ import annotations

from monitor.transport.entra_tokens import Tokens, advice, require_library
from monitor.transport.limits import Limits
from monitor.transport.probe import ProbeResult
from monitor.transport.tls import trusted
from monitor.transport.transport import HttpReply, Observation, Transport

__all__ = [
    "HttpReply",
    "Limits",
    "Observation",
    "ProbeResult",
    "Tokens",
    "Transport",
    "advice",
    "require_library",
    "trusted",
]
