"""What others read of a recorded set of outcomes stays the same, to the byte."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.recorded.outputs import EXPECTED, make

NAMES = sorted(path.name for path in EXPECTED.iterdir())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Every output of the recorded set, made once."""
    return make(tmp_path_factory.mktemp("recorded"))


def test_nothing_came_or_went(made: Mapping[str, str]) -> None:
    """Each output has its expected file, and each file its output."""
    assert sorted(made) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_output_is_what_it_was(made: Mapping[str, str], name: str) -> None:
    """Byte for byte; a meant change is recorded by: python -m tests.recorded.outputs."""
    assert made[name] == (EXPECTED / name).read_bytes().decode()
