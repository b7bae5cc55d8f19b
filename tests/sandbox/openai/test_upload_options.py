"""The fields of an upload's form: what each model takes, and with which words the rest is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from monitor.sandbox.common.http_call import RequestRefused
from monitor.sandbox.common.multipart import Form
from monitor.sandbox.openai.upload_options import check_length, check_options

PLAIN, WHISPER, DIARIZE = "gpt-4o-transcribe", "whisper-1", "gpt-4o-transcribe-diarize"


def form(**fields: str | tuple[str, ...]) -> Form:
    """A form with these text fields; two underscores stand for brackets."""
    given = {
        name.replace("__", "[]"): (value,) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    return Form(fields=given, files={})


def refusal(model: str, fields: Form, seconds: float = 3) -> dict[str, Any]:
    """The error that these fields are refused with."""

    def check() -> None:
        check_options(fields, model)
        check_length(fields, model, seconds)

    with pytest.raises(RequestRefused) as refused:
        check()
    assert refused.value.refusal.status == 400
    error: dict[str, Any] = orjson.loads(refused.value.refusal.body)["error"]
    return error


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (PLAIN, form(language="en", temperature="0.2", prompt="x", stream="true", include__="logprobs")),
        (PLAIN, form(chunking_strategy="auto", include__="logprobs", response_format="json")),
        (PLAIN, Form(fields={"chunking_strategy[type]": ("server_vad",)}, files={})),
        (WHISPER, form(response_format="verbose_json", timestamp_granularities__=("word", "segment"))),
        (DIARIZE, form(known_speaker_names__=("a", "b"), known_speaker_references__=("data:", "data:"))),
        ("gpt-transcribe", form(languages__=("en", "de"), keywords__="fox")),
    ],
)
def test_what_the_documentation_offers_is_taken(model: str, fields: Form) -> None:
    """Nothing is raised for the fields that belong to a model."""
    check_options(fields, model)
    check_length(fields, model, 29)


@pytest.mark.parametrize(
    ("model", "fields", "code", "param"),
    [
        (PLAIN, form(temperature="2"), "invalid_value", "temperature"),
        (PLAIN, form(temperature="warm"), "invalid_value", "temperature"),
        (PLAIN, form(temperature="nan"), "invalid_value", "temperature"),
        (PLAIN, form(language="english"), "invalid_language_format", "language"),
        (PLAIN, form(stream="perhaps"), "invalid_value", "stream"),
        (PLAIN, form(include__="words"), "invalid_value", "include[0]"),
        (PLAIN, form(include__="logprobs", response_format="text"), "unsupported_value", "include"),
        (PLAIN, form(chunking_strategy="never"), "invalid_value", "chunking_strategy"),
        (
            PLAIN,
            Form(fields={"chunking_strategy[threshold]": ("0.5",)}, files={}),
            "invalid_value",
            "chunking_strategy.type",
        ),
        (
            PLAIN,
            Form(fields={"chunking_strategy[x]": ("1",)}, files={}),
            "unknown_parameter",
            "chunking_strategy.x",
        ),
        (PLAIN, form(known_speaker_names__="a"), "unsupported_value", "known_speaker_names"),
        (
            DIARIZE,
            form(known_speaker_references__=("d",) * 5),
            "array_above_max_length",
            "known_speaker_references",
        ),
        (
            WHISPER,
            form(response_format="verbose_json", timestamp_granularities__="letter"),
            "invalid_value",
            "timestamp_granularities[0]",
        ),
    ],
)
def test_what_it_does_not_offer_is_refused(model: str, fields: Form, code: str, param: str) -> None:
    """A 400 that names the field."""
    error = refusal(model, fields)
    assert (error["code"], error["param"], error["type"]) == (code, param, "invalid_request_error")


@pytest.mark.parametrize(
    ("model", "seconds", "param"),
    [(PLAIN, 1500.5, "file"), (DIARIZE, 30.1, "chunking_strategy")],
)
def test_audio_can_be_too_long_for_a_model(model: str, seconds: float, param: str) -> None:
    """25 minutes for the models that count tokens, 30 s for diarization in one piece."""
    assert refusal(model, form(), seconds)["param"] == param
    check_length(form(chunking_strategy="auto"), DIARIZE, seconds if model == DIARIZE else 3)
    check_length(form(), WHISPER, seconds)
