"""What the tests say where a mending is taken back: ``python -m tests.soak.taken_back``.

Each entry is a change that lets an old fault of the running service return. It is made in a copy of the tree,
and the tests named beside it are run there: they must fail, and pass in the tree as it is.
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
class Mending:
    """What was mended, the change that takes it back, and the tests that notice."""

    what: str
    file: str
    now: str
    back: str
    tests: Sequence[str]


MENDINGS = (
    Mending(
        what="confirming runs come although the store is asked every two seconds",
        file="monitor/service/scheduler.py",
        now='        self._call_at(when, self.confirm, target, "confirm")\n',
        back="        del when\n",
        tests=["tests/soak/test_one_event.py", "-k", "one_target"],
    ),
    Mending(
        what="a silence after a failed run does not empty the look-back",
        file="monitor/core/outages/lookback.py",
        now="LONGEST_SILENCE = timedelta(hours=24)",
        back="LONGEST_SILENCE = timedelta(0)",
        tests=["tests/soak/test_verdict.py", "-k", "pause"],
    ),
    Mending(
        what="one failed connect of another host masks only the runs beside it",
        file="monitor/core/outages/blind_spans.py",
        now="        return begun - over > 1  # its own host is one of them\n",
        back="        return len(self._by_host) > 1 or begun < over\n",
        tests=["tests/soak/test_verdict.py", "-k", "elsewhere"],
    ),
    Mending(
        what="failed runs are told as down, never as degraded before",
        file="monitor/core/outages/windows.py",
        now="            if not is_settled(",
        back="            if False and not is_settled(",
        tests=["tests/core/outages/test_windows.py", "-k", "degraded"],
    ),
    Mending(
        what="one event is one alert: an incident settles before it is told",
        file="monitor/core/incidents/reconcile.py",
        now="    if incident.severity is Severity.CRITICAL or now - decided >= SETTLING:\n",
        back="    if incident.windows:\n",
        tests=["tests/soak/test_one_event.py", "-k", "eighty or causes"],
    ),
    Mending(
        what="a control passed since the outage began and did not fail last",
        file="monitor/core/diagnosis/observed_runs.py",
        now="        if len(failed) >= total:\n            return False\n",
        back="        if total:\n            return True\n",
        tests=["tests/core/diagnosis/test_diagnose.py", "-k", "control"],
    ),
)


def notices(tree: Path, tests: Sequence[str]) -> bool:
    """Whether any of the tests fails in that tree."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-x", *tests],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return done.returncode == 1


def main() -> int:
    """Take each mending back by itself; exit code 1 where nothing notices."""
    missed = 0
    for mending in MENDINGS:
        with tempfile.TemporaryDirectory(prefix="taken-back-") as made:
            tree = Path(made)
            for name in _COPIED:
                source = ROOT / name
                copy = shutil.copytree if source.is_dir() else shutil.copy
                copy(source, tree / name)
            before = notices(tree, mending.tests)
            path = tree / mending.file
            text = path.read_text("utf-8")
            path.write_text(text.replace(mending.now, mending.back), "utf-8")
            after = notices(tree, mending.tests)
        verdict = "noticed" if after and not before else "FAILS AS IT IS" if before else "NOT NOTICED"
        missed += verdict != "noticed"
        print(f"{verdict:<15} {mending.what}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
