"""Realtime sessions without sockets: order and shape of events, and what is refused."""

from __future__ import annotations

import base64

import orjson
import pytest

from monitor import clips
from monitor.sandbox.common.script import Latency, Script, ServedEndpoint
from monitor.sandbox.openai.session import Session
from tests.support.sandbox_sessions import (
    ACKNOWLEDGED,
    AMIABLE,
    QUICK,
    TRANSCRIPTION,
    Caller,
    appends,
    broken,
    complaint,
    kinds,
)

HALF_SECOND = bytes(24_000)


def test_a_transcription_goes_through_in_the_recorded_order() -> None:
    """Committed, added, done, deltas, completed; the deltas joined are the transcript."""
    events = Caller().transcribe()
    assert kinds(events) == [*ACKNOWLEDGED, *[TRANSCRIPTION + "delta"] * 8, TRANSCRIPTION + "completed"]
    assert "".join(event["delta"] for event in events[3:-1]) == AMIABLE == events[-1]["transcript"]
    assert {event.get("item_id") or event["item"]["id"] for event in events} == {events[0]["item_id"]}
    assert events[2]["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_ga_events_put_the_type_first_and_preview_events_the_id() -> None:
    """The order of fields is that of the live service."""
    ga, preview = Caller(), Caller(dialect="preview")
    assert list(ga.line.last())[:2] == ["type", "event_id"]
    assert list(preview.line.last())[:2] == ["event_id", "type"]


def test_a_session_begins_with_the_defaults_of_the_service() -> None:
    """No transcription, server VAD with 200 ms of silence, 24 kHz PCM."""
    created = Caller().line.last()
    assert created["type"] == "session.created"
    assert list(created["session"]) == ["type", "object", "id", "expires_at", "audio", "include"]
    assert created["session"]["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 200,
        },
    }


def test_a_commit_without_transcription_is_only_acknowledged() -> None:
    """Transcription is off until somebody asks for it."""
    caller = Caller()
    caller.say(
        "session.update", session={"type": "transcription", "audio": {"input": {"turn_detection": None}}}
    )
    caller.speak(HALF_SECOND)
    assert kinds(caller.say("input_audio_buffer.commit")) == ACKNOWLEDGED


def test_silence_completes_with_an_empty_text_and_usage() -> None:
    """An empty transcript is no failure event."""
    caller = Caller()
    caller.configure()
    caller.speak(HALF_SECOND)
    completed = caller.say("input_audio_buffer.commit")[-1]
    assert (completed["transcript"], completed["usage"]["type"]) == ("", "tokens")


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("gpt-4o-transcribe", "tokens"),
        ("gpt-4o-mini-transcribe", "tokens"),
        ("whisper-1", "duration"),
        ("gpt-transcribe", "duration"),
        ("gpt-live-transcribe", "duration"),
    ],
)
def test_usage_has_the_shape_of_the_model(model: str, usage: str) -> None:
    """Tokens for the 4o family, seconds rounded up for the others."""
    found = Caller().transcribe(model)[-1]["usage"]
    assert found["type"] == usage
    if usage == "duration":
        assert found == {"type": "duration", "seconds": 4}


def test_whisper_has_no_partials() -> None:
    """Its single delta is the whole transcript."""
    events = Caller().transcribe("whisper-1")
    assert [event["delta"] for event in events if "delta" in event] == [AMIABLE]


def test_a_streaming_model_speaks_before_the_commit() -> None:
    """Deltas come while audio is sent, under the item id that the commit will have."""
    caller = Caller()
    caller.configure("gpt-live-transcribe")
    before = len(caller.line.sent)
    caller.speak(clips.load_clip("amiable").pcm)
    early = caller.line.events()[before:]
    assert set(kinds(early)) == {TRANSCRIPTION + "delta"}
    late = caller.say("input_audio_buffer.commit")
    assert {event["item_id"] for event in early} == {late[0]["item_id"]}
    assert "".join(e["delta"] for e in [*early, *late] if "delta" in e) == late[-1]["transcript"] == AMIABLE


def test_log_probabilities_come_when_asked_for() -> None:
    """On deltas and on completed; not otherwise."""
    caller = Caller()
    wanted = {"type": "transcription", "include": ["item.input_audio_transcription.logprobs"]}
    caller.say("session.update", session=wanted)
    events = caller.transcribe()
    assert all("logprobs" in event for event in events if event["type"].startswith(TRANSCRIPTION))
    assert not any("logprobs" in event for event in Caller().transcribe())


