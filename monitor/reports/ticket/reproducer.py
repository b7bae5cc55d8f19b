"""A short script that makes the failed request again, without our key: for whoever gets the ticket."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun, Role
from monitor.core.model import Target
from monitor.core.sanitize import one_line
from monitor.providers import PROVIDERS
from monitor.reports.ticket.quoting import address, frames, session_json
from monitor.reports.ticket.resource import auth_kind

_REALTIME = '''\
"""Makes the failed session again. Needs: pip install websockets, and {audio}

export KEY_HEADER='name: value' (the header line that carries your key{kind})
python reproduce.py recording.wav
"""
import base64, json, os, sys, wave
from websockets.sync.client import connect

URL = {url}
SESSION = json.loads({session})

name, _, key = os.environ["KEY_HEADER"].partition(": ")
sound = wave.open(sys.argv[1]).readframes(10**9)
with connect(URL, additional_headers={{name: key}}) as socket:
    socket.send(json.dumps(SESSION))
    for start in range(0, len(sound), 4800):
        part = base64.b64encode(sound[start : start + 4800]).decode()
        socket.send(json.dumps({{"type": "input_audio_buffer.append", "audio": part}}))
    {commit}
    for message in socket:
        print(message)
        if "input_audio_transcription.completed" in message or "input_audio_transcription.failed" in message:
            break
'''
_COMMIT = 'socket.send(json.dumps({"type": "input_audio_buffer.commit"}))'
_SERVER_VAD = (
    "socket.send(json.dumps({'type': 'input_audio_buffer.append', 'audio': 'AAAA' * 16000}))  # silence"
)


def reproducer(dossier: BundleFacts) -> tuple[str, str] | None:
    """File name and text of the script for the first failed run; None where its evidence is gone."""
    first = dossier.exhibit(Role.FIRST_FAILED)
    url = address(first)
    if first is None or url is None:
        return None
    target = dossier.targets.get(first.outcome.target)
    if url.startswith(("ws://", "wss://")):
        return _realtime(dossier, first, url, target)
    return "reproduce.sh", _rest(dossier, first, url, target)


def _realtime(
    dossier: BundleFacts, first: QuotedRun, url: str, target: Target | None
) -> tuple[str, str] | None:
    session = session_json(first)
    if session is None:
        return None
    by_vad = target is not None and target.turn == "server_vad"
    text = _REALTIME.format(
        audio=_audio(dossier, first, "24 kHz mono PCM16"),
        kind=f"; ours was sent as {auth_kind(target.endpoint)}" if target else "",
        url=repr(url),
        session=repr(json.dumps(json.loads(session), ensure_ascii=True)),
        commit=_SERVER_VAD if by_vad else _COMMIT,
    )
    return "reproduce.py", text


def _rest(dossier: BundleFacts, first: QuotedRun, url: str, target: Target | None) -> str:
    credential = PROVIDERS[target.endpoint.provider].credential(target.endpoint) if target else None
    own_header = credential.header if credential and not credential.prefix else None
    key = f'-H "{own_header}: $API_KEY"' if own_header else '--oauth2-bearer "$API_KEY"'
    fields = "".join(
        f" \\\n  --form-string {shlex.quote(f'{name}={value}')}" for name, value in _form(first).items()
    )
    return (
        "#!/bin/sh\n"
        f"# Makes the failed request again. Needs curl and {_audio(dossier, first, 'WAV')}\n"
        "# export API_KEY=…; then: sh reproduce.sh recording.wav\n"
        f'curl -sS -i {shlex.quote(url)} \\\n  {key}{fields} \\\n  -F "file=@$1;type=audio/wav"\n'
    )


def _form(first: QuotedRun) -> Mapping[str, str]:
    """The form fields that were sent beside the file, as the evidence summarises them."""
    for frame in frames(first, "out"):
        body = frame.get("body")
        summary = body if isinstance(body, Mapping) else _parsed(body)
        fields = summary.get("fields")
        if isinstance(fields, Mapping):
            return {
                one_line(str(name), 60): one_line(str(value), 300)
                for name, value in fields.items()
                if name != "file"
            }
    return {}


def _parsed(body: object) -> Mapping[str, object]:
    try:
        parsed = json.loads(body) if isinstance(body, str) else None
    except ValueError:
        return {}
    return parsed if isinstance(parsed, Mapping) else {}


def _audio(dossier: BundleFacts, first: QuotedRun, form: str) -> str:
    recording = dossier.recordings.get(first.outcome.clip or "")
    if recording is None:
        return f"a {form} recording of speech"
    said = (
        f"ours says '{one_line(recording.text, 160)}', {recording.seconds:.2f} s, SHA-256 {recording.sha256}"
    )
    return f"a {form} recording of speech ({said})"
