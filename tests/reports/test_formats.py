"""The formats by name: each renders."""

from __future__ import annotations

import pytest

from monitor.reports import EXPORTS, FORMATS
from tests.support.sample_bundle_facts import dossier, runs


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_renders_the_dossier(name: str) -> None:
    """Bytes come out, and a secret would have stopped them."""
    assert FORMATS[name](dossier(), ["canary-key-1234"])


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_every_export_streams_outcomes(name: str) -> None:
    """Chunks come out."""
    assert b"run-r1" in b"".join(EXPORTS[name](runs(5)))
