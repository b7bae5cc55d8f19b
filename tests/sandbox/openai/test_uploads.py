"""Uploads without sockets: answers by model and format, and every refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from monitor import clips
from monitor.sandbox import Script, ServedEndpoint, create_app
from monitor.sandbox.common.script import NO_LATENCY
from tests.support.sandbox_sessions import AMIABLE, KEY, NOON, QUICK, broken, fault, wav

OPENAI = "/openai-us/v1/audio/transcriptions"
AZURE = "/azure-sweden/openai/v1/audio/transcriptions"
DATED = "/azure-sweden/openai/deployments/whisper-1/audio/transcriptions"
BEARER = {"authorization": f"Bearer {KEY}"}
API_KEY = {"api-key": KEY}


@asynccontextmanager
async def client(
    script: Script = QUICK, waits: list[float] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    app = create_app(script, clock=lambda: NOON, sleep=sleep)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as made:
        yield made


async def send(
    path: str = OPENAI,
    *,
    script: Script = QUICK,
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
    filename: str = "probe.wav",
    **fields: Any,
) -> httpx.Response:
    """One upload of the default clip with the default model, unless told otherwise."""
    key = API_KEY if path.startswith("/azure") else BEARER
    data = {"model": "gpt-4o-transcribe", **fields}
    audio = clips.load_clip("amiable").wav if content is None else content
    async with client(script) as made:
        return await made.post(
            path,
            headers={**key, **(headers or {})},
            data={name: value for name, value in data.items() if value is not None},
            files={"file": (filename, audio, "audio/wav")},
        )


async def test_a_file_without_samples_is_too_short() -> None:
    """At any rate: refused, not a fault of the sandbox."""
    for rate in (16_000, 24_000):
        reply = await send(content=wav(b"", rate))
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "audio_too_short")


@pytest.mark.parametrize("path", [OPENAI, AZURE, DATED + "?api-version=2025-03-01-preview"])
async def test_an_upload_gives_the_words_of_the_clip(path: str) -> None:
    """On the three routes."""
    reply = await send(path)
    assert (reply.status_code, reply.json()["text"]) == (200, AMIABLE)


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        (
            "gpt-4o-transcribe",
            {"type": "tokens", "input_tokens": 33, "output_tokens": 12, "total_tokens": 45},
        ),
        ("whisper-1", {"type": "duration", "seconds": 4}),
        ("gpt-transcribe", {"type": "duration", "seconds": 4}),
    ],
)
async def test_usage_has_the_shape_of_the_model(model: str, usage: dict[str, Any]) -> None:
    """Tokens for the 4o family, seconds for the others."""
    found = (await send(model=model)).json()["usage"]
    found.pop("input_token_details", None)
    assert found == usage


async def test_openai_sends_its_evidence_headers() -> None:
    """Those that a support case needs, with the sandbox's clock in `date`."""
    headers = (await send()).headers
    assert headers["x-request-id"].startswith("req_")
    assert headers["openai-version"] == "2020-10-01"
    assert headers["date"] == "Mon, 17 Nov 2025 12:00:00 GMT"
    assert {"openai-processing-ms", "openai-organization", "x-ratelimit-limit-requests", "cf-ray"} <= set(
        headers
    )


async def test_azure_sends_its_evidence_headers_and_echoes_the_client_s_id() -> None:
    """The region by its display name, the deployment, and `Not-Set` where the client sent no id."""
    headers = (await send(AZURE, headers={"x-ms-client-request-id": "mine"})).headers
    assert headers["x-ms-region"] == "Sweden Central"
    assert headers["x-ms-deployment-name"] == "gpt-4o-transcribe"
    assert headers["x-ms-client-request-id"] == "mine"
    assert "apim-request-id" in headers
    assert (await send(AZURE)).headers["x-ms-client-request-id"] == "Not-Set"


