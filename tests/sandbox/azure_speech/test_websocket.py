"""The WebSocket protocol of Azure AI Speech: its frames, its order, its faults."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitor import clips
from monitor.sandbox import Script, create_app, running
from monitor.sandbox.azure_speech.messages import BadMessage, read_binary, read_text, write
from monitor.sandbox.azure_speech.websocket import SpeechSession, Wanted
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.hearing.audio import Resampler, UnreadableAudio, read_stream_header, read_wav
from monitor.sandbox.server.upgrade import NeverAnswer, SpeechAdmission, enter, read_upgrade_request
from tests.support.sandbox_sessions import (
    AMIABLE,
    KEY,
    REQUEST_ID,
    SPEECH,
    RecordedLine,
    at_16_khz,
    broken,
    fault,
    sandbox,
    speech_audio,
    speech_frames,
    speech_text,
    wav,
)

CONFIG = speech_text("speech.config", {"context": {"system": {"name": "probe", "version": "1"}}})
CONTEXT = speech_text("speech.context", {"phraseDetection": {"mode": "Conversation"}})
PATH = "/speech-sweden/speech/recognition/conversation/cognitiveservices/v1?language=en-US"
PAUSE = bytes(60_000)


class Recogniser:
    """A client of a recognition without a socket."""

    def __init__(
        self, script: Script = SPEECH, mode: str = "conversation", *, detailed: bool = False
    ) -> None:
        self.line = RecordedLine()
        endpoint = script.endpoints["speech-sweden"]
        self.session = SpeechSession(sandbox(script), endpoint, Wanted(mode, detailed), self.line)

    def run(self, pcm: bytes | None = None) -> list[tuple[str, dict[str, Any]]]:
        """One whole turn; what was said in it."""
        self.session.receive(CONFIG)
        self.session.receive(CONTEXT)
        for frame in speech_frames(clips.load_clip("amiable").pcm if pcm is None else pcm):
            self.session.receive_binary(frame)
        return self.said()

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        """Path and body of every message so far."""
        messages = [read_text(frame) for frame in self.line.sent]
        assert all(message.request_id == REQUEST_ID for message in messages)
        return [(message.headers["path"], message.json()) for message in messages]


def paths(said: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """The paths without immediate repetitions."""
    names = [path for path, _ in said]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def phrases(said: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The bodies of the phrases."""
    return [body for path, body in said if path == "speech.phrase"]


def test_a_turn_runs_in_the_documented_order() -> None:
    """From turn.start with its service tag to turn.end."""
    said = Recogniser().run()
    assert paths(said) == [
        "turn.start",
        "speech.startDetected",
        "speech.hypothesis",
        "speech.endDetected",
        "speech.phrase",
        "turn.end",
    ]
    assert len(said[0][1]["context"]["serviceTag"]) == 32
    (phrase,) = phrases(said)
    assert (phrase["RecognitionStatus"], phrase["DisplayText"]) == ("Success", AMIABLE)


def test_hypotheses_grow_and_are_plain() -> None:
    """Lower case, without punctuation, each longer than the last."""
    texts = [body["Text"] for path, body in Recogniser().run() if path == "speech.hypothesis"]
    assert len(texts) > 2
    assert texts == sorted(texts, key=len)
    assert all(text == text.lower() and "." not in text for text in texts)


def test_the_detailed_format_lists_guesses() -> None:
    """NBest in place of DisplayText."""
    (phrase,) = phrases(Recogniser(detailed=True).run())
    assert phrase["NBest"][0]["Display"] == AMIABLE


@pytest.mark.parametrize(("mode", "number"), [("conversation", 2), ("dictation", 2), ("interactive", 1)])
def test_a_pause_ends_a_phrase(mode: str, number: int) -> None:
    """Conversation goes on to the next; interactive ends its turn."""
    clip = clips.load_clip("amiable").pcm
    said = Recogniser(mode=mode).run(clip + PAUSE + clip)
    assert [phrase["DisplayText"] for phrase in phrases(said)] == [AMIABLE] * number
    assert paths(said).count("turn.end") == 1


