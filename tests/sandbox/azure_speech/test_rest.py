"""Azure AI Speech by HTTP: answers, statuses, and every refusal in its unwrapped form."""

from __future__ import annotations

import io
import random
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
import soundfile

from monitor import clips
from monitor.sandbox import Script, create_app
from monitor.sandbox.common.script import SPEECH_MODEL
from tests.support.sandbox_sessions import AMIABLE, KEY, NOON, SPEECH, at_16_khz, broken, fault, wav

SHORT = "/speech-sweden/speech/recognition/conversation/cognitiveservices/v1?language=en-US"
FAST = "/speech-sweden/speechtotext/transcriptions:transcribe?api-version=2025-10-15"
CLIP = clips.load_clip("amiable")
FILE = wav(at_16_khz(CLIP.pcm), 16_000)
MEDIA = "audio/wav; codecs=audio/pcm; samplerate=16000"


async def short(
    path: str = SHORT,
    content: bytes = FILE,
    *,
    script: Script = SPEECH,
    media: str = MEDIA,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """One request with short audio and the right key, unless told otherwise."""
    shown = {"ocp-apim-subscription-key": KEY} if headers is None else headers
    app = create_app(script, clock=lambda: NOON, rng=random.Random(1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        return await client.post(path, content=content, headers={"content-type": media, **shown})


async def fast(
    definition: Any = None,
    path: str = FAST,
    *,
    content: bytes = FILE,
    script: Script = SPEECH,
    part: str = "audio",
) -> httpx.Response:
    """One fast transcription."""
    app = create_app(script, clock=lambda: NOON, rng=random.Random(1))
    given = definition if isinstance(definition, str) else orjson.dumps(definition or {}).decode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        return await client.post(
            path,
            headers={"ocp-apim-subscription-key": KEY},
            data={"definition": given},
            files={part: ("probe.wav", content, "audio/wav")},
        )


async def test_short_audio_in_the_simple_format() -> None:
    """Status, text, and offsets in ticks of 100 ns."""
    reply = await short()
    assert reply.json() == {
        "RecognitionStatus": "Success",
        "DisplayText": AMIABLE,
        "Offset": 0,
        "Duration": 32_900_000,
    }
    assert reply.headers["x-ms-region"] == "Sweden Central"
    assert "apim-request-id" in reply.headers


async def test_short_audio_in_the_detailed_format() -> None:
    """The best guess in four spellings, and no DisplayText."""
    body = (await short(SHORT + "&format=detailed")).json()
    assert "DisplayText" not in body
    (best,) = body["NBest"]
    assert best["Display"] == AMIABLE
    assert best["Lexical"] == "he might even have been made amiable himself"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (wav(bytes(96_000)), "InitialSilenceTimeout"),
        (wav(random.Random(4).randbytes(96_000)), "NoMatch"),
    ],
    ids=["silence", "noise"],
)
async def test_a_200_need_not_be_a_recognition(content: bytes, status: str) -> None:
    """The status says so, and there is no text."""
    reply = await short(content=content)
    assert (reply.status_code, reply.json()["RecognitionStatus"]) == (200, status)
    assert "DisplayText" not in reply.json()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("no_match", "NoMatch"),
        ("initial_silence", "InitialSilenceTimeout"),
        ("babble", "BabbleTimeout"),
        ("recognition_error", "Error"),
    ],
)
async def test_every_status_can_be_had(name: str, status: str) -> None:
    """By the name of its fault, with HTTP 200."""
    reply = await short(script=broken(fault(name), script=SPEECH))
    assert (reply.status_code, reply.json()["RecognitionStatus"]) == (200, status)


