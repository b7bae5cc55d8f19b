"""The practice provider: it speaks OpenAI's and Azure OpenAI's protocols strictly and breaks on a script.

It must not import checks, providers or transport, nor share code with them that builds or reads
frames, so that one mistake cannot hide on both sides.
"""

from __future__ import annotations

from monitor.sandbox.app import create_app
from monitor.sandbox.faults import Fault, FaultError, parse_fault
from monitor.sandbox.script import Endpoint, Latency, Script, default_script, load_script
from monitor.sandbox.serving import running, serve
from monitor.sandbox.state import Sandbox

__all__ = [
    "Endpoint",
    "Fault",
    "FaultError",
    "Latency",
    "Sandbox",
    "Script",
    "create_app",
    "default_script",
    "load_script",
    "parse_fault",
    "running",
    "serve",
]
