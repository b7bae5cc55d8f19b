from __future__ import annotations

from monitor.catalogue.models import KNOWN_MODELS
from monitor.catalogue.sample_names import SAMPLE_CONTROLS, SAMPLE_FAILURE, SAMPLE_PATHWAYS, SAMPLE_PROVIDER
from monitor.core.pathways import PATHWAYS


def test_samples_are_things_that_there_are() -> None:
    """A drill and the schema name models and pathways that could be watched at the provider they name."""
    named = (SAMPLE_FAILURE, *SAMPLE_CONTROLS)
    assert {model for model, _ in named} <= set(KNOWN_MODELS)
    assert {pathway for _, pathway in named} | set(SAMPLE_PATHWAYS) <= set(SAMPLE_PROVIDER.pathways)


def test_each_sample_control_differs_in_one_thing_from_what_fails() -> None:
    """Else the drill would show a message that no incident gives."""
    differences = [sum(a != b for a, b in zip(one, SAMPLE_FAILURE, strict=True)) for one in SAMPLE_CONTROLS]
    assert differences == [1, 1]
    assert set(PATHWAYS) >= {pathway for _, pathway in SAMPLE_CONTROLS}
