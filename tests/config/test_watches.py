from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from monitor.config import Settings

Load = Callable[[str], Settings]
Refused = Callable[[str], Sequence[str]]
WATCH = '\n[[watch]]\nendpoint = "azure"\nmodels = ["whisper-1"]\npathways = ["rest"]\n'


def test_a_watch_is_every_model_on_every_pathway(azure: str, loaded: Load) -> None:
    """Targets come in the order of the file, models before pathways."""
    text = f"""{azure}
[[watch]]
endpoint = "azure"
models = ["gpt-4o-transcribe", "whisper-1"]
pathways = ["realtime", "rest"]
session_model = "rt-host"
every = "1m"
limit = "6s"
max_per_minute = 2
pace = "burst"
"""
    targets = loaded(text).targets
    assert [target.key for target in targets] == [
        "azure/gpt-4o-transcribe/realtime",
        "azure/gpt-4o-transcribe/rest",
        "azure/whisper-1/realtime",
        "azure/whisper-1/rest",
    ]
    first = targets[0]
    assert (first.every, first.limit) == (timedelta(minutes=1), timedelta(seconds=6))
    assert (first.max_per_minute, first.pace, first.clip) == (2, "burst", "amiable")


def test_a_host_model_belongs_to_hosted_sessions_only(azure: str, loaded: Load) -> None:
    """Another host must not look like a change of what the REST target sends."""
    realtime = 'pathways = ["rest", "realtime", "realtime_transcription"]\nsession_model = "rt-host"'
    targets = loaded(azure + WATCH.replace('pathways = ["rest"]', realtime)).targets
    assert [target.session_model for target in targets] == [None, "rt-host", None]


def test_azures_preview_names_a_host_for_transcription_too(azure: str, loaded: Load) -> None:
    """The preview path holds a realtime deployment in both kinds of session."""
    preview = f'{azure}dialect = "preview"\napi_version = "2025-04-01-preview"\n'
    watch = WATCH.replace('["rest"]', '["realtime_transcription"]') + 'session_model = "rt-host"\n'
    assert loaded(preview + watch).targets[0].session_model == "rt-host"


@pytest.mark.parametrize(("every", "timeout"), [("5m", 30), ("30s", 24), ("5s", 4), ("1m", 30)])
def test_the_default_timeout_stays_below_short_intervals(
    every: str, timeout: int, azure: str, loaded: Load
) -> None:
    """A run has ended before the next is due, without a word in the file."""
    [target] = loaded(f'{azure}{WATCH}every = "{every}"\n').targets
    assert target.timeout == timedelta(seconds=timeout)


def test_the_language_can_be_left_to_the_model(azure: str, loaded: Load) -> None:
    """`auto` sends no language."""
    assert loaded(f'{azure}{WATCH}language = "auto"\n').targets[0].language is None
    assert loaded(azure + WATCH).targets[0].language == "en"


def test_a_clip_of_ones_own_counts_from_the_file(azure: str, loaded: Load, tmp_path: Path) -> None:
    """A relative path is made absolute, and the recording and its text are read."""
    shipped = files("monitor.clips") / "data" / "amiable.wav"
    shutil.copy(str(shipped), tmp_path / "own.wav")
    (tmp_path / "own.txt").write_text("words", "utf-8")
    assert loaded(f'{azure}{WATCH}clip = "own.wav"\n').targets[0].clip == str(tmp_path / "own.wav")


def test_a_watch_is_not_blamed_for_a_broken_endpoint(azure: str, refused: Refused) -> None:
    """An endpoint that could not be read is still known by its name."""
    assert refused(azure.replace("azure_openai", "azur_openai") + WATCH) == [
        "2: endpoint.azure.provider: unknown provider 'azur_openai', did you mean 'azure_openai'?"
    ]


def test_an_unknown_endpoint_is_told_beside_other_faults(azure: str, refused: Refused) -> None:
    """Two faults of one watch are told at once."""
    told = refused(azure + WATCH.replace('"azure"', '"azur"').replace('["rest"]', "[]"))
    assert told == [
        "8: watch[0].endpoint: unknown endpoint 'azur', did you mean 'azure'?",
        "10: watch[0].pathways: must name at least one",
    ]


def test_watches_can_be_written_inline(azure: str, refused: Refused) -> None:
    """A list of inline tables has its lines too."""
    text = """watch = [
  { endpoint = "azure", models = ["whisper-1"], pathways = ["rest"] },
  { endpoint = "azure", models = ["whisper-1"], pathways = ["rest"], every = 5 },
]
"""
    assert refused(text + azure) == [
        "3: watch[1].every: 5 has no unit: write such as '30s', '5m' or '1h30m'",
        "3: watch[1].models[0]: azure/whisper-1/rest is watched already by watch[0], line 2",
    ]


def test_a_streaming_model_may_run_without_turn_detection(azure: str, loaded: Load) -> None:
    """Only server VAD is refused for it."""
    watch = WATCH.replace("whisper-1", "gpt-live-transcribe").replace(
        '["rest"]', '["realtime_transcription"]'
    )
    assert loaded(azure + watch).targets[0].turn == "manual"


def test_clips_take_turns_in_the_order_of_the_file(azure: str, loaded: Load) -> None:
    """Shipped ones and silence; the first is what is shown where one is; one alone is no rotation."""
    [target] = loaded(f'{azure}{WATCH}clips = ["respectable", "silence"]\n').targets
    assert (target.clip, target.rotation) == ("respectable", ("respectable", "silence"))
    [target] = loaded(f'{azure}{WATCH}clips = ["respectable"]\n').targets
    assert (target.clip, target.clips) == ("respectable", ())
    [target] = loaded(f'{azure}{WATCH}clip = "silence"\n').targets
    assert target.rotation == ("silence",)


def test_clips_do_not_reach_the_configuration(azure: str, loaded: Load) -> None:
    """What is said is no setting of the wire."""
    [one] = loaded(azure + WATCH).targets
    [two] = loaded(f'{azure}{WATCH}clips = ["respectable", "silence"]\n').targets
    assert one.configuration == two.configuration
