"""The script for whoever gets the ticket: valid, complete, without a key, or absent."""

from __future__ import annotations

import ast
import json
import subprocess
from dataclasses import replace
from pathlib import Path

from monitor.reports.bundle import render
from tests.support.sample_bundle_facts import dossier, exhibits, members, with_first


def test_the_realtime_script_is_python_with_url_and_session() -> None:
    """Whoever gets the ticket can make the session again with an own key."""
    script = members(render(dossier()))["reproduce.py"].decode()
    ast.parse(script)
    assert "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host" in script
    assert '"transcription": {"model": "stt-prod"}' in script
    assert 'os.environ["KEY_HEADER"]' in script


def test_the_rest_script_is_shell_with_the_form_fields(tmp_path: Path) -> None:
    """The same call with the same fields; the shell accepts it whatever the values hold."""
    sent = {
        "dir": "out",
        "kind": "http",
        "body": json.dumps({"fields": {"model": "stt-prod", "prompt": "it's $HOME"}}),
    }
    for url in ("https://contoso.openai.azure.com/openai/v1/audio/transcriptions", "https://h.example/a'b"):
        script = members(render(with_first(url=url, frames=[sent])))["reproduce.sh"].decode()
        (tmp_path / "reproduce.sh").write_text(script)
        assert subprocess.run(["sh", "-n", tmp_path / "reproduce.sh"], check=False).returncode == 0
        assert "--form-string model=stt-prod" in script
        assert "--form-string 'prompt=it'\"'\"'s $HOME'" in script
        assert '-H "api-key: $API_KEY"' in script


def test_without_evidence_there_is_no_script() -> None:
    """A script is only written from what was really sent."""
    bare = dossier(exhibits=[replace(shown, evidence=None) for shown in exhibits()])
    names = members(render(bare))
    assert not [name for name in names if name.startswith("reproduce")]
    assert json.loads(names["frames/first-failed-run-first.json"])["evidence"] is None
    assert "reproduce.py" not in members(render(with_first(frames=[])))


def test_a_truncated_session_is_no_session() -> None:
    """Half a configuration would reproduce something else."""
    cut = {"dir": "out", "type": "session.update", "body": '{"type":"sess', "truncated": True}
    assert "reproduce.py" not in members(render(with_first(frames=[cut])))
    assert "reproduce.py" not in members(render(with_first(frames=[{**cut, "truncated": False}])))