@pytest.mark.parametrize(
    ("wanted", "media", "begin"),
    [
        ("text", "text/plain; charset=utf-8", "He might"),
        ("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:03,290"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:03.290"),
        ("verbose_json", "application/json", '{"task":"transcribe","language":"english","duration":3.29'),
    ],
)
async def test_whisper_has_every_format(wanted: str, media: str, begin: str) -> None:
    """Its formats and their media types."""
    reply = await send(model="whisper-1", response_format=wanted)
    assert reply.headers["content-type"] == media
    assert reply.text.startswith(begin)


async def test_timestamps_come_as_asked() -> None:
    """Words, segments, or both."""
    granularities: dict[str, Any] = {"timestamp_granularities[]": ["word"]}
    answer = (await send(model="whisper-1", response_format="verbose_json", **granularities)).json()
    assert "segments" not in answer
    assert [word["word"] for word in answer["words"]][:2] == ["He", "might"]


async def test_a_stream_ends_with_done() -> None:
    """Deltas joined are the text of `done`; the media type is that of server-sent events."""
    reply = await send(stream="true")
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [orjson.loads(line.removeprefix("data: ")) for line in reply.text.split("\n\n") if line]
    assert "".join(event.get("delta", "") for event in events) == events[-1]["text"] == AMIABLE
    assert events[-1]["type"] == "transcript.text.done"


async def test_whisper_ignores_stream() -> None:
    """It answers with one JSON object."""
    assert (await send(model="whisper-1", stream="true")).json()["text"] == AMIABLE


async def test_log_probabilities_come_when_asked_for() -> None:
    """One entry for each token."""
    wanted: dict[str, Any] = {"include[]": "logprobs"}
    answer = (await send(**wanted)).json()
    assert answer["logprobs"][0] == {"token": "He", "logprob": -0.002, "bytes": [72, 101]}


async def test_a_wav_of_another_rate_or_in_stereo_is_understood() -> None:
    """The header says what the samples are."""
    pcm = clips.load_clip("amiable").pcm
    stereo = b"".join(pcm[at : at + 2] * 2 for at in range(0, len(pcm), 2))
    assert (await send(content=wav(stereo, channels=2))).json()["text"] == AMIABLE
    eighth = b"".join(pcm[at : at + 2] for at in range(0, len(pcm), 4))
    assert (await send(content=wav(eighth, rate=12_000))).json()["text"] == AMIABLE


async def test_a_wrong_rate_in_the_header_is_not_understood() -> None:
    """Half speed is no speech the sandbox knows."""
    assert (await send(content=wav(clips.load_clip("amiable").pcm, rate=16_000))).json()["text"] == ""


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": None}, 400, None, None),
        ({"model": "nope"}, 404, "model_not_found", None),
        ({"model": "gpt-live-transcribe"}, 400, "invalid_value", "model"),
        ({"response_format": "verbose_json"}, 400, "unsupported_value", "response_format"),
        ({"model": "whisper-1", "response_format": "xml"}, 400, "unsupported_value", "response_format"),
        ({"languages[]": "en"}, 400, "unknown_parameter", "languages"),
        (
            {"model": "gpt-transcribe", "languages[]": "en", "language": "en"},
            400,
            "invalid_parameter",
            "languages",
        ),
        ({"model": "whisper-1", "include[]": "logprobs"}, 400, "unsupported_value", "include"),
        ({"timestamp_granularities[]": "word"}, 400, "unsupported_value", "timestamp_granularities"),
        ({"content": b"not audio"}, 400, "invalid_value", "file"),
        ({"content": wav(bytes(100))}, 400, "audio_too_short", "file"),
        ({"content": wav(bytes(9600))[:30]}, 400, "invalid_value", "file"),
        ({"filename": "probe.txt"}, 400, None, None),
        ({"filename": "probe"}, 400, None, None),
        ({"headers": {"authorization": "Bearer sk-wrong-0123456789"}}, 401, "invalid_api_key", None),
        ({"headers": {"authorization": ""}}, 401, None, None),
    ],
)
async def test_openai_refuses_in_its_own_shape(
    fields: dict[str, Any], status: int, code: str | None, param: str | None
) -> None:
    """All four keys of the error object are there."""
    reply = await send(**fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (status, code, param)
    assert set(error) == {"message", "type", "param", "code"}


async def test_the_wrong_format_is_told_in_the_service_s_words() -> None:
    """The message of the live service, to the letter."""
    error = (await send(response_format="verbose_json")).json()["error"]
    assert error["message"] == (
        "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'."
        " Use 'json' or 'text' instead."
    )


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        (AZURE, {"model": "nope"}, 404, "DeploymentNotFound"),
        (DATED.replace("whisper-1", "nope") + "?api-version=2024-10-21", {}, 404, "DeploymentNotFound"),
        (DATED, {}, 404, "404"),
        (DATED + "?api-version=new", {}, 404, "404"),
        (AZURE + "?api-version=2024-10-21", {}, 400, "BadRequest"),
        (AZURE, {"headers": {"api-key": "wrong"}}, 401, "401"),
        (AZURE, {"model": "gpt-live-transcribe"}, 400, "OperationNotSupported"),
        ("/azure-sweden/openai/audio", {}, 404, "404"),
    ],
)
async def test_azure_refuses_in_its_own_shape(
    path: str, fields: dict[str, Any], status: int, code: str
) -> None:
    """Only code and message, and the ids of a support case."""
    reply = await send(path, **fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], set(error)) == (status, code, {"code", "message"})
    assert "apim-request-id" in reply.headers


