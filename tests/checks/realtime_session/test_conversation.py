"""The steps that both realtime pathways share, driven by hand: no socket, no clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.checks import CHECKS
from monitor.checks.realtime_session.state import CREATED_WITHIN, LINGER
from monitor.clips import load_clip
from monitor.core.conversation import (
    Answer,
    Binary,
    Close,
    Closed,
    End,
    Fault,
    FaultKind,
    Noted,
    Open,
    Opened,
    Receive,
    Refused,
    Send,
    Sent,
    Silent,
    Text,
)
from monitor.core.model import Blame, Deployment, Failure, Stage, Target, Verdict
from tests.support.realtime_events import (
    ITEM,
    TRANSCRIPTION,
    WORDS,
    committed,
    completed,
    created,
    delta,
    error,
    failed,
    opened,
    ready,
    spoken,
    text,
    updated,
)
from tests.support.scripted_peer import Player, hold, judge, target

REALTIME = target("realtime")
VAD = target("realtime", turn="server_vad")
VAD_ON = {"type": "server_vad"}


def started(item: str = ITEM) -> Text:
    return text(type="input_audio_buffer.speech_started", item_id=item)


def stopped(item: str = ITEM) -> Text:
    return text(type="input_audio_buffer.speech_stopped", item_id=item)


def heard_by(vad: Target, *answers: Answer) -> tuple[Any, Player]:
    return hold([opened(), created(), updated(turn=VAD_ON), *answers], vad)


def test_a_run_with_its_text_asks_in_the_order_of_the_checklist() -> None:
    """Created before the update, updated before audio, one commit, and a close with 1000 at the end."""
    finding, player = hold([*spoken(), delta("He might"), completed()], REALTIME)

    assert (finding.end, finding.stage, finding.transcript) == (End.TEXT, Stage.VERIFY, WORDS)
    assert player.stages == ["session", "configure", "send", "commit", "transcribe"]
    kinds = [frame["type"] for frame in player.frames]
    assert kinds[0] == "session.update"
    assert kinds[-1] == "input_audio_buffer.commit"
    assert set(kinds[1:-1]) == {"input_audio_buffer.append"}
    last = player.asks[-1]
    assert isinstance(last, Close)
    assert last.code == 1000


def test_the_update_is_sent_only_after_the_session_was_created() -> None:
    """Whatever else comes first, nothing is sent before `session.created`."""
    chatter = text(type="conversation.created")
    _, player = hold([opened(), chatter, chatter], REALTIME)

    assert not [ask for ask in player.asks if isinstance(ask, Send)]


def test_every_client_event_has_an_id_of_its_own() -> None:
    """An `error` can name the event it means, because no two of ours share an id."""
    _, player = hold([*spoken(), completed()], REALTIME)

    ids = [frame["event_id"] for frame in player.frames]
    assert len(ids) == len(set(ids))
    assert {"cfg-1", "commit-1", "a-0001"} <= set(ids)


def test_audio_goes_in_chunks_of_a_tenth_of_a_second_at_the_pace_of_speech() -> None:
    """100 ms of 24 kHz PCM16 are 4,800 bytes, 6,400 characters of base64, ten a second."""
    _, player = hold([*spoken(), completed()], REALTIME)

    audio = next(ask for ask in player.asks if isinstance(ask, Send) and ask.audio)
    assert audio.spacing == pytest.approx(0.1)
    assert {len(json.loads(frame)["audio"]) for frame in audio.frames[:-1]} == {6400}


def test_a_burst_is_sent_without_pauses() -> None:
    """`pace = burst` sends the whole clip at once."""
    _, player = hold([*spoken(), completed()], target("realtime", pace="burst"))

    audio = next(ask for ask in player.asks if isinstance(ask, Send) and ask.audio)
    assert audio.spacing == 0


def test_voice_detection_gets_silence_after_the_clip_and_no_commit() -> None:
    """With server VAD two seconds of silence follow, and the server alone commits."""
    _, manual = hold([*spoken(), completed()], REALTIME)
    finding, player = heard_by(VAD, started(), stopped(), committed(), completed())

    assert finding.transcript == WORDS
    assert "input_audio_buffer.commit" not in [frame["type"] for frame in player.frames]
    longer = len(player.frames) - (len(manual.frames) - 1)
    assert longer == pytest.approx(20, abs=1)


def test_voice_detection_may_divide_the_clip_in_two() -> None:
    """Two utterances give one text in the order of their commits, whatever completes first."""
    finding, _ = heard_by(
        VAD,
        *(started("i1"), stopped("i1"), committed("i1"), started("i2"), stopped("i2"), committed("i2")),
        completed("been made amiable himself.", "i2"),
        completed("He might even have", "i1"),
    )
    assert finding.transcript == WORDS


def test_after_the_last_text_voice_detection_gets_a_moment_for_one_more() -> None:
    """A second utterance that is announced within the moment of lingering still counts."""
    first = (started("i1"), stopped("i1"), committed("i1"), completed("He might even have", "i1"))
    second = (started("i2"), committed("i2"), completed("been made amiable himself.", "i2"))
    finding, player = heard_by(VAD, *first, *second)

    assert finding.transcript == WORDS
    waits = [ask for ask in player.asks if isinstance(ask, Receive)]
    assert waits[-1].until == pytest.approx(finding.marks["final"] + LINGER)


def test_speech_that_never_ends_is_silence_at_transcribe() -> None:
    """While somebody is still speaking for the server, the run is not over."""
    finding, _ = heard_by(VAD, started("i1"), committed("i1"), completed("He", "i1"), started("i2"))

    assert (finding.end, finding.stage) == (End.SILENT, Stage.TRANSCRIBE)


def test_what_comes_while_we_send_is_heard_at_once() -> None:
    """Deltas before the commit count as first text, and the sending goes on."""
    early: list[Answer] = [delta("He might"), Sent(at=3.5)]
    finding, _ = hold([*ready(), *early, committed(), completed(at=5.0)], REALTIME)

    assert finding.end is End.TEXT
    assert finding.marks["first_text"] < finding.marks["commit"] < finding.marks["final"]


def test_an_error_in_mid_audio_that_names_our_audio_ends_the_run_there() -> None:
    """Nobody waits for the rest of the clip once the server has refused a part of it."""
    refused = error("a-0003", code="invalid_value", message="bad audio")
    finding, player = hold([*ready(), refused, Sent(at=9.0)], REALTIME)

    assert (finding.end, finding.stage) == (End.ERROR, Stage.SEND)
    assert "input_audio_buffer.commit" not in [frame["type"] for frame in player.frames]


def test_a_refused_update_stops_the_run() -> None:
    """Streaming on would measure a session that is not the one asked for."""
    refused = error("cfg-1", type="invalid_session_type", message="no transcription here")
    finding, player = hold([opened(), created(), refused, updated()], REALTIME)

    assert (finding.end, finding.stage) == (End.ERROR, Stage.CONFIGURE)
    assert not [ask for ask in player.asks if isinstance(ask, Send) and ask.audio]
    assert isinstance(player.asks[-1], Close)


def test_an_error_that_names_nobody_does_not_end_a_run_that_goes_on() -> None:
    """Most errors leave the session as it was: the text counts, the error is noted."""
    stray = error(type="server_error", code="x", message="something else broke")
    finding, _ = hold([*ready(), committed(), stray, completed()], REALTIME)

    assert finding.end is End.TEXT
    assert any("something else broke" in note for note in finding.notes)


def test_a_silence_after_an_error_is_explained_by_it() -> None:
    """Servers without a `failed` event say why in an `error` that names nobody."""
    stray = error(type="transcription_error", code="transcription_failed", message="ASR broke")
    finding, _ = hold([*spoken(), stray], REALTIME)

    assert (finding.end, finding.stage) == (End.ERROR, Stage.TRANSCRIBE)
    assert finding.error is not None
    assert finding.error.code == "transcription_failed"


def test_an_error_before_the_session_waits_for_the_close_that_follows() -> None:
    """OpenAI accepts the upgrade, says why not, and closes with a code of its own."""
    why = error(code="invalid_api_key", message="Incorrect API key provided")
    end = Closed(at=0.3, code=3000, reason="invalid_request_error.invalid_api_key")
    finding, player = hold([opened(), why, end], REALTIME)

    assert (finding.end, finding.stage, finding.close_code) == (End.ERROR, Stage.SESSION, 3000)
    assert not isinstance(player.asks[-1], Close)


def test_a_commit_that_came_after_voice_detection_is_no_error() -> None:
    """Where the server's ear cannot be turned off it may have committed everything already."""
    late = error("commit-1", code="input_audio_buffer_commit_empty", message="buffer too small")
    early: list[Answer] = [committed("i1"), completed(WORDS, "i1"), Sent(at=3.5)]
    finding, _ = hold([*ready(), *early, late], REALTIME)

    assert (finding.end, finding.transcript) == (End.TEXT, WORDS)


