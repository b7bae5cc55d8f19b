from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.config import load
from monitor.core.errors import ConfigurationError

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.toml"))
CANARY = "hunter2"


def expected(path: Path) -> list[str]:
    """The sentences that stand at the head of a bad file."""
    return re.findall(r"^# refused: (.*)$", path.read_text("utf-8"), re.MULTILINE)


def refusal(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ={})
    return [
        problem.removeprefix(f"{path}:").replace(str(path.parent), "<here>")
        for problem in caught.value.problems
    ]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_bad_file_is_refused_with_its_exact_message(path: Path) -> None:
    """A bad file gives exactly the sentences at its head, in file order."""
    assert refusal(path) == expected(path)
    assert expected(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_refusal_never_repeats_a_secret(path: Path) -> None:
    """The password that stands in some bad files appears in no message about them."""
    assert CANARY not in "".join(refusal(path)).replace(path.stem, "")


def test_the_bad_files_are_found() -> None:
    """An empty folder would pass every test above."""
    assert len(BAD) > 100


def test_a_message_names_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is printed as it was written, with the line and the key."""
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text('[monitor]\n\n[endpoint.azure]\nkye = "env:K"\n', "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(Path("config.toml"), environ={})
    assert "config.toml:4: endpoint.azure.kye: unknown key, did you mean 'key'?" in caught.value.problems