def test_silence_is_told_by_its_status() -> None:
    """No speech was detected, and the turn ends all the same."""
    said = Recogniser().run(bytes(96_000))
    assert paths(said) == ["turn.start", "speech.phrase", "turn.end"]
    assert phrases(said)[0]["RecognitionStatus"] == "InitialSilenceTimeout"


def test_noise_matches_nothing() -> None:
    """Speech-like energy without words."""
    assert phrases(Recogniser().run(random.Random(1).randbytes(48_000)))[0]["RecognitionStatus"] == "NoMatch"


def test_a_second_request_begins_a_second_turn() -> None:
    """With its own id and its own tag."""
    client = Recogniser()
    client.run()
    other = "f" * 32
    for frame in speech_frames(clips.load_clip("amiable").pcm, other):
        client.session.receive_binary(frame)
    ids = [read_text(frame).request_id for frame in client.line.sent]
    assert set(ids) == {REQUEST_ID, other}


def test_audio_after_the_end_is_ignored() -> None:
    """A turn that is over stays over."""
    client = Recogniser()
    before = len(client.run())
    client.session.receive_binary(speech_audio(bytes(3200)))
    assert len(client.said()) == before


@pytest.mark.parametrize(
    "frames",
    [
        [b"no headers"],
        [b"X-RequestId: 1\r\n\r\n{}"],
        [b"Path\r\n\r\n{}"],
        [b"Path: \xff\r\n\r\n{}"],
        [speech_text("speech.dance", {})],
        [b"Path: speech.config\r\n\r\n{"],
        [speech_text("speech.config", {})],
        [CONFIG, b"Path: audio\r\nX-RequestId: short\r\n\r\n"],
    ],
)
def test_a_wrong_text_message_closes_with_1007(frames: list[bytes]) -> None:
    """As the service does with bad request parameters."""
    client = Recogniser()
    for frame in frames:
        client.session.receive(frame)
    assert client.line.closed is not None
    assert client.line.closed[0] == 1007


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00",
        b"\x01\x00abc",
        speech_audio(wav(b"", 16_000)),
        speech_audio(b"RIFF", media="audio/x-wav"),
        speech_audio(wav(b"", 16_000, channels=2), media="audio/x-wav"),
        speech_audio(wav(b"", 4_000), media="audio/x-wav"),
        speech_audio(b"RIFF\0\0\0\0WAVEdata\0\0\0\0", media="audio/x-wav"),
    ],
)
def test_a_wrong_binary_message_closes_with_1007(frame: bytes) -> None:
    """Length, headers, media type and RIFF header are checked."""
    client = Recogniser()
    client.session.receive(CONFIG)
    client.session.receive_binary(frame)
    assert client.line.closed is not None
    assert client.line.closed[0] == 1007


def test_configuration_comes_before_audio() -> None:
    """speech.config always, speech.context on the universal address."""
    first = next(iter(speech_frames(b"")))
    without = Recogniser()
    without.session.receive_binary(first)
    assert without.line.closed == (1007, "speech.config must come before audio")
    universal = Recogniser(mode="universal")
    universal.session.receive(CONFIG)
    universal.session.receive_binary(first)
    assert universal.line.closed == (1007, "speech.context must come before audio on universal/v2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("silent", ["turn.start"]),
        ("no_created", []),
        ("deltas_stop", ["turn.start", "speech.startDetected", "speech.hypothesis", "speech.endDetected"]),
    ],
)
def test_silences_break_off_where_they_should(name: str, expected: list[str]) -> None:
    """Nothing more comes, and the line stays open."""
    client = Recogniser(broken(fault(name), script=SPEECH))
    assert paths(client.run()) == expected
    assert client.line.closed is None


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("no_match", "NoMatch"),
        ("initial_silence", "InitialSilenceTimeout"),
        ("babble", "BabbleTimeout"),
        ("recognition_error", "Error"),
        ("too_many_requests", "TooManyRequests"),
        ("bad_request", "BadRequest"),
        ("forbidden", "Forbidden"),
    ],
)
def test_every_status_can_be_had(name: str, status: str) -> None:
    """In the phrase, and the turn ends in good order."""
    said = Recogniser(broken(fault(name), script=SPEECH)).run()
    assert phrases(said)[0]["RecognitionStatus"] == status
    assert paths(said)[-1] == "turn.end"