async def test_the_address_decides_whose_ways_are_kept() -> None:
    """Every endpoint answers in OpenAI's ways below /v1 and in Azure's below /openai, refusals included."""
    bearer = {"authorization": "Bearer wrong"}
    azure = await send("/openai-us/openai/v1/audio/transcriptions", headers={"api-key": "wrong"})
    openai = await send("/azure-sweden/v1/audio/transcriptions", headers=bearer)
    assert (azure.status_code, azure.json()["error"]["code"]) == (401, "401")
    assert (openai.status_code, openai.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "apim-request-id" in azure.headers
    assert openai.headers["x-request-id"].startswith("req_")
    assert (await send("/openai-us/openai/v1/audio/transcriptions", headers=API_KEY)).status_code == 200


async def test_an_unknown_endpoint_names_those_that_are_served() -> None:
    """Somebody who mistypes the name is helped."""
    reply = await send("/azure-norway/openai/v1/audio/transcriptions", headers=API_KEY)
    assert reply.status_code == 404
    assert "azure-sweden, openai-us" in reply.json()["error"]["message"]


async def test_a_deployment_has_the_name_it_was_given() -> None:
    """The model's own name is not deployed then."""
    own = ServedEndpoint(name="own", kind="azure", deployments={"stt-prod": "gpt-4o-transcribe"})
    script = Script(endpoints={"own": own}, latency=NO_LATENCY)
    path = "/own/openai/v1/audio/transcriptions"
    assert (await send(path, script=script, headers=API_KEY, model="stt-prod")).json()["text"] == AMIABLE
    assert (await send(path, script=script, headers=API_KEY)).status_code == 404


async def test_an_upload_over_25_mb_is_refused_with_its_misleading_type() -> None:
    """413, type server_error."""
    reply = await send(content=wav(bytes(26_300_000)))
    assert (reply.status_code, reply.json()["error"]["type"]) == (413, "server_error")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data"])
async def test_a_body_that_is_no_form_is_refused(content_type: str) -> None:
    """With a reason."""
    async with client() as made:
        reply = await made.post(OPENAI, headers={**BEARER, "content-type": content_type}, content=b"{}")
    assert reply.status_code == 400
    assert "multipart" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "status", "openai", "azure"),
    [
        ("401", 401, "invalid_api_key", "401"),
        ("403", 403, "model_not_found", "AccessDenied"),
        ("404", 404, "model_not_found", "DeploymentNotFound"),
        ("408", 408, None, "Timeout"),
        ("429", 429, "rate_limit_exceeded", "429"),
        ("429_quota", 429, "insufficient_quota", "429"),
        ("429_capacity", 429, None, "429"),
        ("500", 500, None, "InternalServerError"),
        ("503", 503, None, "ServiceUnavailable"),
    ],
)
async def test_status_faults_speak_each_vendor_s_language(
    name: str, status: int, openai: str | None, azure: str
) -> None:
    """Status and code as the vendor's own."""
    script = broken(fault(name))
    for path, code in ((OPENAI, openai), (AZURE, azure)):
        reply = await send(path, script=script)
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