def test_an_empty_commit_is_our_own_fault() -> None:
    """Without any item the same error says that our audio did not arrive."""
    empty = error("commit-1", code="input_audio_buffer_commit_empty", message="buffer too small")
    finding, _ = hold([*ready(), empty], REALTIME)
    judged = judge(finding, REALTIME)

    assert finding.stage is Stage.COMMIT
    assert (judged.verdict, judged.failure, judged.blame) == (
        Verdict.INCONCLUSIVE,
        Failure.AUDIO,
        Blame.MONITOR,
    )


@pytest.mark.parametrize(
    ("answers", "stage", "missing"),
    [
        ([], Stage.HANDSHAKE, "upgrade"),
        ([opened()], Stage.SESSION, "created"),
        ([opened(), created()], Stage.CONFIGURE, "updated"),
        (ready(), Stage.COMMIT, "committed"),
        (spoken(), Stage.TRANSCRIBE, "transcript"),
        ([*spoken(), delta("He")], Stage.TRANSCRIBE, "the deltas stopped"),
    ],
)
def test_each_watchdog_ends_the_run_at_its_own_stage(
    answers: list[Answer], stage: Stage, missing: str
) -> None:
    """Silence names the stage it fell in and what was missing; the connection is then closed."""
    finding, player = hold(answers, REALTIME)

    assert (finding.end, finding.stage) == (End.SILENT, stage)
    assert missing in (finding.detail or "")
    assert isinstance(player.asks[-1], Close) is (stage is not Stage.HANDSHAKE)
    judged = judge(finding, REALTIME)
    assert (judged.failure, judged.blame) == (Failure.SILENT, Blame.PROVIDER)