@pytest.mark.parametrize(
    ("name", "text"), [("empty", ""), ("truncated", "He might even have"), ("wrong", "Thank you for")]
)
def test_words_can_be_wrong(name: str, text: str) -> None:
    """Success all the same."""
    (phrase,) = phrases(Recogniser(broken(fault(name), script=SPEECH)).run())
    assert phrase["RecognitionStatus"] == "Success"
    assert phrase["DisplayText"].startswith(text)


def test_a_phrase_can_be_late() -> None:
    """After the delay and in order."""
    client = Recogniser(broken(fault("slow", delay=4), script=SPEECH))
    assert "speech.phrase" not in paths(client.run())
    client.line.wait(4.1)
    assert paths(client.said())[-2:] == ["speech.phrase", "turn.end"]


def test_the_line_can_be_cut() -> None:
    """In place of the phrase."""
    client = Recogniser(broken(fault("drop"), script=SPEECH))
    client.run()
    assert client.line.is_cut


def knock(target: str, script: Script = SPEECH, key: str | None = KEY) -> Any:
    """What becomes of an upgrade request."""
    shown = {"ocp-apim-subscription-key": key} if key else {}
    visit = read_upgrade_request(script, target, shown)
    return visit if isinstance(visit, Refusal) else enter(sandbox(script), visit)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (PATH, Wanted("conversation", detailed=False)),
        (PATH + "&format=detailed", Wanted("conversation", detailed=True)),
        (PATH.replace("conversation", "interactive"), Wanted("interactive", detailed=False)),
        ("/speech-sweden/stt/speech/universal/v2", Wanted("universal", detailed=False)),
    ],
)
def test_right_addresses_get_a_recognition(target: str, wanted: Wanted) -> None:
    """Mode and format follow from the address."""
    assert knock(target) == SpeechAdmission(wanted)


@pytest.mark.parametrize(
    ("target", "key", "status"),
    [
        (PATH, "wrong", 401),
        (PATH, None, 403),
        (PATH.partition("?")[0], KEY, 400),
        ("/speech-sweden/v1/realtime?model=gpt-realtime", KEY, 404),
    ],
)
def test_wrong_upgrades_are_refused_by_status(target: str, key: str | None, status: int) -> None:
    """The body is not wrapped."""
    refusal = knock(target, key=key)
    assert refusal.status == status
    assert set(orjson.loads(refusal.body)) == {"code", "message"}


def test_faults_strike_at_the_upgrade() -> None:
    """By status, or by silence."""
    assert knock(PATH, broken(fault("429"), script=SPEECH)).status == 429
    assert isinstance(knock(PATH, broken(fault("no_upgrade"), script=SPEECH)), NeverAnswer)


async def recognised(socket: ClientConnection, pcm: bytes) -> list[tuple[str, dict[str, Any]]]:
    """One turn over a socket."""
    await socket.send(CONFIG.decode())
    for frame in speech_frames(pcm):
        await socket.send(frame)
    said: list[tuple[str, dict[str, Any]]] = []
    while not said or said[-1][0] != "turn.end":
        answer = await socket.recv()
        assert isinstance(answer, str)
        message = read_text(answer.encode())
        said.append((message.headers["path"], message.json()))
    return said


async def test_a_clip_is_recognised_over_a_socket() -> None:
    """The whole way, with evidence on the upgrade; two turns on one connection."""
    async with running(create_app(SPEECH)) as base:
        address = base.replace("http", "ws", 1) + PATH
        async with connect(address, additional_headers={"Ocp-Apim-Subscription-Key": KEY}) as socket:
            assert socket.response is not None
            assert socket.response.headers["x-ms-region"] == "Sweden Central"
            said = await recognised(socket, clips.load_clip("respectable").pcm)
            assert phrases(said)[0]["DisplayText"] == clips.load_clip("respectable").text


async def test_a_wrong_message_ends_the_socket() -> None:
    """The close code arrives."""
    async with running(create_app(SPEECH)) as base:
        address = base.replace("http", "ws", 1) + PATH
        async with connect(address, additional_headers={"Ocp-Apim-Subscription-Key": KEY}) as socket:
            await socket.send("nonsense")
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        with pytest.raises(InvalidStatus):
            async with connect(address):
                pass


