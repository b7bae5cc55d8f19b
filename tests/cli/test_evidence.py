"""`evidence`: a bundle that checks."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from tests.support.commands import Run


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