def test_server_vad_reports_speech_and_commits() -> None:
    """Started, stopped and committed share one item id; positions include padding and silence."""
    caller = Caller()
    caller.configure(turn_detection={"type": "server_vad", "silence_duration_ms": 600})
    before = len(caller.line.sent)
    caller.speak(bytes(48_000) + clips.load_clip("amiable").pcm + bytes(48_000))
    events = caller.line.events()[before:]
    assert kinds(events)[:3] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
    ]
    assert len({event["item_id"] for event in events[:3]}) == 1
    assert 700 <= events[0]["audio_start_ms"] <= 1000
    assert 4290 <= events[1]["audio_end_ms"] <= 5290
    assert events[-1]["transcript"] == AMIABLE


def test_a_client_may_commit_while_vad_listens() -> None:
    """The server commits, and the client may too."""
    caller = Caller()
    caller.configure(turn_detection={"type": "server_vad"})
    caller.speak(clips.load_clip("amiable").pcm[: 2 * 48_000])
    assert "input_audio_buffer.committed" in kinds(caller.say("input_audio_buffer.commit"))


def test_a_pause_splits_a_clip_into_items_with_their_own_words() -> None:
    """Two utterances are two items, linked by previous_item_id."""
    caller = Caller()
    caller.configure(turn_detection={"type": "server_vad", "silence_duration_ms": 800})
    for _ in range(2):
        caller.speak(clips.load_clip("amiable").pcm + bytes(96_000))
    events = caller.line.events()
    committed = [event for event in events if event["type"] == "input_audio_buffer.committed"]
    assert committed[1]["previous_item_id"] == committed[0]["item_id"]
    assert [event["transcript"] for event in events if "transcript" in event] == [AMIABLE, AMIABLE]


def test_telephone_audio_is_understood() -> None:
    """G.711 at 8 kHz, as `audio/pcmu` declares it."""
    caller = Caller()
    caller.configure(format={"type": "audio/pcmu"})
    caller.speak(mu_law(clips.load_clip("amiable").pcm))
    assert caller.say("input_audio_buffer.commit")[-1]["transcript"] == AMIABLE


def mu_law(pcm: bytes) -> bytes:
    """An encoder written from ITU-T G.711 apart from the decoder under test, 24 kHz to 8 kHz."""
    octets = bytearray()
    for at in range(0, len(pcm) - 5, 6):
        sample = sum(int.from_bytes(pcm[at + k : at + k + 2], "little", signed=True) for k in (0, 2, 4)) // 3
        sign, size = (0x80, -sample) if sample < 0 else (0, sample)
        size = min(size, 32_635) + 132
        segment = size.bit_length() - 8
        octets.append(~(sign | segment << 4 | size >> segment + 3 & 15) & 0xFF)
    return bytes(octets)


