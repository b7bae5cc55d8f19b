"""The value that reports are made of answers for its own parts."""

from __future__ import annotations

from monitor.core.evidence.bundle_facts import Role
from tests.support.sample_bundle_facts import dossier, exhibits


def test_an_exhibit_is_found_by_its_role() -> None:
    """The first one of a role, or none."""
    assert dossier().exhibit(Role.LAST_FAILED) == exhibits()[1]
    assert dossier().exhibit(Role.SIGNATURE) is None
