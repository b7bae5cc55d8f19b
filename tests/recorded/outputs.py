"""Everything that others read of a recorded set of outcomes: replay, notices, exports, API and bundle.

``python -m tests.recorded.outputs`` writes what is expected anew, where a change of it is meant.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from monitor.cli import main
from monitor.config import load
from monitor.store.database.engine import open_database
from tests.support.filled_database import SETTINGS, Dial, app_over

EXPECTED = Path(__file__).parent / "expected"
START = datetime(2026, 2, 3, 6, 0, tzinfo=UTC)
NOW = START + timedelta(hours=3)
CONFIG = """
[monitor]
location = "berlin"
timezone = "Europe/Berlin"

[web]
public_url = "https://earwitness.example"

[database]
url = "sqlite:///{folder}/earwitness.db"

[endpoint.azure-sweden]
provider = "azure_openai"
url = "https://contoso.openai.azure.com"
region = "swedencentral"
key = "env:RECORDED_KEY"
resource_id = "/subscriptions/1/resourceGroups/stt/providers/Microsoft.CognitiveServices/accounts/contoso"

[endpoint.openai-us]
provider = "openai"
key = "env:RECORDED_KEY"

[[watch]]
endpoint = "azure-sweden"
models = ["gpt-4o-transcribe", "whisper-1"]
pathways = ["realtime", "rest"]
session_model = "gpt-realtime"
every = "1m"

[[watch]]
endpoint = "openai-us"
models = ["gpt-4o-transcribe"]
pathways = ["rest"]
every = "1m"

[channel.oncall]
kind = "webhook"
url = "env:RECORDED_URL"
secret = "env:RECORDED_SECRET"
"""
CELLS = (
    ("azure-sweden", "gpt-4o-transcribe", "realtime"),
    ("azure-sweden", "gpt-4o-transcribe", "rest"),
    ("azure-sweden", "whisper-1", "realtime"),
    ("azure-sweden", "whisper-1", "rest"),
    ("openai-us", "gpt-4o-transcribe", "rest"),
)
SERVER = {
    "failure": "server",
    "stage": "transcribe",
    "blame": "provider",
    "type": "server_error",
    "message": "Input transcription failed for item 'item_7'.",
}
QUOTA = {
    "failure": "quota",
    "stage": "respond",
    "blame": "account",
    "code": "429",
    "http_status": 429,
    "message": "Requests have exceeded call rate limit.",
}
UNREACHABLE = {"failure": "connect", "stage": "connect", "blame": "unknown", "message": "connection refused"}
API = (
    "targets", "windows", "incidents", "incidents/1", "marks", "outcomes?limit=20",
    "advice?need=realtime", "advice?need=rest",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def outcomes() -> Iterator[dict[str, Any]]:
    """Three hours, a run a minute: one pathway down for 40 minutes, one partly, a quota, our own network."""
    for minute in range(180):
        for number, (endpoint, model, pathway) in enumerate(CELLS):
            at = START + timedelta(minutes=minute, seconds=3 * number)
            trouble = _trouble(number, minute)
            line: dict[str, Any] = {
                "schema": "earwitness.outcome/1",
                "id": f"{endpoint}-{model}-{pathway}-{minute:03d}",
                "endpoint": endpoint,
                "provider": "openai" if endpoint == "openai-us" else "azure_openai",
                "region": None if endpoint == "openai-us" else "swedencentral",
                "model": model,
                "pathway": pathway,
                "location": "berlin",
                "every_s": 60,
                "clip": "amiable",
                "configuration": "9f2c11aa",
                "slot": _instant(at),
                "started_at": _instant(at),
                "finished_at": _instant(at + timedelta(milliseconds=2400 + 7 * minute)),
                "verdict": "failed" if trouble else "passed",
                "ids": {"apim_request_id": f"apim-{number}-{minute}", "request_id": None},
            }
            passed = {"wer": 0.0, "completeness": 1.0, "timings_ms": {"connect": 41, "final": 600 + minute}}
            yield {**line, **(trouble or passed)}


def _trouble(number: int, minute: int) -> Mapping[str, Any] | None:
    if number == 0 and 30 <= minute < 70:
        return SERVER
    if number == 3 and 75 <= minute < 110 and minute % 3 == 0:
        return SERVER
    if number == 4 and 90 <= minute < 100:
        return QUOTA
    if 130 <= minute < 140:
        return UNREACHABLE
    return None


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make(folder: Path) -> dict[str, str]:
    """Every output by its file's name, with random ids replaced by their order."""
    (folder / "config.toml").write_text(CONFIG.replace("{folder}", str(folder)))
    (folder / "outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in outcomes()))
    run_command(folder, "import", str(folder / "outcomes.jsonl"))
    found = {
        "replay.json": run_command(folder, "replay", "--json"),
        "replay.txt": run_command(folder, "replay"),
        "notices.json": run_command(folder, "replay", "--channel", "oncall", "--json"),
        "export.jsonl": run_command(folder, "export", "--from", _instant(NOW - timedelta(minutes=15))),
        "export.csv": run_command(
            folder, "export", "--from", _instant(NOW - timedelta(minutes=15)), "--format", "csv"
        ),
    }
    found |= dict(_answers(folder))
    run_command(folder, "evidence", "1", "-o", str(folder / "bundle.zip"))
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        for name in sorted(bundle.namelist()):
            kept = name.rpartition("/")[2]
            if not kept.startswith("SHA256SUMS"):
                found[f"bundle-{kept}"] = bundle.read(name).decode("utf-8", "backslashreplace")
    return {name: _settled(text) for name, text in found.items()}


def run_command(folder: Path, command: str, *words: str) -> str:
    """Run one command over the configuration in *folder*; what it printed."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([command, *words, "--config", str(folder / "config.toml")])
    assert code == 0, f"{command}: {err.getvalue()}"
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode()


def _answers(folder: Path) -> Iterator[tuple[str, str]]:
    settings = load(folder / "config.toml", environ={})
    shown = SETTINGS.__class__(
        location="berlin",
        timezone="Europe/Berlin",
        public_url="https://earwitness.example",
        targets=settings.targets,
        rule=settings.rule,
    )
    database = open_database(f"sqlite:///{folder}/earwitness.db")
    try:
        client = TestClient(app_over(database, Dial(now=NOW), shown), base_url="https://earwitness.example")
        for path in API:
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code == 200, (path, answer.text)
            yield f"api-{re.sub('[^a-z0-9]+', '-', path)}.json", json.dumps(answer.json(), indent=1)
    finally:
        database.dispose()


def _settled(text: str) -> str:
    order: dict[str, str] = {}
    return _UUID.sub(lambda match: order.setdefault(match[0], f"id-{len(order) + 1}"), text)


if __name__ == "__main__":
    EXPECTED.mkdir(exist_ok=True)
    for old in EXPECTED.iterdir():
        old.unlink()
    with tempfile.TemporaryDirectory() as made:
        for name, text in make(Path(made)).items():
            (EXPECTED / name).write_text(text, encoding="utf-8", newline="")