async def test_a_bad_gateway_is_html() -> None:
    """It comes from something before the service."""
    reply = await send(script=broken(fault("502")))
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html")


async def test_wait_hints_and_texts_can_be_set() -> None:
    """Else a spent limit says what its text says; an empty one leaves the header out."""
    wanted = fault("429", retry_after=7, retry_after_ms=1500, message="Slow down.", code="x")
    reply = await send(script=broken(wanted))
    assert (reply.headers["retry-after"], reply.headers["retry-after-ms"]) == ("7", "1500")
    assert (reply.json()["error"]["message"], reply.json()["error"]["code"]) == ("Slow down.", "x")
    plain = await send(script=broken(fault("429")))
    assert plain.headers["retry-after"] == "20"
    assert "after 20 seconds" in plain.json()["error"]["message"] or "20s" in plain.json()["error"]["message"]
    assert "retry-after" not in (await send(script=broken(fault("429", retry_after="")))).headers


@pytest.mark.parametrize(
    ("name", "text"),
    [("empty", ""), ("truncated", "He might even have"), ("wrong", "Thank you for watching")],
)
async def test_wrong_words_come_with_status_200(name: str, text: str) -> None:
    """Only the words tell."""
    reply = await send(script=broken(fault(name)))
    assert reply.status_code == 200
    assert reply.json()["text"][: len(text)] == text


async def test_slow_waits_for_its_delay() -> None:
    """The delay comes on top of the usual time."""
    waits: list[float] = []
    async with client(broken(fault("slow", delay=3)), waits) as made:
        files = {"file": ("a.wav", clips.load_clip("amiable").wav, "audio/wav")}
        reply = await made.post(OPENAI, headers=BEARER, data={"model": "whisper-1"}, files=files)
    assert (reply.json()["text"], waits) == (AMIABLE, [3])


async def test_a_stream_can_end_without_done() -> None:
    """Some words, then the end: no success."""
    text = (await send(stream="true", script=broken(fault("deltas_stop")))).text
    assert text.count("transcript.text.delta") == 4
    assert "transcript.text.done" not in text


async def test_a_fault_of_sessions_leaves_uploads_alone() -> None:
    """The reference outage: the same model by upload is fine."""
    assert (await send(script=broken(fault("failed", model="gpt-4o-transcribe")))).json()["text"] == AMIABLE


async def test_a_partial_fault_hits_every_other_upload() -> None:
    """A share of one half."""
    app = create_app(broken(fault("500", share=0.5)), clock=lambda: NOON)
    seen = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s") as made:
        for _ in range(4):
            files = {"file": ("a.wav", clips.load_clip("amiable").wav, "audio/wav")}
            reply = await made.post(OPENAI, headers=BEARER, data={"model": "whisper-1"}, files=files)
            seen.append(reply.status_code)
    assert seen == [200, 500, 200, 500]


async def test_models_are_listed_to_those_with_a_key() -> None:
    """The deployments and the hosts."""
    async with client() as made:
        listed = await made.get("/openai-us/v1/models", headers=BEARER)
        refused = await made.get("/azure-sweden/openai/v1/models")
    assert [model["id"] for model in listed.json()["data"]][-1] == "gpt-realtime"
    assert refused.status_code == 401


async def test_only_openai_lists_the_last_days_of_its_models() -> None:
    """By the names of the deployments; a model that does not end has null."""
    async with client() as made:
        openai = (await made.get("/openai-us/v1/models", headers=BEARER)).json()["data"]
        azure = (await made.get("/azure-sweden/openai/v1/models", headers={"api-key": KEY})).json()["data"]
    days = {model["id"]: model["shutdown_date"] for model in openai}
    assert (days["whisper-1"], days["gpt-realtime"], days["gpt-transcribe"]) == (
        "2027-02-26",
        "2027-01-20",
        None,
    )
    assert all("shutdown_date" not in model for model in azure)


