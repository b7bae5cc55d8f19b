from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.config import Settings
from monitor.planning.blind_spots import hints, unanswered

Load = Callable[[str], Settings]
OPENAI = '[endpoint.openai]\nprovider = "openai"\nkey = "env:K"\n'


def watch(endpoint: str, models: str, pathways: str, more: str = "") -> str:
    return f'[[watch]]\nendpoint = "{endpoint}"\nmodels = {models}\npathways = {pathways}\n{more}\n'


def questions(settings: Settings) -> list[str]:
    """The questions alone, without reason and remedy."""
    return [sentence.partition("?")[0] for sentence in unanswered(settings)]


def test_a_bare_watch_leaves_every_question_open(azure: str, loaded: Load) -> None:
    """One model, one realtime pathway, one endpoint, nobody told."""
    text = azure.replace('region = "swedencentral"\n', "")
    settings = loaded(text + watch("azure", '["whisper-1"]', '["realtime_transcription"]'))
    assert questions(settings) == [
        "Is it our own network",
        "Do others see it too",
        "Is it the region or the model",
        "Is it the pathway or the model",
        "Is it the model or the endpoint",
        "Which resource",
        "Which region",
        "Who is told",
    ]


def test_a_full_configuration_leaves_one(azure: str, loaded: Load) -> None:
    """Only a second location cannot be had from one configuration."""
    settings = loaded(
        '[monitor]\ncontrol_hosts = ["example.com:443"]\n[web]\npublic_url = "https://e.example"\n'
        + azure
        + 'resource_id = "/subscriptions/0"\n'
        + OPENAI
        + watch("azure", '["whisper-1", "gpt-4o-transcribe"]', '["rest", "realtime_transcription"]')
        + watch("openai", '["whisper-1", "gpt-4o-transcribe"]', '["rest"]')
        + '[channel.all]\nkind = "webhook"\nurl = "env:U"\nsecret = "env:S"\n'
        + 'when = ["down", "degraded", "account", "monitor"]\n'
    )
    assert questions(settings) == ["Do others see it too"]


def test_occasions_that_reach_nobody_are_named(azure: str, loaded: Load) -> None:
    """A channel for outages alone tells nobody of a revoked key; links to loopback help nobody."""
    channel = '[channel.oncall]\nkind = "webhook"\nurl = "env:U"\nsecret = "env:S"\nwhen = ["down"]\n'
    told = list(unanswered(loaded(azure + channel)))
    assert told == [
        "Who is told of degraded or account or monitor? No channel has it in its `when`.",
        "Where do links in alerts lead? To this machine only: set public_url in [web].",
    ]


@pytest.mark.parametrize(
    ("pathway", "words"),
    [("rest", "answered 404 without one"), ("realtime_transcription", "often works here")],
)
def test_whisper_on_azure_is_explained(pathway: str, words: str, azure: str, loaded: Load) -> None:
    """Its realtime pathway works without a deployment, its REST pathway does not."""
    plain = azure + watch("azure", '["whisper-1"]', f'["{pathway}"]')
    assert any(words in hint for hint in hints(loaded(plain)))
    named = azure + '[endpoint.azure.deployment.whisper-1]\nname = "w"\n'
    assert not list(hints(loaded(named + watch("azure", '["whisper-1"]', f'["{pathway}"]'))))


def test_a_quota_above_the_usual_is_questioned(azure: str, loaded: Load) -> None:
    """On Azure a transcription deployment usually allows three requests a minute."""
    settings = loaded(azure + watch("azure", '["gpt-4o-transcribe"]', '["rest"]', "max_per_minute = 10"))
    assert [hint.partition(":")[0] for hint in hints(settings)] == ["azure"]


def test_two_quotas_of_one_deployment_are_noticed(loaded: Load) -> None:
    """The lowest counts, and that is said."""
    two = watch("openai", '["whisper-1"]', '["rest"]') + watch(
        "openai", '["whisper-1"]', '["realtime_transcription"]', "max_per_minute = 2"
    )
    assert list(hints(loaded(OPENAI + two))) == [
        "openai/whisper-1: max_per_minute differs between its watches; the lowest counts for all of them."
    ]


def test_a_streaming_model_on_rest_is_explained(loaded: Load) -> None:
    """It is offered in sessions only."""
    settings = loaded(OPENAI + watch("openai", '["gpt-live-transcribe"]', '["rest"]'))
    assert list(hints(settings)) == [
        "openai/gpt-live-transcribe/rest: 'gpt-live-transcribe' is offered in realtime sessions only."
    ]


def test_a_model_that_cannot_stream_is_explained(loaded: Load) -> None:
    """whisper-1 takes the wish for a stream and answers in one piece."""
    settings = loaded(OPENAI + watch("openai", '["whisper-1"]', '["rest_stream"]'))
    assert list(hints(settings)) == [
        "openai/whisper-1/rest_stream: 'whisper-1' ignores the wish for a stream; watch it on 'rest'."
    ]