def test_a_peer_that_reads_no_more_is_silent_at_send() -> None:
    """Audio that cannot be written until its time is over ends the run."""
    finding, _ = hold([*ready(), delta("He"), Silent(at=14.0), Sent(at=99.0)], REALTIME)

    assert (finding.end, finding.stage) == (End.SILENT, Stage.SEND)


def test_no_wait_reaches_past_the_deadline_of_the_run() -> None:
    """Every ask ends within the timeout of the target, whatever its own watchdog allows."""
    _, player = hold([*spoken(), delta("He")], target("realtime", timeout=target().timeout / 6))

    limits = [ask.until for ask in player.asks if isinstance(ask, Open | Send | Receive | Close)]
    assert max(limits) <= 5.0


def test_a_chatty_peer_cannot_hold_a_run_for_ever() -> None:
    """Messages without number end the run before they can fill the memory."""
    flood = [text(type="nonsense", n=n) for n in range(10_001)]
    finding, _ = hold([opened(), *flood], REALTIME)

    assert finding.end is End.MALFORMED


def test_waiting_is_measured_from_the_commit_not_from_the_last_word() -> None:
    """A delta every second does not put the watchdog off."""
    drip = [text(float(at), type=f"{TRANSCRIPTION}.delta", item_id=ITEM, delta="a ") for at in range(4, 60)]
    _, player = hold([*spoken(), *drip], REALTIME)

    limits = {ask.until for ask in player.asks if isinstance(ask, Receive) and ask.until > 15}
    assert len(limits) == 1


@pytest.mark.parametrize(
    "raw", ["", "{", "null", "[]", '"x"', "1", "{}", '{"type": 7}', "[" * 100_000, "\ud800"]
)
def test_a_message_that_is_no_event_is_malformed(raw: str) -> None:
    """Whatever is no JSON object with a type ends the run as not understood, and raises nothing."""
    finding, _ = hold([opened(), Text(at=0.1, text=raw)], REALTIME)

    assert (finding.end, finding.stage) == (End.MALFORMED, Stage.SESSION)
    assert judge(finding, REALTIME).failure is Failure.PROTOCOL


def test_a_binary_message_is_malformed() -> None:
    """Only text is due on this protocol."""
    finding, _ = hold([*spoken(), Binary(at=4.0, data=b"\x00\x01")], REALTIME)

    assert (finding.end, finding.stage) == (End.MALFORMED, Stage.TRANSCRIBE)


def test_an_answer_that_fits_no_ask_ends_the_run() -> None:
    """A second upgrade in mid-session is not understood, and nothing is raised."""
    finding, _ = hold([*spoken(), opened()], REALTIME)
    assert finding.end is End.MALFORMED


