"""Two real processes at one location over one database: the second is refused and harms nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.service_processes import House, free_port


def test_a_second_service_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """Exit code 2 with the location and the remedy; no slot of the first is booked as killed."""
    with House(tmp_path) as house:
        service = house.serve()
        house.await_passes(2)
        config = tmp_path / "config.toml"
        second = tmp_path / "second.toml"
        second.write_text(config.read_text().replace(f":{house.port}", f":{free_port()}"))
        done = house.command("serve", "--config", str(second))
        assert done.returncode == 2
        said = done.stderr.decode()
        assert "another monitor checks from location 'berlin'" in said
        assert "set another [monitor] location" in said
        house.await_passes(4)
        assert service.terminate() == 0
    with closing(sqlite3.connect(tmp_path / "earwitness.db")) as connection:
        assert not connection.execute("select reason from skips where reason like 'killed%'").fetchall()
