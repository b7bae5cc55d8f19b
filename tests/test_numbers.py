"""The page about the numbers: its method is the printed one, and its Python gives the page's figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitor.core.outages.uptime import METHOD
from monitor.core.timefmt import rfc3339
from monitor.pipeline.derive import DerivationSettings, update_all_incidents
from monitor.reports.jsonl import render
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from tests.support.days_of_trouble import EVERYWHERE, Changed, Shape, at
from tests.support.filled_database import Dial, app_over
from tests.support.planned_days import OSLO, REFERENCE, off, trouble

PAGE = Path(__file__).parents[1] / "docs" / "numbers.md"
SHAPE = Shape(
    name="a day with everything that bears on uptime",
    events=(
        trouble(REFERENCE, "3:00", "4:00"),
        trouble(REFERENCE, "6:10", "6:30", "quota"),
        trouble(REFERENCE, "6:50", "7:30"),
        off(EVERYWHERE, "7:00", "7:20"),
        trouble(REFERENCE, "8:00", "8:05"),
        trouble({**REFERENCE, "location": "berlin"}, "9:00", "9:40", "unmeasured"),
        trouble(OSLO, "10:00", "11:00", "connect"),
        trouble({"endpoint": "sweden"}, "12:00", "13:00", "dns"),
        Changed(where=REFERENCE, since="15:05", configuration="c2"),
        trouble(REFERENCE, "15:00", "15:10"),
        trouble({"model": "whisper-1"}, "16:00", "19:00", share=0.4),
        trouble({"pathway": "rest"}, "23:00"),
        off({"endpoint": "openai"}, "0:00", "2:00"),
    ),
)


def test_the_method_is_the_one_that_is_printed() -> None:
    """Word for word the sentence beside every figure."""
    assert METHOD in PAGE.read_text("utf-8").replace("\n> ", " ")


@pytest.fixture
def page(sqlite_database: Database) -> TestClient:
    """The pages over that day, as they stand at its end."""
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(run, None) for run in SHAPE.outcomes])
    update_all_incidents(sqlite_database, DerivationSettings(location="berlin"))
    return TestClient(app_over(sqlite_database, Dial(now=SHAPE.now)), base_url="http://127.0.0.1")


def test_a_few_lines_of_python_give_the_figure_of_the_page(page: TestClient, tmp_path: Path) -> None:
    """From the export of all outcomes, for every target and location: uptime and coverage."""
    (source,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    script, export = tmp_path / "uptime.py", tmp_path / "outcomes.jsonl"
    script.write_text(source, "utf-8")
    export.write_bytes(b"".join(render(SHAPE.outcomes)))
    asked = {"from": rfc3339(at("1:00")), "to": rfc3339(SHAPE.now), "limit": "100"}
    items = page.get("/api/v1/targets", params=asked).raise_for_status().json()["items"]
    chosen = [one for one in items if one["target"].startswith(("sweden/", "openai/whisper-1/"))]
    assert len({one["uptime"]["text"] for one in chosen}) >= 6
    for one in chosen:
        call = [script, export, one["target"], one["location"], asked["from"], asked["to"]]
        done = subprocess.run([sys.executable, *call], capture_output=True, text=True, check=True)
        figure = one["uptime"]["text"].partition(" of ")[0]
        expected = f"{figure}\ncoverage {one['uptime']['coverage'] * 100:.1f} %\n"
        assert done.stdout == expected, (one["target"], one["location"])