@pytest.mark.parametrize(
    ("name", "text"), [("empty", ""), ("truncated", "He might even have"), ("wrong", "Thank you for")]
)
async def test_words_can_be_wrong(name: str, text: str) -> None:
    """Success all the same."""
    body = (await short(script=broken(fault(name, model=SPEECH_MODEL), script=SPEECH))).json()
    assert body["RecognitionStatus"] == "Success"
    assert body["DisplayText"].startswith(text)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("401", "Unauthorized"),
        ("403", "Forbidden"),
        ("404", "NotFound"),
        ("408", "Timeout"),
        ("429", "TooManyRequests"),
        ("500", "InternalServerError"),
        ("503", "ServiceUnavailable"),
    ],
)
async def test_status_faults_are_not_wrapped(name: str, code: str) -> None:
    """Code and message stand alone, for both ways of transcribing."""
    script = broken(fault(name, pathway="speech_rest"), script=SPEECH)
    for reply in (await short(script=script), await fast(script=script)):
        assert reply.status_code == int(name)
        assert set(reply.json()) == {"code", "message"}
        assert reply.json()["code"] == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"ocp-apim-subscription-key": "wrong"}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"Bearer aad#/subscriptions/x#{KEY}"}, 200),
        ({"api-key": KEY}, 403),
    ],
)
async def test_the_key_has_its_own_header(headers: dict[str, str], status: int) -> None:
    """A missing one is 403, a wrong one 401; Entra tokens may carry the resource in front."""
    assert (await short(headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("path", "content", "media", "status"),
    [
        (SHORT.partition("?")[0], FILE, MEDIA, 400),
        (SHORT + "&format=verbose", FILE, MEDIA, 400),
        (SHORT.replace("en-US", "klingon"), FILE, MEDIA, 400),
        (SHORT + "&profanity=mild", FILE, MEDIA, 400),
        (SHORT, b"no audio", MEDIA, 400),
        (SHORT, b"", MEDIA, 400),
        (SHORT, FILE, "application/json", 415),
        (SHORT, wav(bytes(61 * 48_000)), MEDIA, 400),
        (SHORT, bytes(17 * 1024 * 1024), MEDIA, 413),
        (SHORT.replace("conversation", "chat"), FILE, MEDIA, 404),
        ("/speech-sweden/v1/audio/transcriptions", FILE, MEDIA, 404),
        ("/speech-sweden/v1/realtime/client_secrets", FILE, MEDIA, 404),
    ],
    ids=[
        "language",
        "format",
        "unknown",
        "profanity",
        "bytes",
        "empty",
        "media",
        "long",
        "large",
        "mode",
        "openai",
        "secret",
    ],
)
async def test_wrong_requests_are_refused(path: str, content: bytes, media: str, status: int) -> None:
    """With a code and a sentence, not wrapped."""
    reply = await short(path, content, media=media)
    assert reply.status_code == status
    assert set(reply.json()) == {"code", "message"}


async def test_fast_transcription_gives_phrases_and_words() -> None:
    """Milliseconds here, and the locale that was asked for."""
    body = (await fast({"locales": ["en-GB"], "profanityFilterMode": "Masked"})).json()
    assert body["combinedPhrases"] == [{"text": AMIABLE}]
    (phrase,) = body["phrases"]
    assert (phrase["locale"], phrase["durationMilliseconds"]) == ("en-GB", body["durationMilliseconds"])
    assert [word["text"] for word in phrase["words"]][-1] == "himself"


async def test_fast_transcription_of_silence_has_no_phrases() -> None:
    """HTTP 200 and nothing said."""
    body = (await fast(content=wav(bytes(48_000)))).json()
    assert (body["combinedPhrases"], body["phrases"]) == ([{"text": ""}], [])


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("{", "no JSON"),
        ({"locale": "en-US"}, "Unknown parameter: 'definition.locale'"),
        ({"locales": "en-US"}, "expected an array"),
        ({"profanityFilterMode": "Loud"}, "Supported values are"),
        ([], "expected an object"),
    ],
)
async def test_a_wrong_definition_is_refused(definition: Any, sentence: str) -> None:
    """400, and the sentence names the member."""
    reply = await fast(definition if definition != [] else "[]")
    assert reply.status_code == 400
    assert sentence in reply.json()["message"]


@pytest.mark.parametrize(
    ("path", "part"), [(FAST.partition("?")[0], "audio"), (FAST + "&x", "file"), (FAST[:-2] + "99", "audio")]
)
async def test_fast_transcription_needs_a_version_and_its_part(path: str, part: str) -> None:
    """The api-version must be one of two; the audio must be the part `audio`."""
    assert (await fast(path=path, part=part)).status_code == 400


async def test_the_enhanced_model_can_be_hit_alone() -> None:
    """A fault of the model that the definition names leaves the plain recogniser alone."""
    script = broken(fault("500", model="MAI-Transcribe-2"), script=SPEECH)
    assert (
        await fast({"enhancedMode": {"enabled": True, "model": "MAI-Transcribe-2"}}, script=script)
    ).status_code == 500
    assert (await fast(script=script)).status_code == 200


@pytest.mark.parametrize("form", ["OGG", "FLAC"])
async def test_compressed_audio_is_understood(form: str) -> None:
    """Opus in Ogg as short audio, and any file that can be decoded as fast transcription."""
    buffer = io.BytesIO()
    samples = np.frombuffer(clips.load_clip("amiable").pcm, "<i2")
    soundfile.write(buffer, samples, 24_000, format=form, subtype="OPUS" if form == "OGG" else None)
    if form == "OGG":
        reply = await short(SHORT, buffer.getvalue(), media="audio/ogg; codecs=opus")
        assert reply.json()["DisplayText"] == AMIABLE
    else:
        reply = await fast(content=buffer.getvalue())
        assert reply.json()["combinedPhrases"] == [{"text": AMIABLE}]
