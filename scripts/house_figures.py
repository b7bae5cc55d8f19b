"""Measures how easily a stranger finds the way in `monitor/`, and prints the figures beside their aims.

The way of one bad outcome and of one page is traced: a sandbox and the service run as processes, a target
is broken, and every function of ours that runs until the notice is delivered is noted. Everything else is
counted in the source text. Takes about half a minute.

    python scripts/house_figures.py            # the table
    python scripts/house_figures.py --files    # the table, and what it counted
    python scripts/house_figures.py --static   # without running anything
"""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "monitor"
PATIENCE_S = 60.0
KEY = "sandbox-key"
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"

# The same thing at two places: its meaning, how the store keeps it, how a page shows it. Such a name
# misleads nobody.
SAME_MEANING = {
    "annotations",
    "app",
    "derive",
    "dialects",
    "errors",
    "evidence",
    "history",
    "incident",
    "incidents",
    "migrate",
    "maintenance",
    "marks",
    "overview",
    "rest",
    "retirements",
    "self_observations",
    "session",
    "serve",
    "websocket",
}

CONFIG = """
[monitor]
location = "here"
[web]
listen = "127.0.0.1:{port}"
[database]
url = "sqlite:///{folder}/figures.db"
[endpoint.azure]
provider = "azure_openai"
url = "{base}/azure-sweden"
region = "swedencentral"
key = "env:FIGURES_KEY"
[[watch]]
endpoint = "azure"
models = ["gpt-4o-transcribe", "whisper-1"]
pathways = ["realtime", "rest"]
session_model = "gpt-realtime"
every = "2s"
pace = "burst"
max_per_minute = 1000
[rule.down]
bad = 3
of = 5
span = "2s"
good = 3
merge = "9s"
merge_intervals = 1
[channel.oncall]
kind = "webhook"
url = "env:FIGURES_URL"
secret = "env:FIGURES_SECRET"
"""

# Python reads a module of this name at its start. It notes when each function of ours ran last.
TRACER = """
import json, os, sys, threading, time

_seen, _home = {}, os.environ["FIGURES_PACKAGE"]
_known = {}

def _note(frame, event, argument):
    if event == "call":
        code = frame.f_code
        ours = _known.get(code)
        if ours is None:
            ours = _known[code] = code.co_filename.startswith(_home) and code.co_name != "<module>"
        if ours:
            _seen[code] = time.time()

def _write():
    sys.setprofile(None)
    path = os.path.join(os.environ["FIGURES_FOLDER"], f"trace-{os.getpid()}.json")
    while True:
        time.sleep(0.2)
        rows = [(code.co_filename, code.co_name, at) for code, at in list(_seen.items())]
        with open(path + ".new", "w") as file:
            json.dump(rows, file)
        os.replace(path + ".new", path)

threading.Thread(target=_write, daemon=True).start()
threading.setprofile(_note)
sys.setprofile(_note)
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; `listed` is what was counted."""

    question: str
    value: str
    aim: str
    listed: Sequence[str] = ()


def main() -> None:
    """Print the table."""
    rows = [*(() if "--static" in sys.argv else traced()), *static()]
    width = max(len(row.question) for row in rows)
    for row in rows:
        print(f"{row.question:{width}}  {row.value:>28}   aim: {row.aim}")
        if "--files" in sys.argv:
            for line in row.listed:
                print(f"    {line}")


