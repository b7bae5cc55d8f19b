from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.secrets import check_reference, check_webhook_secret, resolve, resolve_secret
from monitor.core.errors import SecretError
from monitor.core.model import is_reference

CANARY = "hunter2"


def reason(reference: str, environ: dict[str, str]) -> str:
    with pytest.raises(SecretError) as caught:
        resolve_secret(reference, environ)
    assert CANARY not in str(caught.value)
    return caught.value.reason


def test_a_variable_gives_its_value() -> None:
    """`env:NAME` is the variable's value."""
    assert resolve_secret("env:KEY", {"KEY": CANARY}) == CANARY


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_gives_its_text_without_one_trailing_newline(tmp_path: Path, ending: str) -> None:
    """Editors and `echo` end a file with a newline that is no part of the key."""
    path = tmp_path / "key"
    path.write_bytes((CANARY + ending).encode())
    assert resolve_secret(f"file:{path}", {}) == CANARY
    assert resolve_secret(f"file://{path}", {}) == CANARY


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        (f"{CANARY}\n\n", "contains a line break or another control character"),
        (f"{CANARY}\x00", "contains a line break or another control character"),
        (f"{CANARY}é", "contains a character outside ASCII, which no header can carry"),
        (f" {CANARY}", "begins or ends with a space"),
        (f"Bearer {CANARY}", "begins with 'Bearer': write the key alone, what goes before it is put there"),
        (f'"{CANARY}"', "stands in quotes; remove them, they would be sent as part of it"),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused(value: str, why: str) -> None:
    """The reason is told, the value is not."""
    assert reason("env:KEY", {"KEY": value}) == why


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A variable that is not set, a file that is not there, a directory, a file that is no text."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    assert reason("env:KEY", {}) == "the variable KEY is not set"
    assert reason(f"file:{tmp_path}/none", {}) == "there is no such file"
    assert reason(f"file:{tmp_path}", {}) == "the file cannot be read: Is a directory"
    assert reason(f"file:{tmp_path}/binary", {}) == "the file is not text in UTF-8"
    assert reason(f"file:{tmp_path}/large", {}) == "the file is larger than 64 KB, which no secret is"


def test_a_literal_that_reaches_the_lookup_is_not_repeated() -> None:
    """Even where a literal slipped through, the error does not hold it."""
    assert "a literal secret is refused" in reason(CANARY, {})


def test_a_file_replaced_by_rename_is_read_afresh(tmp_path: Path) -> None:
    """Nothing is cached: a rotated secret is seen at the next look."""
    path = tmp_path / "key"
    path.write_text("old", "utf-8")
    assert resolve_secret(f"file:{path}", {}) == "old"
    (tmp_path / "new").write_text("new", "utf-8")
    os.replace(tmp_path / "new", path)  # noqa: PTH105
    assert resolve_secret(f"file:{path}", {}) == "new"


@given(st.text(min_size=1).filter(lambda text: not text.startswith(("env:", "file:", "$"))))
def test_no_literal_is_taken_for_a_reference_or_repeated(text: str) -> None:
    """Whatever is no reference is refused with the same sentence."""
    assert not is_reference(text)
    with pytest.raises(ValueError, match=r"^a literal secret is refused; write") as caught:
        check_reference(text)
    assert len(str(caught.value)) < 120


def test_what_is_no_reference_stands_for_itself() -> None:
    """A URL without a secret may stand in the file, and is given as it is."""
    assert resolve("sqlite:///e.db", {}) == "sqlite:///e.db"
    assert resolve("env:URL", {"URL": "sqlite:///f.db"}) == "sqlite:///f.db"


def test_a_signing_secret_has_the_form_of_standard_webhooks() -> None:
    """`whsec_` and the base64 of 24 to 64 bytes; every other form has its reason."""
    good = base64.b64encode(bytes(32)).decode()
    assert check_webhook_secret(f"whsec_{good}") is None
    assert check_webhook_secret(f"whsec_{good} whsec_{good}") is None
    assert check_webhook_secret(f"whsec_{good} {good}") == "a signing secret begins with whsec_"
    assert check_webhook_secret(" ") == "a signing secret begins with whsec_"
    assert check_webhook_secret(good) == "a signing secret begins with whsec_"
    assert check_webhook_secret("whsec_!!") == "after whsec_ comes base64, which this is not"
    short = base64.b64encode(bytes(8)).decode()
    assert check_webhook_secret(f"whsec_{short}") == "a signing secret has 24 to 64 bytes, this one has 8"
