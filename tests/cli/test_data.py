"""`migrate`, `import`, `export`, `replay` and `evidence`: what they do, and what they refuse how."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest

from monitor.core.model import Verdict
from monitor.core.outcome_json import outcome_to_line
from monitor.store.database.migrate import HEAD
from tests.support.commands import Configure, Run
from tests.support.stored_outcomes import make

FAILING = "azure-sweden/gpt-4o-transcribe/realtime"
REST = "azure-sweden/gpt-4o-transcribe/rest"
OUTAGE = range(20, 30)


def day() -> list[bytes]:
    """An hour of two pathways, one run a minute; one of them fails for ten minutes."""
    verdicts = {number: Verdict.FAILED if number in OUTAGE else Verdict.PASSED for number in range(60)}
    runs = [make(number, verdict) for number, verdict in verdicts.items()]
    runs += [make(number, id=f"rest-{number}", pathway="rest") for number in range(60)]
    return [orjson.dumps(outcome_to_line(run)) for run in runs]


@pytest.fixture
def lines(home: Path) -> Path:
    """The day as a file."""
    path = home / "day.jsonl"
    path.write_bytes(b"\n".join(day()) + b"\n")
    return path


@pytest.fixture
def stored(run: Run, lines: Path) -> str:
    """The day, imported without any configuration; the replay of it as JSON."""
    assert run("import", str(lines)).code == 0
    return run("replay", "--json").out


def test_migrating_says_where_and_does_nothing_twice(run: Run, home: Path) -> None:
    """Without a configuration the database is ./data/earwitness.db; a second time changes nothing."""
    first, second = run("migrate"), run("migrate")
    assert (first.code, first.out) == (0, "database data/earwitness.db has the current schema.\n")
    assert second == first
    assert (home / "data" / "earwitness.db").exists()


def test_the_configured_database_is_used(run: Run, configure: Configure, home: Path) -> None:
    """The address is taken from the configuration where there is one."""
    configure()
    assert run("migrate").out == f"database {home}/data/earwitness.db has the current schema.\n"


def test_importing_needs_nothing_but_the_file(run: Run, lines: Path) -> None:
    """An empty database is brought to the schema, and the verdict is derived at the end."""
    done = run("import", str(lines))
    assert (done.code, done.out, done.err) == (0, "120 outcomes added.\n", "")
    assert "1 incident\n" in run("replay").out


def test_importing_twice_adds_nothing(run: Run, lines: Path, stored: str) -> None:
    """The same ids with the same content are known already."""
    done = run("import", str(lines))
    assert (done.code, done.out) == (0, "0 outcomes added, 120 known already.\n")
    assert run("replay", "--json").out == stored


def test_standard_input_is_a_file_too(spawn: Run, run: Run) -> None:
    """`import -` reads lines from a pipe."""
    done = spawn("import", "-", stdin=b"\n".join(day()[:5]))
    assert (done.code, done.out, done.err) == (0, "5 outcomes added.\n", "")
    assert len(run("export").out.splitlines()) == 5


def test_malformed_lines_are_refused_by_number_and_the_rest_is_kept(run: Run, home: Path) -> None:
    """Exit code 2, a sentence for each bad line on stderr, and nothing else lost."""
    good = day()
    naive = good[1].replace(b"00:01:00.412Z", b"00:01:00.412", 1)
    path = home / "mixed.jsonl"
    path.write_bytes(b"\n".join([good[0], b'{"schema": "earwitness.outcome/1"', naive, b"{}", good[2]]))
    done = run("import", str(path))
    assert (done.code, done.out) == (2, "2 outcomes added, 3 refused.\n")
    first, second, third = done.err.splitlines()
    assert first.startswith("line 2: is no JSON: ")
    assert second == (
        "line 3: started_at: '2025-11-17T00:01:00.412' has no offset: append Z, or one such as +01:00"
    )
    assert third == "line 4: schema: is missing"


def test_a_file_that_is_missing_is_said(run: Run) -> None:
    """And no database is made."""
    done = run("import", "gone.jsonl")
    assert (done.code, done.err) == (2, "earwitness: gone.jsonl: no such file or directory\n")
    assert not Path("data").exists()


def test_an_export_imports_to_the_same(run: Run, stored: str, home: Path) -> None:
    """What comes out is what went in, and gives the same verdict in an empty database."""
    assert run("export", "-o", "out.jsonl").code == 0
    exported = (home / "out.jsonl").read_bytes()
    assert sorted(map(json.dumps, map(json.loads, exported.splitlines()))) == sorted(
        map(json.dumps, map(json.loads, day()))
    )
    (home / "data" / "earwitness.db").rename(home / "data" / "first.db")
    assert run("import", "out.jsonl").code == 0
    assert run("replay", "--json").out == stored


def test_an_export_can_be_narrowed(run: Run, stored: str) -> None:
    """Targets and a range; `--from` counts in, `--to` does not."""
    assert stored
    done = run("export", REST, "--from", "2025-11-17T00:10:00Z", "--to", "2025-11-17T00:12:00Z")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["rest-10", "rest-11"]


def test_an_export_as_csv_has_a_row_each(run: Run, stored: str) -> None:
    """A header, and as many rows as outcomes, oldest first."""
    assert stored
    rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv").out)))
    assert len(rows) == 120
    assert [row["started_at"] for row in rows] == sorted(row["started_at"] for row in rows)


@pytest.mark.parametrize("command", ["export", "replay"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--from", "yesterday"),
            "--from: 'yesterday' is no time: 2025-11-17T08:30:00Z is expected",
        ),
        (
            ("--to", "2025-11-17T08:30:00"),
            "--to: '2025-11-17T08:30:00' has no offset: append Z, or one such as +01:00",
        ),
        (
            ("--from", "2025-02-30T00:00:00Z"),
            "--from: '2025-02-30T00:00:00Z' is no time that exists: day is out of range for month",
        ),
        (
            ("--from", "2025-11-17T09:00:00Z", "--to", "2025-11-17T08:00:00Z"),
            "--from 2025-11-17T09:00:00Z: lies after --to 2025-11-17T08:00:00Z",
        ),
    ],
)
def test_a_range_that_is_none_is_refused(
    run: Run, stored: str, command: str, options: Sequence[str], sentence: str
) -> None:
    """The option is named with what would be right."""
    assert stored
    done = run(command, *options)
    assert done.code == 2
    assert done.err.startswith(f"earwitness: {sentence}")


def test_an_unknown_format_is_refused(run: Run) -> None:
    """The known ones are named."""
    done = run("export", "--format", "xml")
    assert (done.code, done.err) == (2, "earwitness: --format xml: one of jsonl, csv is expected\n")


@pytest.mark.parametrize("command", [("export", "-o"), ("evidence", "1", "-o")])
def test_a_file_that_cannot_be_written_is_said(run: Run, stored: str, command: tuple[str, ...]) -> None:
    """The path and the reason, with exit code 2."""
    assert stored
    done = run(*command, "gone/out")
    assert (done.code, done.err) == (2, "earwitness: gone/out: no such file or directory\n")


def test_a_replay_does_not_depend_on_the_order_of_arrival(run: Run, stored: str, home: Path) -> None:
    """Shuffled lines give the same bytes."""
    shuffled = day()
    random.Random(7).shuffle(shuffled)
    (home / "shuffled.jsonl").write_bytes(b"\n".join(shuffled))
    (home / "data" / "earwitness.db").rename(home / "data" / "first.db")
    run("import", "shuffled.jsonl")
    assert run("replay", "--json").out == stored


def test_a_replay_says_what_another_rule_would(run: Run, stored: str, home: Path) -> None:
    """A rule that needs more than the outage had finds nothing; what is stored stays as it is."""
    (home / "strict.toml").write_text("[rule.down]\nbad = 15\nof = 20\n")
    strict = json.loads(run("replay", "--json", "--rules", "strict.toml").out)
    assert [window["state"] for window in strict["windows"]] == ["degraded"]
    assert strict["rule"]["down"]["bad"] == 15
    assert run("replay", "--json").out == stored


def test_a_replay_of_the_past_knows_nothing_of_what_came(run: Run, stored: str) -> None:
    """Up to the middle of the outage, the window is open."""
    assert stored
    past = json.loads(run("replay", "--json", "--to", "2025-11-17T00:25:00Z").out)
    (window,) = [one for one in past["windows"] if one["state"] == "down"]
    assert (window["open"], window["end"], window["failed"]) == (True, None, 5)


def test_a_replay_from_within_reads_back_to_the_start(run: Run, stored: str) -> None:
    """A window that was open at `--from` is told whole."""
    later = json.loads(run("replay", "--json", "--from", "2025-11-17T00:25:00Z").out)
    assert later["windows"] == json.loads(stored)["windows"]
    assert later["incidents"] == json.loads(stored)["incidents"]


def test_a_replay_of_nothing_is_empty(run: Run) -> None:
    """An empty database has no incident, and that is no error."""
    run("migrate")
    done = run("replay", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [found[key] for key in ("windows", "gaps", "blind", "incidents")] == [[], [], [], []]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[rule.down]\nbad = 0\n", "rules.toml:2: rule.down.bad: "),
        ("[rule.down]\nbadd = 3\n", "rules.toml:2: rule.down.badd: unknown key, did you mean 'bad'?"),
        ("[rule.down\n", "rules.toml:1: "),
    ],
)
def test_a_rule_that_is_none_is_refused(run: Run, stored: str, text: str, sentence: str) -> None:
    """File, line and key are named."""
    assert stored
    Path("rules.toml").write_text(text)
    done = run("replay", "--rules", "rules.toml")
    assert done.code == 2
    assert done.err.startswith(f"earwitness: {sentence}")


def test_the_evidence_is_a_bundle_that_checks(run: Run, stored: str, home: Path) -> None:
    """A zip with the designed files, whose SHA256SUMS are right and whose incident is the replay's."""
    done = run("evidence", "1")
    assert (done.code, done.out) == (0, "incident-1.zip holds the evidence of incident 1.\n")
    with zipfile.ZipFile(home / "incident-1.zip") as bundle:
        files = {Path(name).name: bundle.read(name) for name in bundle.namelist()}
        root = Path(bundle.namelist()[0]).parts[0]
        for line in files["SHA256SUMS"].decode().splitlines():
            digest, name = line.split("  ")
            inside = name if name in bundle.namelist() else f"{root}/{name}"
            assert hashlib.sha256(bundle.read(inside)).hexdigest() == digest
    assert {"README.txt", "summary.md", "incident.json", "outcomes.jsonl", "SHA256SUMS"} <= set(files)
    said = json.loads(files["incident.json"])
    (derived,) = json.loads(stored)["incidents"]
    assert {key: said[key] for key in derived} == derived


