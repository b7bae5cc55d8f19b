"""``earwitness sandbox``: the practice provider alone."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.terminal import PORTS, Unread, say

_STANDARD_INPUT = 0


def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(name=["--port", "-p"], validator=PORTS)] = 8900,
    script: Path | None = None,
    whisper: Path | None = None,
    tls: Annotated[bool, Parameter(negative="")] = False,
    lifeline: Annotated[bool, Parameter(show=False, negative="")] = False,
    config: Unread = None,  # noqa: ARG001 - see there
) -> int:
    """Serve the practice provider until it is stopped.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on; 0 takes a free one.
    script
        A TOML file with endpoints, latencies and faults; without one, the endpoints azure-sweden and
        openai-us.
    whisper
        The folder of a faster-whisper model that then really recognises what is said, on every pathway;
        needs the extra `whisper`.
    tls
        Answer https and wss with a certificate made at start. The certificate's file is printed: give it
        to clients as their CA, for example as `ca_file` in `[network]`.
    lifeline
        For the program that starts it: print the address alone, and end when standard input ends, so that
        nothing outlives the process that started it.

    """
    from monitor.sandbox import default_script, load_script, serve  # noqa: PLC0415 - only here needed

    def started(base: str) -> None:
        told = f"The sandbox answers at {base}, key sandbox-key. Break something at {base}/_control"
        say(base if lifeline else told)

    if lifeline:
        threading.Thread(target=_end_with_input, daemon=True).start()
    wanted = load_script(script) if script else default_script()
    wanted = replace(wanted, whisper=whisper) if whisper else wanted
    if not tls:
        serve(host, port, wanted, started=started)
        return 0
    from monitor.sandbox.common.state import utc_now  # noqa: PLC0415 - only here needed
    from monitor.sandbox.server.certificate import serving_certificate  # noqa: PLC0415 - only here needed

    with serving_certificate(host, utc_now()) as served:
        say(f"Clients trust the certificate in {served.path}")
        serve(host, port, wanted, tls=served.context, started=started)
    return 0


def _end_with_input() -> None:
    # Not through sys.stdin: its lock would be held when the interpreter ends, which is fatal to it.
    while os.read(_STANDARD_INPUT, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
