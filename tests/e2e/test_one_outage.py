"""The whole product as processes: one outage seen on the page, in JSON, in webhooks, and in the bundle.

The life of the outage is held once, with a canary for a key; each test looks at one side of what
remained of it.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from monitor.core.incidents.codec import incident_to_json, window_to_json
from monitor.store.database.engine import Database, open_database
from monitor.store.incidents.incidents import read_numbered_incidents, read_windows
from monitor.store.outcomes.pack import unpacked_bytes
from monitor.store.outcomes.read import read_evidence, stream_outcomes
from tests.support.service_processes import FAILING, KEY, TARGETS, House
from tests.support.webhook_receiver import SECRET

pytestmark = pytest.mark.timeout(180)

ECHO = f"Input transcription failed beside {KEY}. It is canary, is it not: {KEY[:14]}"
DRAIN_S = 2.0 + 1.0 + 4.0  # the run's deadline, its grace, and the process's own end


@dataclass(slots=True)
class Story:
    """What one outage left behind."""

    folder: Path
    pages: dict[str, bytes] = field(default_factory=dict)
    while_open: dict[str, bytes] = field(default_factory=dict)
    told: list[Mapping[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    replay: Mapping[str, Any] = field(default_factory=dict)
    bundle: bytes = b""
    by_command: bytes = b""
    exit_code: int = -1
    stopped_in_s: float = 0.0
    log: str = ""
    check: str = ""

    @property
    def incident(self) -> Mapping[str, Any]:
        """The incident as JSON after it was resolved."""
        found: Mapping[str, Any] = json.loads(self.pages["/api/v1/incidents/1"])
        return found

    def open_database(self) -> Database:
        """The database that the service left."""
        return open_database(f"sqlite:///{self.folder / 'earwitness.db'}", create=False)

    def member(self, name: str) -> bytes:
        """A file of the bundle."""
        with zipfile.ZipFile(io.BytesIO(self.bundle)) as bundle:
            return bundle.read(name)


ADDRESSES = [
    "/",
    "/incidents",
    "/incidents/1",
    "/incidents/1/summary.md",
    "/api/v1/incidents",
    "/api/v1/incidents/1",
    "/api/v1/windows",
    "/api/v1/outcomes?limit=1000",
    "/api/v1/targets",
    "/metrics",
    "/readyz",
    *(f"/targets/{target}" for target in TARGETS),
]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """One outage, from before its first failed run to after its resolution and the service's end."""
    folder = tmp_path_factory.mktemp("outage")
    told = Story(folder)
    with House(folder) as house:
        service = house.serve()
        house.await_passes(2)
        house.break_down(model="gpt-4o-transcribe", pathway="realtime", fault="failed")
        house.await_phase("open")
        house.await_told("incident.opened")
        # One more kind of failure inside the outage: a provider that repeats our key to us.
        house.mend()
        house.break_down(
            model="gpt-4o-transcribe",
            pathway="realtime",
            fault="failed_code",
            code="server_error",
            message=ECHO,
        )
        time.sleep(2.5)
        told.while_open = {path: house.get(path) for path in ("/", "/incidents/1", "/api/v1/incidents/1")}
        told.check = house.command("check", "--json").stdout.decode()
        house.mend()
        house.await_phase("recovering")
        house.await_phase("resolved")
        house.await_told("incident.resolved")
        told.pages = {path: house.get(path) for path in ADDRESSES}
        for run in json.loads(told.pages["/api/v1/outcomes?limit=1000"])["items"]:
            if run["verdict"] != "passed":
                told.pages[f"/runs/{run['id']}"] = house.get(f"/runs/{run['id']}")
                told.pages[f"/api/v1/outcomes/{run['id']}"] = house.get(f"/api/v1/outcomes/{run['id']}")
        told.bundle = house.get("/incidents/1/evidence.zip")
        assert house.command("evidence", "1", "-o", "by-command.zip").returncode == 0
        told.by_command = (folder / "by-command.zip").read_bytes()
        begun = time.monotonic()
        told.exit_code = service.terminate()
        told.stopped_in_s = time.monotonic() - begun
        told.replay = json.loads(house.command("replay", "--json").stdout)
        told.told, told.ids = list(house.receiver.verified()), list(house.receiver.ids())
        told.log = house.log
    return told


