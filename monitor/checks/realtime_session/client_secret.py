"""A session that is opened with a client secret: minting it is a step of the run, before the session.

Products hand such secrets to browsers, and the call that makes them was seen to fail alone. The secret
itself never comes here: the transport keeps it and puts it into the handshake.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace

from monitor.checks.realtime_session.dialects import Update
from monitor.checks.realtime_session.state import SessionState
from monitor.checks.rest import read_answer
from monitor.core.classification.error_bodies import mapping
from monitor.core.conversation import MINTED, Answer, Ask, Credential, End, Finding, Upload
from monitor.core.model import Stage
from monitor.providers import PROVIDERS

STEP = "client secret"
FIELD = "value"
LIFE_S = 60  # the session is opened at once; 10 is the least that may be asked for


def mint(run: SessionState, correlation: str, update: Update) -> Generator[Ask, Answer, Finding | None]:
    """Ask for a secret with the transcription block of *update*; a finding where none came."""
    target = run.target
    provider = PROVIDERS[target.endpoint.provider]
    url = provider.secrets_url(target)
    answer = yield Upload(
        url=url,
        headers=(*provider.rest_headers(target, correlation), ("Content-Type", "application/json")),
        body=_body(update),
        until=target.timeout.total_seconds(),
        credential=provider.credential(target.endpoint),
        summary={"mints": STEP},
        mints=FIELD,
    )
    found = read_answer(answer, _read)
    ids = provider.ids_in(found.headers)
    if found.end is not End.TEXT:
        stage = Stage.SESSION if found.stage in (Stage.TRANSCRIBE, Stage.RESPOND) else found.stage
        kept = {**ids, "client_request_id": correlation}
        return replace(found, stage=stage, url=url, ids=kept, step=STEP, marks={})
    run.at = answer.at
    run.credential = Credential(header="Authorization", prefix="Bearer ", reference=MINTED)
    for name, value in ids.items():
        run.note(f"the {STEP} was {name} {value}")
    return None


def _body(update: Update) -> bytes:
    settings = mapping(mapping(mapping(update.get("session")).get("audio")).get("input"))
    audio = {"input": {"transcription": settings.get("transcription")}}
    wanted = {
        "expires_after": {"anchor": "created_at", "seconds": LIFE_S},
        "session": {"type": "transcription", "audio": audio},
    }
    return json.dumps(wanted, separators=(",", ":")).encode()


def _read(value: object) -> Finding:
    if not isinstance(mapping(value).get(FIELD), str):
        detail = f"the answer has no {FIELD}, which should be the secret"
        return Finding(stage=Stage.SESSION, end=End.MALFORMED, detail=detail)
    return Finding(stage=Stage.SESSION, end=End.TEXT)