def test_a_refused_upgrade_keeps_status_body_and_ids() -> None:
    """Azure refuses with a status, a JSON body and the id that its support asks for."""
    body = b'{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist."}}'
    headers = (("apim-request-id", "apim-9"), ("x-ms-region", "Sweden Central"))
    azure = target("realtime", "azure_openai")
    finding, player = hold([Refused(at=0.2, status=404, headers=headers, body=body)], azure)

    assert (finding.end, finding.stage, finding.http_status) == (End.REFUSED, Stage.HANDSHAKE, 404)
    assert finding.ids["apim_request_id"] == "apim-9"
    assert finding.headers == headers
    assert len(player.asks) == 1


@pytest.mark.parametrize("kind", list(FaultKind))
def test_a_fault_before_the_session_keeps_the_stage_it_came_from(kind: FaultKind) -> None:
    """Resolve, connect and TLS are told apart by the transport."""
    finding, player = hold([Fault(at=0.1, stage=Stage.TLS, kind=kind, detail="why")], REALTIME)

    assert (finding.end, finding.stage, finding.fault) == (End.FAULT, Stage.TLS, kind)
    assert not [ask for ask in player.asks if isinstance(ask, Close)]


def test_a_connection_lost_in_mid_session_is_the_servers_at_that_stage() -> None:
    """Once the session was there, a drop without a word is the provider's."""
    finding, _ = hold([*spoken(), Closed(at=4.5, code=1006, reason="")], REALTIME)
    judged = judge(finding, REALTIME)

    assert (judged.failure, judged.stage, judged.blame, judged.close_code) == (
        Failure.SERVER,
        Stage.TRANSCRIBE,
        Blame.PROVIDER,
        1006,
    )


def test_a_reset_in_mid_audio_is_the_servers_at_send() -> None:
    """The same for a reset that the transport reports as a fault."""
    reset = Fault(at=2.0, stage=Stage.SEND, kind=FaultKind.RESET, detail="reset")
    finding, _ = hold([*ready(), reset, Sent(at=9.0)], REALTIME)
    judged = judge(finding, REALTIME)

    assert (judged.failure, judged.stage, judged.blame) == (Failure.SERVER, Stage.SEND, Blame.PROVIDER)


def test_a_close_after_the_text_is_fine() -> None:
    """A server that hangs up first, once it has said everything, is noted and not blamed."""
    finding, _ = heard_by(VAD, committed(), completed(), Closed(at=9.0, code=1001, reason="bye"))

    assert finding.end is End.TEXT
    assert any("1001" in note for note in finding.notes)


def test_a_session_without_the_transcription_that_was_asked_for_ends_the_run() -> None:
    """An echo of null means that no transcript can come: the run ends at configure, not by a watchdog."""
    finding, player = hold([opened(), created(), updated(model=None)], REALTIME)

    assert (finding.end, finding.stage) == (End.MALFORMED, Stage.CONFIGURE)
    assert "echoes no transcription" in (finding.detail or "")
    assert len([ask for ask in player.asks if isinstance(ask, Send)]) == 1


@pytest.mark.parametrize(
    ("echo", "note"),
    [
        (updated("whisper-1"), "transcribes with whisper-1"),
        (updated(turn=VAD_ON), "turn detection is on"),
        (updated(rate=16_000), "hears 16000 Hz"),
        (text(type="session.updated", session={}), "does not say which model"),
        (text(type="session.updated"), "does not say which model"),
        (text(type="transcription_session.updated", session={"input_audio_transcription": "x"}), "not say"),
    ],
)
def test_a_session_that_is_not_the_one_asked_for_is_noted(echo: Text, note: str) -> None:
    """Drift of model, turn detection or rate does not end the run, but it is on record."""
    finding, _ = hold([opened(), created(), echo, committed(), completed()], REALTIME)

    assert finding.end is End.TEXT
    assert any(note in each for each in (*finding.notes, *finding.drift))


