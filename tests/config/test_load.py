from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config import SecretUse, Settings, load

ROOT = Path(__file__).parents[2]
GOOD = sorted((Path(__file__).parent / "good").glob("*.toml"))


@pytest.mark.parametrize("path", [*GOOD, ROOT / "config.example.toml"], ids=lambda path: path.stem)
def test_good_files_are_read_without_a_word(path: Path) -> None:
    """Neither a problem nor a note."""
    assert load(path, environ={}).notes == ()


def test_references_are_listed_with_their_places(azure: str, loaded: Callable[[str], Settings]) -> None:
    """A start looks up every one of them and can say where each stands."""
    text = f'{azure}\n[channel.oncall]\nkind = "webhook"\nurl = "http://127.0.0.1/"\nsecret = "env:S"\n'
    assert loaded(text).secrets == (
        SecretUse(key="endpoint.azure.key", reference="env:AZURE_OPENAI_KEY", line=5),
        SecretUse(key="channel.oncall.secret", reference="env:S", line=10),
    )


def test_a_variable_that_nothing_reads_is_noted(tmp_path: Path) -> None:
    """Only names with our prefix, and not the ones that the file refers to."""
    path = tmp_path / "config.toml"
    path.write_text('[database]\nurl = "env:EARWITNESS_DATABASE"\n', "utf-8")
    names = ("EARWITNESS_DATABASE", "EARWITNESS_CONFIG", "EARWITNESS_LOCATION", "PATH")
    assert load(path, environ=dict.fromkeys(names, "x")).notes == (
        "the variable EARWITNESS_LOCATION is set, but nothing reads it; settings stand in the file",
    )


def test_a_model_that_looks_misspelt_is_noted(azure: str, loaded: Callable[[str], Settings]) -> None:
    """Any name may be a deployment's, so that a near one is not refused."""
    watch = '\n[[watch]]\nendpoint = "azure"\nmodels = ["gpt-4o-transcrbe"]\npathways = ["rest"]\n'
    [note] = loaded(azure + watch).notes
    assert note == (
        "azure/gpt-4o-transcrbe/rest: 'gpt-4o-transcrbe' is asked for as a deployment of that name; "
        "did you mean 'gpt-4o-transcribe'?"
    )


def test_what_is_written_for_nobody_is_noted(azure: str, loaded: Callable[[str], Settings]) -> None:
    """A misspelt pattern of maintenance or model of a price would else be silently without effect."""
    watch = '\n[[watch]]\nendpoint = "azure"\nmodels = ["whisper-1"]\npathways = ["rest"]\n'
    planned = (
        '[[maintenance]]\nname = "move"\ntargets = ["azure/*", "azur/*"]\n'
        "from = 2026-01-01T00:00:00Z\nuntil = 2026-01-02T00:00:00Z\n"
    )
    assert loaded(f"{azure}{watch}{planned}[price]\nwisper-1 = 0.1\nwhisper-1 = 0.1\n").notes == (
        "maintenance[0].targets: 'azur/*' fits no watched target",
        "price.wisper-1: no model of that name is watched; did you mean 'whisper-1'?",
    )