def test_there_is_one_incident_with_scope_controls_and_blame(story: Story) -> None:
    """The failing target alone is affected, its neighbours are the controls, the provider is to blame."""
    incident = story.incident
    assert [one["number"] for one in json.loads(story.pages["/api/v1/incidents"])["items"]] == [1]
    assert incident["affected"] == [FAILING]
    assert incident["scope"] == [{"model": "gpt-4o-transcribe", "pathway": "realtime"}]
    assert incident["blame"] == "provider"
    controls = {one["target"]: (one["passed"], one["total"]) for one in incident["unaffected"]}
    assert set(controls) == set(TARGETS) - {FAILING}
    assert all(passed == total > 0 for passed, total in controls.values())


def test_the_page_said_it_while_it_lasted(story: Story) -> None:
    """The overview names the incident and links to it; the incident's page shows it open."""
    assert 'href="/incidents/1"' in story.while_open["/"].decode()
    title = json.loads(story.while_open["/api/v1/incidents/1"])["title"]
    assert "down since" in title
    page = story.while_open["/incidents/1"].decode()
    assert '<span class="tag phase">open</span>' in page
    assert "down since" in page


def test_the_receiver_is_told_in_order_and_each_once(story: Story) -> None:
    """Opened, recovering, resolved; every signature was right and no id came twice."""
    assert [said["type"] for said in story.told if said["type"] != "incident.updated"] == [
        "incident.opened",
        "incident.recovering",
        "incident.resolved",
    ]
    assert len(set(story.ids)) == len(story.ids)
    assert [said["data"]["sequence"] for said in story.told] == list(range(1, len(story.told) + 1))
    assert all(said["data"]["link"].endswith("/incidents/1") for said in story.told)


def test_page_json_summary_and_bundle_agree_to_the_second(story: Story) -> None:
    """Start and end are the same instants wherever they are printed."""
    incident = story.incident
    start, end = incident["start"], incident["end"]
    page = story.pages["/incidents/1"].decode()
    assert f'<time datetime="{start}">' in page
    assert f'<time datetime="{end}">' in page
    bundled = json.loads(story.member("incident.json"))
    assert (bundled["start"], bundled["end"]) == (start, end)
    (replayed,) = story.replay["incidents"]
    assert (replayed["start"], replayed["end"]) == (start, end)
    told = story.told[-1]["data"]
    assert (told["start"], told["end"]) == (start, end)
    for text in (page, story.pages["/incidents/1/summary.md"].decode()):
        assert start[11:19] in text
        assert end[11:19] in text
    pasted = story.pages["/incidents/1/summary.md"].decode()
    assert settled(story.member("summary.md").decode()) == settled(pasted)


def test_the_failing_runs_are_exactly_those_of_the_window(story: Story) -> None:
    """The window's counts are the outcomes between its edges."""
    (window,) = [one for one in story.replay["windows"] if one["state"] == "down"]
    runs = json.loads(story.pages["/api/v1/outcomes?limit=1000"])["items"]
    inside = [
        run
        for run in runs
        if f"{run['endpoint']}/{run['model']}/{run['pathway']}" == FAILING
        and window["start"] <= run["started_at"] < window["end"]
    ]
    assert (window["failed"], window["total"]) == (
        sum(run["verdict"] == "failed" for run in inside),
        len([run for run in inside if run["verdict"] != "inconclusive"]),
    )


def test_what_is_stored_equals_the_replay(story: Story) -> None:
    """Windows and incidents in the database are what deriving afresh gives."""
    database = story.open_database()
    with database.read() as tx:
        windows = [window_to_json(window) for window in read_windows(tx)]
        documents = [incident_to_json(one) for one in reversed(read_numbered_incidents(tx))]
    database.dispose()
    assert windows == story.replay["windows"]
    derived = story.replay["incidents"]
    assert documents == derived


