"""The bundle as a stranger meets it: unpacked, verified with plain tools, run, searched for secrets."""

from __future__ import annotations

import ast
import hashlib
import io
import itertools
import json
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.evidence.bundle_facts import Role
from monitor.core.outcome_json import outcome_from_line
from monitor.reports.bundle import file_name, render
from monitor.reports.ticket.summary import render_ticket
from tests.support.sample_bundle_facts import dossier, evidence, exhibit, failed, members, runs, with_first
from tests.support.sample_incident import START


def test_sha256sum_verifies_it(tmp_path: Path) -> None:
    """A stranger needs nothing of ours to check that nothing was damaged."""
    with zipfile.ZipFile(io.BytesIO(render(dossier()))) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done
    (tmp_path / "summary.md").write_text("forged")
    assert (
        subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
        ).returncode
        == 1
    )


def test_it_holds_what_it_promises() -> None:
    """Every member by name, sorted, with the checksums of all others last."""
    assert list(members(render(dossier()))) == [
        "README.txt",
        "frames/control-run-control.json",
        "frames/first-failed-run-first.json",
        "frames/first-passed-run-after.json",
        "frames/last-failed-run-last.json",
        "frames/last-passed-run-before.json",
        "incident.json",
        "outcomes.jsonl",
        "reproduce.py",
        "summary.md",
        "SHA256SUMS",
    ]
    sums = members(render(dossier()))["SHA256SUMS"].decode().splitlines()
    assert [entry.split("  ")[1] for entry in sums] == list(members(render(dossier())))[:-1]


def test_the_same_dossier_gives_the_same_bytes() -> None:
    """Built twice, byte-identical: its hash can be quoted."""
    assert render(dossier()) == render(dossier())


def test_every_run_is_in_it_and_can_be_imported() -> None:
    """One line a run, from one interval before to one after, readable by `import`."""
    lines = members(render(dossier()))["outcomes.jsonl"].splitlines()
    read = [outcome_from_line(json.loads(entry))[0] for entry in lines]
    assert read == list(runs())
    assert sum(run.verdict == "failed" for run in read) == 420


def test_the_summary_is_the_ticket() -> None:
    """What is pasted and what is attached say the same."""
    assert members(render(dossier()))["summary.md"].decode() == render_ticket(dossier())


def test_the_incident_is_canonical_and_whole() -> None:
    """Sorted keys, no spaces; windows, rule, baselines, exhibits and timeline inside."""
    content = members(render(dossier()))["incident.json"]
    facts = json.loads(content)
    assert (
        content
        == (json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()
    )
    assert facts["windows"][0]["failed"] == 420
    assert facts["timeline"] == [
        {"at": "2025-11-17T08:32:10Z", "author": "earwitness", "kind": "opened", "text": "3 of 5 runs failed"}
    ]
    assert facts["targets"]["azure-sweden/gpt-4o-transcribe/realtime"]["session_deployment"] == "rt-host"
    assert "AZURE_OPENAI_KEY" not in content.decode()


def test_frames_keep_the_exchange_and_lose_the_credential_headers() -> None:
    """The raw failing event is there, the name of the key's header is not."""
    first = json.loads(members(render(dossier()))["frames/first-failed-run-first.json"])
    assert first["role"] == "first-failed"
    assert first["outcome"]["id"] == "run-first"
    assert first["evidence"]["frames"] == evidence("first")["frames"]
    assert first["evidence"]["request_headers"] == {"x-ms-client-request-id": "ours-first"}


def test_a_run_chosen_twice_is_kept_once() -> None:
    """An outage of one run is first and last failed in one file."""
    only = failed("only", START)
    twice = dossier(exhibits=[exhibit(Role.FIRST_FAILED, only), exhibit(Role.LAST_FAILED, only)])
    names = [name for name in members(render(twice)) if name.startswith("frames/")]
    assert names == ["frames/first-failed-run-only.json"]
    roles = json.loads(members(render(twice))["incident.json"])["exhibits"]
    assert [shown["role"] for shown in roles] == ["first-failed", "last-failed"]


@pytest.mark.parametrize("identity", ["../../etc/passwd", "a/b", "a\\b", "x" * 200, "ü", ".."])
def test_an_id_never_leaves_the_folder(identity: str, tmp_path: Path) -> None:
    """Ids of imported runs are any text; file names are not."""
    run = replace(failed("first", START), id=identity)
    with zipfile.ZipFile(io.BytesIO(render(dossier(exhibits=[exhibit(Role.FIRST_FAILED, run)])))) as archive:
        name = next(name for name in archive.namelist() if name.startswith("frames/"))
        assert Path(archive.extract(name, tmp_path)).resolve().parent == (tmp_path / "frames").resolve()
        assert len(name) < 130


def test_no_member_mentions_an_authorization_header_or_a_cookie_of_ours() -> None:
    """Not even by name, in frames or in the script for the receiver."""
    bearer = with_first(request_headers={"Authorization": "[51 characters]", "cookie": "[9 characters]"})
    whole = b"".join(
        content for name, content in members(render(bearer)).items() if name != "README.txt"
    ).lower()
    assert b"authorization" not in whole
    assert b"cookie" not in whole


@settings(max_examples=25)
@given(st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=4))
def test_hostile_text_breaks_neither_json_nor_the_zip(message: str, extra: dict[str, str]) -> None:
    """Control characters, quotes, surrogates: every line stays one JSON object, every file UTF-8."""
    run = failed("first", START, message=message, extra={"x": extra, "y": "\ud800"})
    shown = exhibit(Role.FIRST_FAILED, run, url=f"wss://x.example/{message}")
    contents = members(render(dossier(exhibits=[shown], outcomes=lambda: iter([run]))))
    assert len(contents["outcomes.jsonl"].splitlines()) == 1
    for name, content in contents.items():
        text = content.decode()
        if name.endswith(".py"):
            ast.parse(text)


def test_a_large_incident_streams() -> None:
    """Two hundred thousand lines pass through without being held, and the sums still fit."""
    few = list(runs(60))
    large = dossier(outcomes=lambda: itertools.islice(itertools.cycle(few), 20_000))
    contents = members(render(large))
    digest = hashlib.sha256(contents["outcomes.jsonl"]).hexdigest()
    assert f"{digest}  outcomes.jsonl\n" in contents["SHA256SUMS"].decode()
    assert contents["outcomes.jsonl"].count(b"\n") == 20_000


def test_the_file_is_named_after_the_incident() -> None:
    """One name for the page, the command and the ticket."""
    assert file_name(dossier()) == "incident-1.zip"
