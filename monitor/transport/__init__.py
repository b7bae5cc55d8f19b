"""Runs conversations and sends notices: the only package that opens sockets (but for the sandbox).

It judges nothing: what came, when, and what broke is told to the conversation and kept as evidence.
"""

from __future__ import annotations

from monitor.transport.entra import Tokens, advice, require_library
from monitor.transport.limits import Limits
from monitor.transport.reach import Reach
from monitor.transport.run import Observation, Reply, Transport
from monitor.transport.tls import trusted

__all__ = [
    "Limits",
    "Observation",
    "Reach",
    "Reply",
    "Tokens",
    "Transport",
    "advice",
    "require_library",
    "trusted",
]