def test_an_unknown_incident_is_said(run: Run, stored: str) -> None:
    """No file is made."""
    assert stored
    done = run("evidence", "7")
    assert (done.code, done.err) == (2, "earwitness: there is no incident 7\n")
    assert not list(Path().glob("*.zip"))


READERS = [("export",), ("replay",), ("evidence", "1")]


@pytest.mark.parametrize("command", READERS)
def test_a_missing_database_is_not_made_by_reading(run: Run, home: Path, command: tuple[str, ...]) -> None:
    """A wrong path leaves no file behind, and the sentence names both remedies."""
    done = run(*command)
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db does not exist: "
        "run `earwitness migrate`, or correct database.url\n"
    )
    assert not (home / "data").exists()


@pytest.mark.parametrize("command", READERS)
def test_a_database_without_schema_names_the_remedy(run: Run, home: Path, command: tuple[str, ...]) -> None:
    """An empty file is no database of ours yet, and reading does not make it one."""
    (home / "data").mkdir()
    (home / "data" / "earwitness.db").touch()
    done = run(*command)
    assert done.code == 2
    assert done.err == "earwitness: database data/earwitness.db is empty: run `earwitness migrate`\n"


@pytest.fixture
def newer(run: Run, home: Path) -> Path:
    """A database that a later program has migrated."""
    run("migrate")
    path = home / "data" / "earwitness.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    return path


