from __future__ import annotations

import pytest

from monitor.core.errors import MonitorError
from monitor.resources import data_folder


def test_the_folders_are_found_beside_the_package() -> None:
    """A checkout finds its migrations where they lie."""
    assert (data_folder("migrations") / "env.py").is_file()


def test_a_missing_folder_is_told() -> None:
    """An installation without the folder says which one, and what to do."""
    with pytest.raises(MonitorError, match="the folder 'nothing' is missing from this installation: install"):
        data_folder("nothing")