def test_half_the_audio_gives_half_the_words() -> None:
    """What is said follows from what was sent."""
    caller = Caller()
    caller.configure()
    pcm = clips.load_clip("amiable").pcm
    caller.speak(pcm[: len(pcm) // 2])
    assert caller.say("input_audio_buffer.commit")[-1]["transcript"] == "He might even have been"


def test_clear_forgets_the_audio() -> None:
    """What was cleared is not transcribed."""
    caller = Caller()
    caller.configure()
    caller.speak(clips.load_clip("amiable").pcm)
    assert kinds(caller.say("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert complaint(caller.say("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(("milliseconds", "said"), [(0, "0.00ms"), (50, "50.00ms"), (99, "99.00ms")])
def test_a_short_commit_is_refused_after_a_while(milliseconds: int, said: str) -> None:
    """Less than 100 ms: an error 0.9 s later that names the client's event, and no item."""
    caller = Caller(Script())
    caller.configure()
    if milliseconds:
        caller.speak(bytes(48 * milliseconds))
    assert caller.say("input_audio_buffer.commit") == []
    caller.line.wait(1)
    found = complaint(caller.line.events())
    assert found["code"] == "input_audio_buffer_commit_empty"
    assert found["event_id"] == "mine"
    assert said in found["message"]


def test_answers_take_the_time_the_script_says() -> None:
    """Committed first, the transcript at its own time counted from the commit."""
    caller = Caller(Script(latency=Latency(committed=0.1, transcription=0.5)))
    assert caller.transcribe() == []
    caller.line.wait(0.11)
    assert caller.line.kinds()[-3:] == ACKNOWLEDGED
    caller.line.wait(0.35)
    assert caller.line.kinds()[-1] == TRANSCRIPTION + "delta"
    caller.line.wait(0.05)
    assert caller.line.kinds()[-1] == TRANSCRIPTION + "completed"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[]", "invalid_event"),
        (b"null", "invalid_event"),
        (b"{}", "invalid_event"),
        (b'{"type": 4}', "invalid_value"),
        (b'{"type": "nope"}', "invalid_value"),
        (b'{"type": "transcription_session.update"}', "invalid_value"),
        (b'{"type": "input_audio_buffer.append"}', "missing_required_parameter"),
        (b'{"type": "input_audio_buffer.append", "audio": 4}', "invalid_type"),
        (b'{"type": "input_audio_buffer.append", "audio": "*"}', "invalid_value"),
        (b'{"type": "input_audio_buffer.append", "audio": "", "rate": 1}', "unknown_parameter"),
        (b'{"type": "input_audio_buffer.commit", "final": true}', "unknown_parameter"),
        (b'{"type": "session.input_audio_buffer.append", "audio": ""}', "invalid_parameter"),
        (b'{"type": "response.create"}', "invalid_parameter"),
        (b'{"type": "conversation.item.create", "item": {}}', "invalid_parameter"),
        (b'{"type": "conversation.item.delete"}', "missing_required_parameter"),
        (b'{"type": "conversation.item.retrieve", "item_id": "x"}', "item_not_found"),
        (b'{"type": "response.cancel"}', "response_cancel_not_active"),
    ],
)
def test_a_wrong_event_is_refused_and_the_session_goes_on(frame: bytes, code: str) -> None:
    """Whatever comes, one error answers it and the next turn works."""
    caller = Caller()
    before = len(caller.line.sent)
    caller.session.receive(frame)
    assert complaint(caller.line.events()[before:])["code"] == code
    assert caller.transcribe()[-1]["transcript"] == AMIABLE


def test_a_binary_frame_is_refused_in_the_service_s_words() -> None:
    """Text frames only."""
    caller = Caller()
    caller.session.refuse_binary()
    assert complaint(caller.line.events())["message"] == (
        "Expected a text WebSocket message; binary frames are not supported."
    )


def test_an_append_over_15_mib_is_refused() -> None:
    """The limit of the documentation."""
    caller = Caller()
    audio = base64.b64encode(bytes(15 * 1024 * 1024 + 1)).decode()
    assert complaint(caller.say("input_audio_buffer.append", audio=audio))["param"] == "audio"


def test_an_unknown_model_is_refused_at_openai_and_hidden_at_azure() -> None:
    """OpenAI names the models it knows; Azure takes the update and fails each item without a reason."""
    assert complaint(Caller(endpoint="openai-us").configure("no-such"))["code"] == "invalid_value"
    azure = Caller()
    assert kinds(azure.configure("no-such")) == ["session.updated"]
    azure.speak(HALF_SECOND)
    failed = azure.say("input_audio_buffer.commit")[-1]
    assert failed["error"] == {
        "type": "server_error",
        "code": None,
        "message": f"Input transcription failed for item '{failed['item_id']}'.",
        "param": None,
    }


def test_whisper_needs_no_deployment_in_azure_sessions() -> None:
    """Other models without one fail, whisper-1 does not."""
    bare = ServedEndpoint(name="bare", kind="azure", deployments={"stt": "gpt-4o-transcribe"})
    script = broken(script=Script(endpoints={"bare": bare}))
    assert Caller(script, endpoint="bare").transcribe("whisper-1")[-1]["transcript"] == AMIABLE
    assert Caller(script, endpoint="bare").transcribe("stt")[-1]["transcript"] == AMIABLE
    named_by_model = Caller(script, endpoint="bare").transcribe("gpt-4o-transcribe")
    assert kinds(named_by_model)[-1] == TRANSCRIPTION + "failed"


def test_a_model_the_project_may_not_use_fails_with_its_code_at_openai() -> None:
    """A known model outside the endpoint's list: model_not_found inside the failed event."""
    own = ServedEndpoint(name="own", kind="openai", deployments={"whisper-1": "whisper-1"})
    script = broken(script=Script(endpoints={"own": own}))
    failed = Caller(script, endpoint="own").transcribe("gpt-4o-transcribe")[-1]
    assert failed["error"]["code"] == "model_not_found"


PREVIEW_SETTINGS = {"input_audio_transcription": {"model": "whisper-1"}, "turn_detection": None}


def test_the_preview_transcription_session_has_its_own_names() -> None:
    """Names: transcription_session.created and .updated, conversation.item.created, and no GA names."""
    caller = Caller(dialect="preview")
    assert caller.line.kinds() == ["transcription_session.created"]
    (updated,) = caller.say("transcription_session.update", session=PREVIEW_SETTINGS)
    assert updated["type"] == "transcription_session.updated"
    assert updated["session"]["input_audio_transcription"]["model"] == "whisper-1"
    caller.speak(clips.load_clip("amiable").pcm)
    events = caller.say("input_audio_buffer.commit")
    assert kinds(events)[:2] == ["input_audio_buffer.committed", "conversation.item.created"]
    assert events[-1]["transcript"] == AMIABLE


def test_settings_of_the_sandbox_itself_are_not_shared() -> None:
    """Two sessions of one sandbox keep their own settings and items."""
    first = Caller()
    first.configure()
    second = Session(first.sandbox, QUICK.endpoints["azure-sweden"], first.session._identity, first.line)
    assert second.settings.transcription is None


def test_equal_appends_are_read_once_but_heard_each_time() -> None:
    """Keeping frames that were read before does not mix up sessions."""
    frames = list(appends(clips.load_clip("cards_numbers").pcm))
    for _ in range(2):
        caller = Caller()
        caller.configure()
        for frame in frames:
            caller.session.receive(frame)
        assert caller.say("input_audio_buffer.commit")[-1]["transcript"].startswith("Eight of spades")


def test_two_sandboxes_with_the_same_seed_say_the_same() -> None:
    """Everything random comes from the generator that was handed in."""
    assert Caller().transcribe() == Caller().transcribe()
    assert orjson.dumps(Caller().line.events()) == orjson.dumps(Caller().line.events())


def test_hours_of_silence_fill_no_buffer() -> None:
    """With turn detection on, a session goes on listening after more silence than a buffer holds."""
    caller = Caller()
    caller.configure(turn_detection={"type": "server_vad"})
    minute = bytes(60 * 48_000)
    for _ in range(22):
        caller.speak(minute, chunk=len(minute))
    caller.speak(clips.load_clip("amiable").pcm + HALF_SECOND)
    assert "error" not in caller.line.kinds()
    assert caller.line.last()["transcript"] == AMIABLE


@pytest.mark.parametrize("kind", [["server_vad"], {}, 7, None])
def test_a_type_of_any_kind_is_refused_and_not_stumbled_over(kind: object) -> None:
    """What is no text is no known type; the session goes on."""
    inputs = {"turn_detection": {"type": kind}}
    events = Caller().say("session.update", session={"type": "transcription", "audio": {"input": inputs}})
    assert complaint(events)["param"] == "session.audio.input.turn_detection.type"


def test_a_complaint_repeats_only_a_little_of_what_was_wrong() -> None:
    """A megabyte of a wrong type does not come back."""
    caller = Caller()
    for event in ({"type": "x" * 1_000_000}, {"type": "session.update", "y" * 1_000_000: 1}):
        caller.session.receive(orjson.dumps(event))
        assert len(caller.line.sent[-1]) < 2000


def test_no_language_is_left_out_rather_than_empty() -> None:
    """The service takes `languages` neither empty nor null."""
    events = Caller().configure("gpt-transcribe", transcription={"model": "gpt-transcribe", "languages": []})
    assert complaint(events)["param"] == "session.audio.input.transcription.languages"


def test_a_model_that_tells_speakers_apart_says_who_spoke() -> None:
    """A segment with its speaker comes before the whole transcript."""
    model = "gpt-4o-transcribe-diarize"
    served = ServedEndpoint(name="openai-us", kind="openai", deployments={model: model})
    script = Script(endpoints={"openai-us": served}, latency=QUICK.latency)
    events = Caller(script, endpoint="openai-us").transcribe(model)
    segment, completed = events[-2:]
    assert segment["type"] == TRANSCRIPTION + "segment"
    assert (segment["item_id"], segment["text"]) == (completed["item_id"], AMIABLE)
    assert list(segment)[2:] == ["item_id", "content_index", "text", "id", "speaker", "start", "end"]