def static() -> Iterator[Figure]:
    """The figures that need nothing run."""
    modules = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    named = {path: tree for path, tree in modules.items() if path.name != "__init__.py"}
    yield page_names(modules)
    sizes = Counter(place(path.parent) for path in named)
    largest, size = sizes.most_common(1)[0]
    yield Figure(
        "files in the largest folder",
        f"{size} ({largest})",
        "≤ 16",
        [f"{n} {f}" for f, n in sizes.most_common()],
    )
    files = twice((path.stem, place(path)) for path in named)
    unclear = {name: places for name, places in files.items() if name not in SAME_MEANING}
    value = f"{len(unclear)} (of {len(files)} that recur)"
    yield Figure("file names with several meanings", value, "≤ 5", listed(unclear))
    classes = twice(
        (node.name, place(path))
        for path, tree in named.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    yield Figure("class names with several meanings", str(len(classes)), "0", listed(classes))
    yield private_functions(named)
    yield from lines(modules)


def page_names(modules: Mapping[Path, ast.Module]) -> Figure:
    """How many names route and view of the incident page import of ours, and from how many folders."""
    own = [PACKAGE / "web" / "pages" / "incident.py"]
    names = {
        f"{node.module}.{alias.name}"
        for path in own
        if path in modules
        for node in ast.walk(modules[path])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("monitor")
        for alias in node.names
    }
    rooms = {room(name) for name in names}
    value = f"{len(names)} names, {len(rooms)} rooms"
    return Figure("what route and view of /incidents/N import", value, "≤ 35 names, ≤ 8 rooms", sorted(names))


def room(name: str) -> str:
    """The folder in which a name of ours stands."""
    parts = name.split(".")[:-1]
    while len(parts) > 1 and not (ROOT / Path(*parts)).is_dir():
        parts.pop()
    return ".".join(parts)


def twice(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that stand at more than one place, with their places."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, where in pairs:
        found[name].append(where)
    return {name: places for name, places in sorted(found.items()) if len(places) > 1}


def private_functions(modules: Mapping[Path, ast.Module]) -> Figure:
    """The share of module-level functions that are private and named once outside their own body."""
    every, single = 0, []
    for path, tree in modules.items():
        uses = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for function in tree.body:
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            every += 1
            within = sum(
                isinstance(node, ast.Name) and node.id == function.name for node in ast.walk(function)
            )
            if function.name.startswith("_") and uses[function.name] - within == 1:
                single.append(f"{place(path)}: {function.name}")
    value = f"{len(single) / every:.0%} ({len(single)} of {every})"
    return Figure("private functions with one caller", value, "≤ 20 %", single)


def lines(modules: Iterable[Path]) -> Iterator[Figure]:
    """Comments and all lines. A comment to a tool is none."""
    every, comments, blank, lengths = 0, 0, 0, {}
    for path in modules:
        text = path.read_text("utf-8")
        rows = text.splitlines()
        every += len(rows)
        blank += sum(not row.strip() for row in rows)
        lengths[place(path)] = len(rows)
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_whole_line = token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
            comments += is_whole_line and "noqa" not in token.string
    yield Figure("comment lines", f"{comments / every:.1%} ({comments})", "2 to 3 %")
    longest = sorted(lengths.items(), key=lambda item: -item[1])[:20]
    yield Figure(
        "lines of monitor/",
        f"{every} ({every - blank} not blank)",
        "fewer than 39583",
        [f"{n} {f}" for f, n in longest],
    )
    yield Figure("files of monitor/", str(len(lengths)), "–")


def place(path: Path) -> str:
    """The path as people name it."""
    return path.relative_to(ROOT).as_posix()


def listed(found: Mapping[str, Sequence[str]]) -> list[str]:
    """One line for each name."""
    return [f"{name}: {', '.join(places)}" for name, places in found.items()]


class Receiver(ThreadingHTTPServer):
    """Takes every notice, and remembers when the first one came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.server.taken.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


def traced() -> Iterator[Figure]:
    """Break one target of a running service, follow the outcome to its notice, then ask for the page."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory(prefix="house-figures-") as name:
        folder = Path(name)
        (folder / "tracer").mkdir()
        (folder / "tracer" / "sitecustomize.py").write_text(TRACER)
        with process("sandbox", "--port", "0", folder=folder) as sandbox:
            base = address(sandbox)
            port = free_port()
            (folder / "config.toml").write_text(CONFIG.format(port=port, folder=folder, base=base))
            hook = f"http://127.0.0.1:{receiver.server_port}/hook"
            more = {"FIGURES_URL": hook, "FIGURES_KEY": KEY, "FIGURES_SECRET": SECRET}
            with process("serve", folder=folder, trace=True, environ=more) as service:
                page = f"http://127.0.0.1:{port}"
                until(lambda: passes(page) >= 8, service)
                began = time.time()
                post(
                    f"{base}/_control/faults",
                    {"model": "gpt-4o-transcribe", "pathway": "realtime", "fault": "failed"},
                )
                until(receiver.taken.is_set, service)
                time.sleep(1.5)  # until it is noted as delivered, and the trace is written
                way = ran(folder, began)
                asked = time.time()
                get(f"{page}/incidents/1")
                answered = time.time()
                time.sleep(0.6)
                shown = ran(folder, asked, answered, only=ran(folder, asked, answered, rendering=True))
    receiver.shutdown()
    files = sorted({place(Path(file)) for file, _ in way})
    yield Figure("files on the way of one bad outcome", str(len(files)), "≤ 65", files)
    files = sorted({place(Path(file)) for file, _ in shown})
    rooms = {str(Path(file).parent) for file in files}
    value = f"{len(shown)} functions, {len(files)} files, {len(rooms)} rooms"
    yield Figure(
        "what runs for GET /incidents/N",
        value,
        "≤ 8 rooms",
        [f"{place(Path(f))}: {n}" for f, n in sorted(shown)],
    )


Function = tuple[str, str]


def ran(
    folder: Path,
    since: float,
    until_: float = float("inf"),
    *,
    rendering: bool = False,
    only: set[Function] | None = None,
) -> set[Function]:
    """The functions of ours that ran since then: with *rendering* those of the process that made the page."""
    found: set[Function] = set()
    for path in folder.glob("trace-*.json"):
        rows = json.loads(path.read_text())
        here = {(file, name) for file, name, at in rows if since <= at <= until_}
        if rendering and not any(Path(file).name == "render.py" for file, _ in here):
            continue
        found |= here
    return found if only is None else found & only


@contextmanager
def process(
    *arguments: str, folder: Path, trace: bool = False, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``python -m monitor …`` in *folder*, ended with the block."""
    paths = [*([str(folder / "tracer")] if trace else []), str(ROOT)]
    variables = {
        **os.environ,
        **(environ or {}),
        "PYTHONPATH": os.pathsep.join(paths),
        "FIGURES_FOLDER": str(folder),
        "FIGURES_PACKAGE": f"{PACKAGE}{os.sep}",
    }
    command = [sys.executable, "-m", "monitor", *arguments]
    with (folder / f"{arguments[0]}.log").open("w") as log:
        popen = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            yield popen
        finally:
            popen.send_signal(signal.SIGTERM)
            try:
                popen.wait(20)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()


def address(sandbox: subprocess.Popen[str]) -> str:
    """The base URL that the sandbox says."""
    assert sandbox.stdout is not None
    for line in sandbox.stdout:
        for word in line.replace(",", " ").split():
            if word.startswith("http://"):
                return word
    raise SystemExit("the sandbox did not start")


def until(is_so: Callable[[], bool], service: subprocess.Popen[str]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if service.poll() is not None or time.monotonic() > end:
            raise SystemExit("the service ended, or what was waited for did not come")
        time.sleep(0.2)


def passes(page: str) -> int:
    """How many runs passed so far."""
    try:
        items = json.loads(get(f"{page}/api/v1/outcomes?limit=100"))["items"]
    except URLError:
        return 0
    return sum(item["verdict"] == "passed" for item in items)


def get(url: str) -> bytes:
    """The answer's body."""
    with urlopen(url, timeout=20) as answer:  # noqa: S310 - an address of ours
        body: bytes = answer.read()
    return body


def post(url: str, body: Mapping[str, str]) -> None:
    """Tell the sandbox something."""
    request = Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310 - an address of ours
    with urlopen(request, timeout=20):  # noqa: S310
        pass


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
