"""Fixtures that read a configuration from a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from monitor.config import Settings, load
from monitor.core.errors import ConfigurationError

AZURE = """[endpoint.azure]
provider = "azure_openai"
url = "https://contoso.openai.azure.com"
region = "swedencentral"
key = "env:AZURE_OPENAI_KEY"
"""


@pytest.fixture
def azure() -> str:
    """The text of one endpoint that nothing is wrong with."""
    return AZURE


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Settings]:
    """Loads a text as a file of its own."""

    def read(text: str) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        return load(path, environ={})

    return read


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], Sequence[str]]:
    """Loads a text that must be refused, and gives the sentences without the file's name."""

    def read(text: str) -> Sequence[str]:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigurationError) as caught:
            load(path, environ={})
        assert all(problem.startswith(f"{path}:") for problem in caught.value.problems)
        return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]

    return read