@pytest.mark.parametrize("command", [*READERS, ("migrate",), ("import", "day.jsonl")])
def test_a_newer_schema_is_left_alone(run: Run, newer: Path, lines: Path, command: tuple[str, ...]) -> None:
    """Every command says which schema was found and to upgrade the program; nothing is written."""
    assert lines.exists()
    before = newer.read_bytes()
    done = run(*command)
    assert done.code == 2
    assert done.err == (
        f"earwitness: database data/earwitness.db has schema 9999, newer than {HEAD} of this program: "
        "upgrade earwitness\n"
    )
    assert newer.read_bytes() == before


@pytest.fixture
def locked(run: Run, home: Path) -> Iterator[None]:
    """A database that another process is writing."""
    run("migrate")
    other = sqlite3.connect(home / "data" / "earwitness.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def test_a_locked_database_is_said_after_some_patience(run: Run, locked: None, lines: Path) -> None:
    """The import waits five seconds, says what to do, and may be made again."""
    done = run("import", str(lines))
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db is locked by another process: stop it, or try again\n"
    )


def test_a_file_that_is_no_database_is_said(run: Run, home: Path) -> None:
    """Something else under the database's name is not overwritten."""
    (home / "data").mkdir()
    other = home / "data" / "earwitness.db"
    other.write_bytes(b"something else, long enough to be looked at as a database header" * 100)
    done = run("migrate")
    assert done.code == 2
    assert done.err == (
        "earwitness: database data/earwitness.db is damaged or no database of ours: restore a backup\n"
    )
    assert other.read_bytes().startswith(b"something else")


