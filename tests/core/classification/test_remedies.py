from __future__ import annotations

import pytest

from monitor.core.classification.remedies import REMEDIES, SLOWNESS
from monitor.core.model import Failure


def test_every_failure_has_a_remedy() -> None:
    """The list of failures is closed, and nobody is left alone with one of them."""
    assert set(REMEDIES) == set(Failure)


@pytest.mark.parametrize("remedy", [*REMEDIES.values(), SLOWNESS], ids=[*REMEDIES, "slowness"])
def test_a_remedy_is_made_of_sentences_for_a_table(remedy: object) -> None:
    """Both texts end as sentences do and hold nothing that would break a row."""
    for text in (getattr(remedy, "seen", ""), getattr(remedy, "do", "")):
        assert text.endswith(".")
        assert "|" not in text
        assert "\n" not in text
