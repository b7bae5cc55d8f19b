"""What stands behind a diagnosis is worded from what is stored, and left out where nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from starlette.testclient import TestClient

from monitor.core.evidence.bundle_facts import Role
from monitor.web.pages.incident_background import background
from tests.support.sample_bundle_facts import dossier, exhibits

SHOWN = {one.role: one for one in exhibits()}


def test_the_page_says_how_soon_it_was_seen_and_what_changed(client: TestClient) -> None:
    """Detection with both bounds, and the two runs at the edge."""
    page = client.get("/incidents/1").text
    assert "between 2 min and 3 min after it began" in page
    assert "Last good and first failed run" in page
    assert "time to ready" in page
    assert "No difference in what the server answered." in page


def test_the_edge_names_both_runs() -> None:
    """Each run can be looked at; without one of them nothing is compared."""
    incident = dossier().incident
    found = background(incident, (), SHOWN, dossier().baselines)
    assert found.edge is not None
    assert found.good is not None
    assert found.bad is not None
    assert (found.good.href, found.bad.href) == ("/runs/run-before", "/runs/run-first")
    assert "in 24 h before" in found.baseline
    alone = background(incident, (), {Role.FIRST_FAILED: SHOWN[Role.FIRST_FAILED]}, ())
    assert (alone.edge, alone.good, alone.baseline, alone.told) == (None, None, "", "")


def test_without_a_good_run_before_it_the_delay_has_no_upper_bound() -> None:
    """Nobody looked before: it may have begun at any time; undecided, nothing is said."""
    incident = dossier().incident
    windows = tuple(replace(window, start_after=None) for window in incident.diagnosis.windows)
    unseen = replace(incident, diagnosis=replace(incident.diagnosis, windows=windows))
    assert background(unseen, (), {}, ()).detected.endswith("or more")
    assert background(replace(incident, opened_at=None), (), {}, ()).detected == ""
    assert incident.diagnosis.bounds.least > timedelta(0)
