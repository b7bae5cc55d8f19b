"""The page of a run stands whatever evidence was imported with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Outcome
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.render import build_renderer
from monitor.web.pages.run import run_page
from tests.support.filled_database import TARGETS, evidence_for, run_of

RENDER = build_renderer(DisplaySettings(location="berlin", timezone="Europe/Berlin"))
RUN: Outcome = run_of(TARGETS[1], 600, 1, failed=True)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted(evidence_for(RUN)))
frames = st.dictionaries(
    st.sampled_from(["n", "at", "dir", "kind", "type", "bytes", "body", "frames", "until", "truncated"]),
    anything,
)


@given(st.dictionaries(names, anything), st.lists(frames, max_size=3))
def test_any_evidence_gives_a_page(odd: dict[str, Any], some: list[dict[str, Any]]) -> None:
    """Values of other kinds than ours are left out or shown as text, and never an error."""
    for seen in ({**evidence_for(RUN), **odd}, {**odd, "frames": some}):
        assert "Frames" in RENDER("pages/run.html", run_page(RUN, seen, incident=None))


def test_stages_lie_on_one_scale() -> None:
    """Bars follow each other and end with the run."""
    page = run_page(RUN, evidence_for(RUN), incident=1)
    assert [stage.name for stage in page.stages][:3] == ["resolve", "connect", "tls"]
    assert page.stages[1].took == "33 ms"
    assert page.incident is not None


def test_json_is_shown_readable_and_anything_else_as_it_came() -> None:
    """A frame that was cut off is no JSON any more, and is shown all the same."""
    seen = {"frames": [{"body": '{"a":1}'}, {"body": '{"a":', "truncated": True}, {"body": {"b": 2}}, {}]}
    bodies = [frame.body for frame in run_page(RUN, seen, incident=None).frames]
    assert bodies == ['{\n  "a": 1\n}', '{"a":', '{\n  "b": 2\n}', ""]


@pytest.mark.parametrize(("count", "shown", "left"), [(500, 500, 0), (502, 500, 2)])
def test_a_flood_of_frames_is_bounded(count: int, shown: int, left: int) -> None:
    """The page says how many it leaves out."""
    page = run_page(RUN, {"frames": [{"n": 1}] * count}, incident=None)
    assert (len(page.frames), page.left_out) == (shown, left)