async def test_a_stream_carries_log_probabilities_when_asked_for() -> None:
    """With each delta its own, and all of them at the end."""
    wanted: dict[str, Any] = {"stream": "true", "include[]": "logprobs"}
    reply = await send(**wanted)
    events = [orjson.loads(line[6:]) for line in reply.text.split("\n\n") if line]
    assert [event["logprobs"][0]["token"] for event in events[:-1]] == [
        entry["token"] for entry in events[-1]["logprobs"]
    ]


async def test_a_diarized_stream_tells_who_spoke() -> None:
    """A segment with its speaker before the end; the deltas name it."""
    model = "gpt-4o-transcribe-diarize"
    served = ServedEndpoint(name="openai-us", kind="openai", deployments={model: model})
    script = Script(endpoints={"openai-us": served}, latency=NO_LATENCY)
    reply = await send(script=script, model=model, stream="true", response_format="diarized_json")
    events = [orjson.loads(line[6:]) for line in reply.text.split("\n\n") if line]
    assert [event["type"] for event in events[-2:]] == ["transcript.text.segment", "transcript.text.done"]
    assert (events[-2]["speaker"], events[-2]["text"]) == ("A", AMIABLE)
    assert {event["segment_id"] for event in events[:-2]} == {events[-2]["id"]}


async def test_an_api_version_means_nothing_to_openai() -> None:
    """Only Azure reads that parameter."""
    assert (await send(OPENAI + "?api-version=2024-10-21")).status_code == 200


async def test_one_model_is_shown_by_its_name() -> None:
    """`GET /models/{id}` gives what the list gives; an unknown one is 404 in the vendor's shape."""
    async with client(QUICK) as made:
        listed = (await made.get("/openai-us/v1/models", headers=BEARER)).json()["data"]
        for model in listed:
            shown = await made.get(f"/openai-us/v1/models/{model['id']}", headers=BEARER)
            assert shown.json() == model
        missing = await made.get("/openai-us/v1/models/gpt-5-transcribe", headers=BEARER)
        keyless = await made.get("/openai-us/v1/models/whisper-1")
        azure = await made.get("/azure-sweden/openai/v1/models/nothing", headers=API_KEY)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert keyless.status_code == 401
    assert (azure.status_code, azure.json()["error"]["code"]) == (404, "DeploymentNotFound")


@pytest.mark.parametrize("version", ["2019-01-01", "2025-03-01", "2024-10-21-preview", "preview"])
async def test_an_api_version_that_never_was_is_an_unknown_address(version: str) -> None:
    """A date of the right form is not enough: Azure knows its versions."""
    path = "/azure-sweden/openai/deployments/gpt-4o-transcribe/audio/transcriptions?api-version="
    refused = await send(path + version, headers=API_KEY)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "404")
    assert (await send(path + "2025-03-01-preview", headers=API_KEY)).status_code == 200


@pytest.mark.parametrize("path", [OPENAI, "/azure-sweden/openai/v1/audio/transcriptions"])
async def test_a_rate_limit_leaves_none_of_what_its_text_says_is_used(path: str) -> None:
    """The headers of a refusal agree with its words: nothing remains."""
    refused = await send(path, script=broken(fault(429)), headers=API_KEY if "azure" in path else BEARER)
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-limit-requests"] == "3"


async def test_a_streamed_answer_counts_tokens_whatever_the_model_counts_otherwise() -> None:
    """The SDK's type of the last event knows no seconds."""
    streamed = await send(model="gpt-transcribe", stream="true")
    last = [line for line in streamed.text.splitlines() if line.startswith("data: {")][-1]
    assert orjson.loads(last.removeprefix("data: "))["usage"]["type"] == "tokens"
