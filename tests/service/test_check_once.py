"""Runs made once, without a database."""

from __future__ import annotations

import asyncio

from monitor.core.model import Kind, Verdict
from monitor.service.build import settings_of
from monitor.service.check_once import check_all
from tests.support.commands import Configure, Sandbox


def test_every_target_is_run_once_in_the_order_asked_for(configure: Configure, sandbox: Sandbox) -> None:
    """Outcomes come back in the order of the targets, whichever ended first, each of kind manual."""
    settings = settings_of(configure(sandbox.base))
    targets = settings.targets[::-1]
    seen = asyncio.run(check_all(settings, targets))
    assert [one.outcome.target for one in seen] == [target.key for target in targets]
    assert {(one.outcome.kind, one.outcome.verdict) for one in seen} == {(Kind.MANUAL, Verdict.PASSED)}
