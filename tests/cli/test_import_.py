"""`import`: what is stored, what is refused by its line, what a second time changes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import Run
from tests.support.recorded_hour import day


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
