"""``earwitness clip add``: what it writes, and how it says to go on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.clips import recording
from monitor.clips.recording import load_clip

SOURCE = Path(recording.__file__).parent / "data" / "amiable.wav"

pytest.importorskip("soundfile")


def test_a_clip_is_added_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line to write into the configuration is printed, and the clip loads."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(SOURCE, tmp_path / "voice.wav")
    assert main(["clip", "add", "voice.wav", "--text", "He might even have been made amiable himself."]) == 0
    said = capsys.readouterr().out
    assert 'clip = "clips/voice.wav"' in said
    assert load_clip(str(tmp_path / "clips" / "voice.wav")).text.startswith("He might")


def test_a_refused_recording_is_our_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence, nothing written."""
    monkeypatch.chdir(tmp_path)
    assert main(["clip", "add", "missing.wav", "--text", "x"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "clips").exists()