def test_the_bundle_is_the_same_from_the_page_and_from_the_command(story: Story) -> None:
    """Member for member; only the runs counted since the end, and so the sums, may be of another moment."""
    assert members(story.bundle) == members(story.by_command)


def members(bundle: bytes) -> Mapping[str, Any]:
    """The files of a bundle, without what goes on after the incident's end."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        found: dict[str, Any] = {name: opened.read(name).decode() for name in opened.namelist()}
    facts = json.loads(found["incident.json"])
    facts["baselines"] = [one for one in facts["baselines"] if one["label"] != "since"]
    sums = found["SHA256SUMS"].split()[1::2]
    return {**found, "incident.json": facts, "SHA256SUMS": sums, "summary.md": settled(found["summary.md"])}


def settled(summary: str) -> str:
    """The summary without the count of runs since the end, which goes on."""
    return re.sub(r", [\d,]+/[\d,]+ since\b", "", summary)


def test_the_bundle_checks_and_holds_real_frames(story: Story, tmp_path: Path) -> None:
    """`sha256sum -c` passes, and the first failed run's exchange shows the failed item."""
    with zipfile.ZipFile(io.BytesIO(story.bundle)) as bundle:
        bundle.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (first,) = (tmp_path / "frames").glob("first-failed-*.json")
    frames = json.loads(first.read_text())["evidence"]["frames"]
    types = [frame["type"] for frame in frames if frame["dir"] == "in"]
    assert types[0] == "session.created"
    assert types[-1] == "conversation.item.input_audio_transcription.failed"
    assert len((tmp_path / "summary.md").read_text()) < 3000


def test_sigterm_ends_it_within_the_deadline_of_a_run(story: Story) -> None:
    """Runs under way are drained, and the exit code is 0."""
    assert story.exit_code == 0
    assert story.stopped_in_s < DRAIN_S


@pytest.mark.parametrize(
    "secret", [KEY, SECRET, "secret-path"], ids=["key", "signing-secret", "hook-address"]
)
def test_no_secret_is_anywhere(story: Story, secret: str) -> None:
    """Not in the database's bytes nor inside what it packs, not in logs, pages, JSON, metrics or bundle."""
    sought = secret.encode()
    places: dict[str, bytes] = {
        **story.pages,
        **{f"open {path}": one for path, one in story.while_open.items()},
    }
    places |= {"log": story.log.encode(), "check": story.check.encode()}
    places |= {path.name: path.read_bytes() for path in story.folder.glob("earwitness.db*")}
    with zipfile.ZipFile(io.BytesIO(story.bundle)) as bundle:
        places |= {f"bundle {name}": bundle.read(name) for name in bundle.namelist()}
    places |= {f"row {number}": row for number, row in enumerate(rows(story))}
    assert [place for place, content in places.items() if sought in content] == []


def rows(story: Story) -> Iterator[bytes]:
    """Every row of every table, unpacked."""
    database = story.open_database()
    metadata = MetaData()
    with database.read() as tx:
        metadata.reflect(tx)
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)):
                for value in row:
                    yield unpacked_bytes(value) if is_packed(value) else repr(value).encode()
    database.dispose()


def is_packed(value: object) -> bool:
    """Whether a value is a packed document."""
    return isinstance(value, bytes) and value[1:5] == b"\x28\xb5\x2f\xfd"


def test_the_echoed_key_was_really_there_to_be_hidden(story: Story) -> None:
    """Some run quotes the provider's sentence, without the key in it: the search above was not in vain."""
    database = story.open_database()
    with database.read() as tx:
        echoing = [
            one for one in stream_outcomes(tx) if "Input transcription failed beside" in (one.message or "")
        ]
        kept = [read_evidence(tx, one.id) for one in echoing]
    database.dispose()
    assert echoing
    assert all(document and "Input transcription failed beside" in json.dumps(document) for document in kept)
    assert "Input transcription failed beside" in story.check
