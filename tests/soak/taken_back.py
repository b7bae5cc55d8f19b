"""What tests and judge say where a mending is taken back: ``python -m tests.soak.taken_back``.

Each entry is a change that lets an old fault of the running service return. It is made in a copy of the tree.
There the tests named beside it must fail, and the judge must find differences in hours of the running service
with trouble of these kinds; in the tree as it is the tests pass and the judge finds none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = ("monitor", "tests", "templates", "static", "migrations", "pyproject.toml", "config.example.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A text of a file, as it is and as it was."""

    file: str
    now: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What was mended, the edits that take it back, the tests that notice, what is played for the judge."""

    what: str
    edits: Sequence[Edit]
    tests: Sequence[str]
    plays: str
    targets: int = 10
    seed: int = 1


UNSETTLED = Edit(
    file="monitor/core/incidents/reconcile.py",
    now="    if incident.severity is Severity.CRITICAL or now - decided >= SETTLING:\n",
    back="    if incident.windows:\n",
)
MENDINGS = (
    Mending(
        what="confirming runs come although the store is asked every two seconds",
        edits=[
            Edit(
                file="monitor/service/scheduler.py",
                now='        self._call_at(when, self.confirm, target, "confirm")\n',
                back="        del when\n",
            )
        ],
        tests=["tests/soak/test_one_event.py", "-k", "one_target"],
        plays="cell",
    ),
    Mending(
        what="a silence after a failed run does not empty the look-back",
        edits=[
            Edit(
                file="monitor/core/outages/lookback.py",
                now="LONGEST_SILENCE = timedelta(hours=24)",
                back="LONGEST_SILENCE = timedelta(0)",
            )
        ],
        tests=["tests/soak/test_verdict.py", "-k", "pause"],
        plays="quota asks",
        targets=5,
    ),
    Mending(
        what="one failed connect of another host masks only the runs beside it",
        edits=[
            Edit(
                file="monitor/core/outages/blind_spans.py",
                now="        return begun - over > 1  # its own host is one of them\n",
                back="        return len(self._by_host) > 1 or begun < over\n",
            )
        ],
        tests=["tests/soak/test_verdict.py", "-k", "elsewhere"],
        plays="beside",
        targets=5,
    ),
    Mending(
        what="failed runs are told as down, never as degraded before",
        edits=[
            Edit(
                file="monitor/core/outages/windows.py",
                now="            if not is_settled(",
                back="            if False and not is_settled(",
            ),
            Edit(
                file="monitor/core/outages/lookback.py",
                now="SPAN_TOLERANCE = timedelta(seconds=1)",
                back="SPAN_TOLERANCE = timedelta(0)",
            ),
            UNSETTLED,
        ],
        tests=["tests/core/outages/test_windows.py", "-k", "degraded"],
        plays="refused",  # an incident that waits to settle hides it: that is taken back too
    ),
    Mending(
        what="one event is one alert: an incident settles before it is told",
        edits=[UNSETTLED],
        tests=["tests/soak/test_one_event.py", "-k", "eighty or causes"],
        plays="two",
        seed=2,
    ),
    Mending(
        what="a control passed since the outage began and did not fail last",
        edits=[
            Edit(
                file="monitor/core/diagnosis/observed_runs.py",
                now="        if len(failed) >= total:\n            return False\n",
                back="        if total:\n            return True\n",
            )
        ],
        tests=["tests/core/diagnosis/test_diagnose.py", "-k", "control"],
        plays="pathway",
    ),
)


def fails(tree: Path, arguments: Sequence[str]) -> bool:
    """Return whether a module that is run in that tree ends with 1: a test failed, or the judge differs."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        check=False,
    )
    if done.returncode not in {0, 1} or b"Traceback" in done.stderr:
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return done.returncode == 1


_HOURS = ("tests.soak", "--days", "0.34")


def looks(mending: Mending) -> dict[str, Sequence[str]]:
    """Return what is run to notice that a mending was taken back."""
    size, seed = str(mending.targets), str(mending.seed)
    return {
        "tests": ["pytest", "-q", "-n0", "-x", *mending.tests],
        "judge": [*_HOURS, "--targets", size, "--seeds", seed, "--kinds", mending.plays],
    }


def take_back(tree: Path, edits: Sequence[Edit]) -> None:
    """Make the edits in a tree; ValueError where one does not apply in just one place."""
    for edit in edits:
        path = tree / edit.file
        text = path.read_text("utf-8")
        if text.count(edit.now) != 1:
            raise ValueError(f"{edit.file} holds {text.count(edit.now)} times: {edit.now.strip()}")
        path.write_text(text.replace(edit.now, edit.back), "utf-8")


def main() -> int:
    """Take each mending back by itself; exit code 1 where tests or judge do not notice it."""
    missed = 0
    for mending in MENDINGS:
        with tempfile.TemporaryDirectory(prefix="taken-back-") as made:
            tree = Path(made)
            for name in _COPIED:
                source = ROOT / name
                copy = shutil.copytree if source.is_dir() else shutil.copy
                copy(source, tree / name)
            before = {look: fails(tree, arguments) for look, arguments in looks(mending).items()}
            take_back(tree, mending.edits)
            after = {look: fails(tree, arguments) for look, arguments in looks(mending).items()}
        for look, noticed in after.items():
            verdict = "FAILS AS IT IS" if before[look] else "noticed" if noticed else "NOT NOTICED"
            missed += verdict != "noticed"
            print(f"{verdict:<15} {look}: {mending.what}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
