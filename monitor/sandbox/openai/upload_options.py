"""What an upload may ask for beside its audio: the fields of the form, by model.

A field that the model does not take, or a value outside its bounds, is refused as the live service does.
"""

from __future__ import annotations

from monitor.sandbox.common import refusals
from monitor.sandbox.common.http_call import RequestRefused
from monitor.sandbox.common.multipart import Form
from monitor.sandbox.common.refusals import Refusal
from monitor.sandbox.model_abilities import Abilities, abilities

LONGEST_TOKENS = 1500.0  # seconds; the models that count tokens take no more
LONGEST_UNCUT = 30.0  # seconds; from there on diarization wants a chunking strategy
MOST_SPEAKERS = 4
GRANULARITIES = ("word", "segment")
_VAD = ("type", "threshold", "prefix_padding_ms", "silence_duration_ms")


def bad(message: str, code: str | None, param: str | None = None) -> Refusal:
    """A 400 in OpenAI's shape, in which Azure's backend speaks too."""
    return refusals.openai_refusal(400, message, code=code, param=param)


def check_options(form: Form, model: str) -> None:
    """Raises Refused for a field that is wrong in itself or not taken by *model*."""
    able = abilities(model)
    _check_languages(form, able)
    _check_include(form, able, model)
    _check_timestamps(form)
    _check_temperature(form)
    _check_chunking(form)
    _check_speakers(form, able, model)
    if form.text("stream") not in (None, "true", "false", "True", "False"):
        raise RequestRefused(_wrong("stream", form.text("stream"), ("true", "false")))
    if form.text("prompt") and not able.prompt:
        raise RequestRefused(
            bad(f"prompt is not supported with model '{model}'.", "unsupported_value", "prompt")
        )


def check_length(form: Form, model: str, seconds: float) -> None:
    """Raises Refused for audio that is too long for *model*."""
    able = abilities(model)
    if not able.by_duration and seconds > LONGEST_TOKENS:
        message = (
            f"audio duration {seconds:.1f} seconds is longer than {LONGEST_TOKENS:.0f} seconds which is the"
            " maximum for this model"
        )
        raise RequestRefused(bad(message, "invalid_value", "file"))
    is_cut = any(name.startswith("chunking_strategy") for name in form.fields)
    if able.diarizes and seconds > LONGEST_UNCUT and not is_cut:
        message = f"chunking_strategy is required for model '{model}' with audio over 30 seconds."
        raise RequestRefused(bad(message, "missing_required_parameter", "chunking_strategy"))


def _check_languages(form: Form, able: Abilities) -> None:
    if "language" in form.fields and "languages[]" in form.fields:
        message = "You cannot provide both 'language' and 'languages'."
        raise RequestRefused(bad(message, "invalid_parameter", "languages"))
    for field in ("languages[]", "keywords[]"):
        if field in form.fields and not able.names_languages:
            raise RequestRefused(bad(f"Unknown parameter: '{field[:-2]}'.", "unknown_parameter", field[:-2]))
    for code in (*form.fields.get("language", ()), *form.fields.get("languages[]", ())):
        if code and not (code.isascii() and code.isalpha() and len(code) in (2, 3)):
            message = (
                f"Invalid language '{code[:40]}'. Language parameter must be specified in ISO-639-1 format."
            )
            raise RequestRefused(bad(message, "invalid_language_format", "language"))


def _check_include(form: Form, able: Abilities, model: str) -> None:
    for wanted in form.fields.get("include[]", ()):
        if wanted != "logprobs":
            raise RequestRefused(_wrong("include[0]", wanted, ("logprobs",)))
        if not able.logprobs:
            message = f"logprobs is not supported with model '{model}'."
            raise RequestRefused(bad(message, "unsupported_value", "include"))
        if form.text("response_format") not in (None, "json"):
            message = "logprobs requires response_format 'json'."
            raise RequestRefused(bad(message, "unsupported_value", "include"))


def _check_timestamps(form: Form) -> None:
    asked = form.fields.get("timestamp_granularities[]", ())
    for wanted in asked:
        if wanted not in GRANULARITIES:
            raise RequestRefused(_wrong("timestamp_granularities[0]", wanted, GRANULARITIES))
    if asked and form.text("response_format") != "verbose_json":
        message = "timestamp_granularities requires response_format 'verbose_json'."
        raise RequestRefused(bad(message, "unsupported_value", "timestamp_granularities"))


def _check_temperature(form: Form) -> None:
    given = form.text("temperature")
    if given is None:
        return
    try:
        is_right = 0 <= float(given) <= 1
    except ValueError:
        is_right = False
    if not is_right:
        message = f"Invalid 'temperature': expected a number from 0 to 1, but got '{given[:40]}' instead."
        raise RequestRefused(bad(message, "invalid_value", "temperature"))


def _check_chunking(form: Form) -> None:
    plain = form.text("chunking_strategy")
    if plain is not None and plain != "auto":
        raise RequestRefused(_wrong("chunking_strategy", plain, ("auto",)))
    given = {name[18:-1]: form.text(name) for name in form.fields if name.startswith("chunking_strategy[")}
    for name in given:
        if name not in _VAD:
            shown = f"chunking_strategy.{name[:40]}"
            raise RequestRefused(bad(f"Unknown parameter: '{shown}'.", "unknown_parameter", shown))
    if given and given.get("type") != "server_vad":
        raise RequestRefused(_wrong("chunking_strategy.type", given.get("type"), ("server_vad",)))


def _check_speakers(form: Form, able: Abilities, model: str) -> None:
    for field in ("known_speaker_names", "known_speaker_references"):
        given = form.fields.get(f"{field}[]", ())
        if given and not able.diarizes:
            raise RequestRefused(
                bad(f"{field} is not supported with model '{model}'.", "unsupported_value", field)
            )
        if len(given) > MOST_SPEAKERS:
            message = f"Invalid '{field}': at most {MOST_SPEAKERS} speakers, but got {len(given)} instead."
            raise RequestRefused(bad(message, "array_above_max_length", field))


def _wrong(param: str, given: str | None, right: tuple[str, ...]) -> Refusal:
    listed = " and ".join(f"'{name}'" for name in right)
    message = f"Invalid value: '{(given or '')[:40]}'. Supported values are: {listed}."
    return bad(message, "invalid_value", param)
