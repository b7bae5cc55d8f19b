"""A database that an earlier version made is opened, migrated, and says the same."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from tests.recorded.outputs import CONFIG, EXPECTED, run_command

OLD = sorted(Path(__file__).parent.glob("database-*.db.xz"))


@pytest.mark.parametrize("packed", OLD, ids=lambda path: path.name)
def test_an_old_database_says_what_a_new_one_says(packed: Path, tmp_path: Path) -> None:
    """After `migrate` the stored verdict equals the derived one, and replay gives what was recorded."""
    (tmp_path / "earwitness.db").write_bytes(lzma.decompress(packed.read_bytes()))
    (tmp_path / "config.toml").write_text(CONFIG.replace("{folder}", str(tmp_path)))
    run_command(tmp_path, "migrate")
    run_command(tmp_path, "replay", "--diff")
    assert run_command(tmp_path, "replay", "--json") == (EXPECTED / "replay.json").read_text("utf-8")