@given(st.binary(max_size=200))
def test_any_frame_is_read_or_refused(frame: bytes) -> None:
    """No other error comes out of the reader, whatever is sent."""
    for read in (read_text, read_binary):
        try:
            message = read(frame)
        except BadMessage:
            continue
        assert message.path


@given(st.sampled_from(["turn.start", "speech.phrase"]), st.dictionaries(st.text(), st.integers(-9, 9)))
def test_what_is_written_can_be_read(path: str, body: dict[str, int]) -> None:
    """Headers and body survive."""
    message = read_text(write(path, REQUEST_ID, body))
    assert (message.path, message.request_id, message.json()) == (path.lower(), REQUEST_ID, body)


@given(
    st.binary(min_size=2, max_size=4000),
    st.lists(st.integers(0, 4000), max_size=5),
    st.sampled_from([8000, 16_000, 24_000, 44_100, 48_000]),
)
@example(b"\x00\x00\x00\x00\x00\x01", [2], 8000)
def test_resampling_does_not_depend_on_the_pieces(raw: bytes, cuts: list[int], rate: int) -> None:
    """Cut anywhere, the samples are those of the whole."""
    whole = Resampler(rate).feed(raw)
    stream = Resampler(rate)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [stream.feed(raw[begin:end]) for begin, end in pairwise(edges)]
    assert b"".join(pieces) == whole


def test_a_stream_at_16_khz_sounds_like_the_file() -> None:
    """Streamed and uploaded audio become nearly the same samples."""
    stream = at_16_khz(clips.load_clip("amiable").pcm)
    whole = read_wav(wav(stream, 16_000)).pcm
    streamed = Resampler(16_000).feed(stream)
    assert abs(len(whole) - len(streamed)) <= 4
    assert whole[:1000] == streamed[:1000]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF0000WAVEfmt ", b"RIFF0000WAVE" + bytes(40)])
def test_a_stream_needs_a_whole_header(content: bytes) -> None:
    """Anything less is unreadable audio."""
    with pytest.raises(UnreadableAudio):
        read_stream_header(content)


class Counting(RecordedLine):
    """Tells when so many phrases have come."""

    def __init__(self, phrases: int) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self._left = phrases

    def send(self, event: bytes) -> None:
        super().send(event)
        self._left -= b"Path:speech.phrase" in event
        if self._left == 0:
            self.reached.set()


async def test_who_never_pauses_gets_a_phrase_a_minute() -> None:
    """Noise without end is cut into phrases, so that nothing grows with the length of the audio."""
    noise = random.Random(5).randbytes(3200) * 10
    line, box = Counting(2), sandbox(SPEECH)
    session = SpeechSession(box, SPEECH.endpoints["speech-sweden"], Wanted("conversation", False), line)
    session.receive(CONFIG)
    session.receive_binary(speech_audio(wav(b"", 16_000), media="audio/x-wav"))
    for _ in range(150):
        session.receive_binary(speech_audio(noise))
    await asyncio.wait_for(line.reached.wait(), 10)
    assert [read_text(frame).path for frame in line.sent].count("speech.enddetected") == 2
    box.close()


async def test_audio_may_come_in_fragments() -> None:
    """A binary message cut into several frames is one message."""
    app = create_app(SPEECH, rng=random.Random(3))
    key = {"ocp-apim-subscription-key": KEY}
    async with (
        running(app) as base,
        connect(base.replace("http", "ws", 1) + PATH, additional_headers=key) as peer,
    ):
        await peer.send(CONFIG.decode())
        for frame in speech_frames(clips.load_clip("amiable").pcm):
            await peer.send([frame[:50], frame[50:90], frame[90:]])
        said = ""
        while "Path:speech.phrase" not in said:
            said = str(await peer.recv())
    assert AMIABLE in said


def test_a_service_that_heard_nothing_supposes_nothing() -> None:
    """No start of speech and no hypothesis comes before an InitialSilenceTimeout."""
    said = Recogniser(broken(fault("initial_silence"), script=SPEECH)).run()
    assert paths(said) == ["turn.start", "speech.phrase", "turn.end"]
    assert phrases(said)[0]["RecognitionStatus"] == "InitialSilenceTimeout"
