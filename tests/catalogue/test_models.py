from __future__ import annotations

from datetime import date

from monitor.catalogue.models import AS_OF, KNOWN_HOSTS, KNOWN_MODELS


def test_what_is_known_of_models_has_a_date_and_prices() -> None:
    """The list says when it was made, and each transcription model has a price a minute."""
    assert date(2026, 1, 1) < AS_OF
    assert all(model.usd_per_minute and 0 < model.usd_per_minute < 1 for model in KNOWN_MODELS.values())


def test_the_last_days_are_those_that_were_announced() -> None:
    """OpenAI ends the models of 2025 on 26 February 2027 and names gpt-transcribe as successor."""
    ending = {name for name, model in KNOWN_MODELS.items() if model.retires == date(2027, 2, 26)}
    assert {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"} <= ending
    assert {KNOWN_MODELS[name].successor for name in ending} == {"gpt-transcribe"}
    assert KNOWN_HOSTS["gpt-realtime"].retires == date(2027, 1, 20)
