"""The practice provider: it speaks OpenAI's and Azure OpenAI's protocols strictly and breaks on a script.

It must not import checks, providers or transport, nor share code with them that builds or reads
frames, so that one mistake cannot hide on both sides.
"""

from __future__ import annotations

from monitor.sandbox.common.script import Latency, Script, ServedEndpoint, default_script, load_script
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault, FaultError, parse_fault
from monitor.sandbox.server.app import create_app
from monitor.sandbox.server.serve import running, serve

__all__ = [
    "ActiveFault",
    "FaultError",
    "Latency",
    "Sandbox",
    "Script",
    "ServedEndpoint",
    "create_app",
    "default_script",
    "load_script",
    "parse_fault",
    "running",
    "serve",
]
