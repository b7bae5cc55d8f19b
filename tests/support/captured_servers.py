"""What real servers said, as answers for the player: the recordings beside the agreed cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.core.conversation import Answer, Answering, Finished, Opened, Piece, Responded, Text

FOLDER = Path(__file__).parent.parent / "cases" / "captures"
EVENTS = (("Content-Type", "text/event-stream; charset=utf-8"),)
JSON = (("Content-Type", "application/json"),)


def captured(name: str, where: str) -> list[dict[str, Any]]:
    """The lines of one recording that were seen at that place (`rest.json`, `rest.stream`, `realtime`)."""
    lines = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [line for line in lines if line["where"] == where]


def session(name: str) -> list[Answer]:
    """A recorded realtime session, from the upgrade on."""
    heard: list[Answer] = [Opened(at=0.02, headers=())]
    heard += [Text(at=line["t"], text=json.dumps(line["event"])) for line in captured(name, "realtime")]
    return heard


def stream(name: str, *, bare_end: bool = False) -> list[Answer]:
    """A recorded stream of events, with or without `[DONE]`, and its end."""
    told: list[Answer] = [Answering(at=0.1, status=200, headers=EVENTS)]
    told += [
        Piece(at=line["t"], data=f"data: {json.dumps(line['event'])}\n\n".encode())
        for line in captured(name, "rest.stream")
    ]
    if bare_end:
        told.append(Piece(at=9.0, data=b"data: [DONE]\n\n"))
    return [*told, Finished(at=9.1)]


def whole(name: str) -> Answer:
    """The recorded answer to a request for `json`."""
    [line] = captured(name, "rest.json")
    return Responded(at=line["t"], status=200, headers=JSON, body=json.dumps(line["event"]).encode())
