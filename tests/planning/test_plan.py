from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.config import Settings, load
from monitor.planning.plan import make_plan
from monitor.planning.render import render_text

Load = Callable[[str], Settings]
ROOT = Path(__file__).parents[2]
WATCH = """[[watch]]
endpoint = "azure"
models = ["gpt-4o-transcribe"]
pathways = ["rest", "realtime_transcription"]
"""


def test_a_day_costs_cents(azure: str, loaded: Load) -> None:
    """288 runs of 4 started seconds at $0.006 a minute; a day that is down throughout has 1,440."""
    plan = make_plan(loaded(azure + WATCH))
    rest = plan.targets[0]
    assert rest.runs_a_day == 288
    assert rest.usd_a_day == pytest.approx(288 * 4 / 60 * 0.006)
    assert rest.usd_a_day_down == pytest.approx(1440 * 4 / 60 * 0.006)
    assert plan.usd_a_day == pytest.approx(2 * 288 * 4 / 60 * 0.006)


def test_prices_of_ones_own_come_first(azure: str, loaded: Load) -> None:
    """By endpoint and model, else by model."""
    text = azure + WATCH + '[price]\ngpt-4o-transcribe = 1\n"azure/gpt-4o-transcribe" = 0\n'
    assert make_plan(loaded(text)).usd_a_day == 0


def test_an_unknown_price_is_told_and_not_guessed(loaded: Load) -> None:
    """The list price of a model says nothing about the same model on a server of one's own."""
    text = '[endpoint.own]\nprovider = "openai_compatible"\nurl = "http://whisper:8000"\n'
    text += '[[watch]]\nendpoint = "own"\nmodels = ["whisper-1"]\npathways = ["rest"]\n'
    plan = make_plan(loaded(text))
    assert (plan.usd_a_day, plan.unpriced) == (0, ("own/whisper-1",))
    assert plan.targets[0].usd_a_day is None


def test_the_address_on_the_wire_is_shown(azure: str, loaded: Load) -> None:
    """REST and realtime, as the provider spells them; no secret is in it."""
    plan = make_plan(loaded(azure + WATCH))
    assert [target.url for target in plan.targets] == [
        "https://contoso.openai.azure.com/openai/v1/audio/transcriptions",
        "wss://contoso.openai.azure.com/openai/v1/realtime?intent=transcription",
    ]


def test_models_that_end_are_named_with_their_day(azure: str, loaded: Load) -> None:
    """The host of a session too, each once, the nearest first."""
    text = (
        azure + WATCH.replace('"realtime_transcription"', '"realtime"') + 'session_model = "gpt-realtime"\n'
    )
    plan = make_plan(loaded(text))
    assert [line.partition(". ")[0] for line in plan.retirements] == [
        "OpenAI ends gpt-realtime on 2027-01-20",
        "OpenAI ends gpt-4o-transcribe on 2027-02-26; its successor is gpt-transcribe",
    ]
    assert plan.prices_as_of >= date(2026, 11, 22)


def test_the_example_fits_its_quota_and_notices_within_seven_minutes() -> None:
    """The file that newcomers copy must not eat the quota of the product it watches."""
    plan = make_plan(load(ROOT / "config.example.toml", environ={}))
    assert all(quota.fits for quota in plan.quotas)
    found = [target.noticing.confirmed for target in plan.targets]
    assert max(length for length in found if length) <= timedelta(minutes=7)
    assert plan.usd_a_day < 2


def test_deployments_share_one_quota_over_their_pathways(azure: str, loaded: Load) -> None:
    """REST and realtime of a deployment are counted together, each deployment once."""
    [quota] = make_plan(loaded(azure + WATCH)).quotas
    assert (quota.deployment, len(quota.targets)) == ("gpt-4o-transcribe", 2)


def test_the_dual_pathway_shows_both_addresses(azure: str, loaded: Load) -> None:
    """The upload and the session that is opened after it; what the answer costs is said apart."""
    text = azure + WATCH.replace('["rest", "realtime_transcription"]', '["dual"]')
    plan = make_plan(loaded(text + 'session_model = "rt-host"\n'))
    [dual] = plan.targets
    assert dual.url == "https://contoso.openai.azure.com/openai/v1/audio/transcriptions"
    assert dual.session_url == "wss://contoso.openai.azure.com/openai/v1/realtime?model=rt-host"
    assert dual.usd_a_day == pytest.approx(288 * 4 / 60 * 0.006)
    assert any("rt-host bills its answer" in hint for hint in plan.hints)
    assert f"      then {dual.session_url}\n" in render_text(plan)


def test_a_client_secret_is_asked_for_first(azure: str, loaded: Load) -> None:
    """The plan shows where it is minted, and the session after it."""
    text = azure + WATCH.replace('"rest", ', "") + "client_secret = true\n"
    [target] = make_plan(loaded(text)).targets
    assert target.url == "https://contoso.openai.azure.com/openai/v1/realtime/client_secrets"
    assert target.session_url == "wss://contoso.openai.azure.com/openai/v1/realtime?intent=transcription"


def test_clips_that_take_turns_share_the_cost(azure: str, loaded: Load) -> None:
    """Started seconds of each, in equal parts."""
    text = azure + WATCH.replace(', "realtime_transcription"', "") + 'clips = ["amiable", "silence"]\n'
    [target] = make_plan(loaded(text)).targets
    assert target.clip == "amiable, silence"
    assert target.usd_a_day == pytest.approx(288 * (4 + 2) / 2 / 60 * 0.006)