def test_a_mark_is_noted_and_named_by_the_incident(run: Run, stored: str) -> None:
    """Beside an outage of the past: the replay has its reason, and nothing else changes."""
    done = run("mark", "deployed 4.2", "--at", "2025-11-17T00:15:00Z", "--author", "ann")
    assert (done.code, done.out) == (0, "Marked 'deployed 4.2' at 2025-11-17T00:15:00Z.\n")
    assert run("replay", "--json").out == stored
    with sqlite3.connect("data/earwitness.db") as database:
        (document,) = database.execute("SELECT document FROM incidents WHERE number = 1").fetchone()
    assert json.loads(document)["marks"] == [
        {"at": "2025-11-17T00:15:00Z", "text": "deployed 4.2", "author": "ann"}
    ]


def test_a_mark_without_text_or_at_no_instant_is_refused(run: Run, stored: str) -> None:
    """Our own fault, and said so."""
    assert stored
    assert (run("mark", " ").code, run("mark", "x", "--at", "noon").code) == (2, 2)
    assert "needs a text" in run("mark", " ").err


def test_a_target_of_which_nothing_is_stored_is_named(run: Run, lines: Path) -> None:
    """An empty export would look as if nothing had happened."""
    run("import", str(lines))
    done = run("export", "azure/gpt-4o-transcribe/rset")
    assert done.code == 2
    assert "nothing is stored of azure/gpt-4o-transcribe/rset; the stored targets: " in done.err
    assert done.out == ""


def test_a_model_that_is_a_folder_goes_there_and_back(run: Run, home: Path) -> None:
    """It is called as vLLM calls it, with a slash first: imported, narrowed, exported, replayed."""
    key = "own//models/whisper/rest"
    line = {
        "schema": "earwitness.outcome/1", "endpoint": "own", "model": "/models/whisper", "pathway": "rest",
        "verdict": "failed", "failure": "server", "stage": "transcribe", "message": "no",
    }  # fmt: skip
    begun = [f"2025-11-17T08:3{minute}:0" for minute in range(5)]
    runs = [line | {"id": one, "started_at": f"{one}0Z", "finished_at": f"{one}1Z"} for one in begun]
    (home / "folder.jsonl").write_text("\n".join(json.dumps(one) for one in runs))
    assert run("import", "folder.jsonl").code == 0
    told = [json.loads(one) for one in run("export", key).out.splitlines()]
    assert {(one["endpoint"], one["model"]) for one in told} == {("own", "/models/whisper")}
    assert len(told) == 5
    incident = json.loads(run("replay", "--json").out)["incidents"][0]
    assert incident["affected"] == [key]