def test_a_session_as_asked_for_leaves_no_note() -> None:
    """The usual run of both shapes is free of notes."""
    flat = text(
        type="transcription_session.updated",
        session={"input_audio_transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None},
    )
    for echo in (updated(), flat):
        finding, _ = hold([opened(), created(), echo, committed(), completed()], REALTIME)
        assert finding.notes == ()


def test_another_host_model_than_asked_for_is_noted() -> None:
    """A dated version of the same model is the model; another one is drift."""
    for model, drifts in (("gpt-realtime-2025-08-28", 0), ("gpt-4o-realtime-preview", 1)):
        finding, _ = hold([opened(), created(model=model), updated(), committed(), completed()], REALTIME)
        assert len(finding.drift) == drifts


def test_a_response_that_nobody_asked_for_is_noted_once() -> None:
    """It costs tokens; the transcript is judged all the same."""
    response = text(type="response.created", response={"id": "resp_1"})
    finding, _ = hold([*spoken(), response, response, completed()], REALTIME)

    assert [note for note in finding.notes if "response" in note] == [
        "the server began a response that nobody asked for"
    ]


def test_a_failed_item_ends_the_run_though_the_socket_stays_open() -> None:
    """The reference outage: no `error`, no close, the response strand goes on."""
    generic = {
        "type": "server_error",
        "code": None,
        "message": f"Input transcription failed for item '{ITEM}'.",
        "param": None,
    }
    response = text(type="response.created", response={"id": "resp_1"})
    finding, player = hold([*spoken(), response, failed(generic)], REALTIME)
    judged = judge(finding, REALTIME)

    assert (finding.end, finding.stage, finding.ids["item_id"]) == (End.ITEM_FAILED, Stage.TRANSCRIBE, ITEM)
    assert (judged.failure, judged.blame, judged.rule) == (Failure.SERVER, Blame.PROVIDER, 11)
    assert (judged.type, judged.code, judged.message) == ("server_error", None, generic["message"])
    assert isinstance(player.asks[-1], Close)


def test_ids_for_support_are_collected_along_the_way() -> None:
    """Handshake, session, item, last event, and our own correlation id."""
    finding, player = hold([*spoken(), completed()], target("realtime", "azure_openai"))

    assert dict(finding.ids) == {
        "client_request_id": "ours-1",
        "apim_request_id": "apim-1",
        "request_id": "req_1",
        "session_id": "sess_1",
        "item_id": ITEM,
        "event_id": "event_5",
    }
    opening = player.asks[0]
    assert isinstance(opening, Open)
    assert ("x-ms-client-request-id", "ours-1") in opening.headers


def test_a_conversation_written_out_by_hand() -> None:
    """The first exchanges, one by one, as the transport sees them."""
    talk = CHECKS["realtime"](REALTIME, load_clip("amiable"), "ours-1")
    first = next(talk)
    assert isinstance(first, Open)
    assert first.until == CREATED_WITHIN
    assert talk.send(Opened(at=0.2, headers=())) != first
    assert talk.send(Noted(at=0.2)) == Receive(until=0.2 + CREATED_WITHIN)
    talk.close()


def test_an_answer_that_nobody_asked_for_is_noted_with_its_cost() -> None:
    """A gateway starts responses by itself; the transcript counts, the tokens are told."""
    answer = text(type="response.done", response={"status": "completed", "usage": {"total_tokens": 64}})
    finding, _ = hold([*spoken(), text(type="response.created"), answer, completed()], REALTIME)
    assert finding.end is End.TEXT
    assert finding.notes == (
        "the server began a response that nobody asked for",
        "the response that nobody asked for cost 64 tokens",
    )


def test_what_an_unasked_response_costs_is_waited_for_a_moment() -> None:
    """It ends after the text as a rule; a response that does not end costs no verdict, only a second."""
    begun = text(type="response.created")
    answer = text(10.4, type="response.done", response={"usage": {"total_tokens": 64}})
    finding, _ = hold([*spoken(), begun, completed(at=10.0), answer], REALTIME)
    assert finding.notes[-1] == "the response that nobody asked for cost 64 tokens"
    assert finding.marks["final"] == 10.0

    endless, player = hold([*spoken(), begun, completed(at=10.0)], REALTIME)
    assert endless.end is End.TEXT
    assert [ask for ask in player.asks if isinstance(ask, Receive)][-1].until == 10.0 + LINGER

    quiet, player = hold([*spoken(), completed(at=10.0), answer], REALTIME)
    assert quiet.notes == ()


@pytest.mark.parametrize(
    ("provider", "asked", "drifts"),
    [
        ("openai", "gpt-realtime", True),
        ("azure_openai", "rt-host", False),
        ("azure_openai", "gpt-realtime", True),
    ],
)
def test_another_host_model_is_drift_where_it_can_be_told(provider: str, asked: str, drifts: bool) -> None:  # noqa: FBT001
    """A deployment of any name says nothing about the model behind it; a configured one does."""
    host = Deployment(model="gpt-realtime", name="rt")
    one = target("realtime", provider, session_model=asked, deployments={"gpt-realtime": host})
    session = created(model="gpt-4o-realtime-preview")
    finding, _ = hold([opened(), session, updated(), committed(), completed()], one)
    assert any(note.startswith("the session runs on") for note in finding.drift) is drifts
