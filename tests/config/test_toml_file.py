from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.toml_file import LARGEST_FILE, parse_document, read_document
from monitor.core.errors import ConfigurationError


def problem(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_document(path)
    [sentence] = caught.value.problems
    return sentence.removeprefix(str(path))


def test_a_missing_file_names_what_to_do(tmp_path: Path) -> None:
    """Who has no configuration yet learns of the demo and of the example."""
    assert problem(tmp_path / "config.toml") == (
        ": there is no such file; see it work without one by `earwitness demo`, "
        "or copy config.example.toml and change it"
    )


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """A directory in place of the file is named as one."""
    assert problem(tmp_path) == ": is a directory; name the TOML file in it"


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    """What the operating system refuses is told in its words."""
    (tmp_path / "file").write_text("", "utf-8")
    assert problem(tmp_path / "file" / "config.toml") == ": cannot be read: Not a directory"


def test_bytes_that_are_no_utf8_name_their_line(tmp_path: Path) -> None:
    """A Latin-1 letter is found on its line."""
    path = tmp_path / "config.toml"
    path.write_bytes(b'[monitor]\nlocation = "M\xfcnchen"\n')
    assert problem(path) == ":2: is not UTF-8 here; save the file as UTF-8"


def test_utf16_is_named(tmp_path: Path) -> None:
    """A file saved as UTF-16 is told apart from other encodings."""
    path = tmp_path / "config.toml"
    path.write_text("[monitor]\n", "utf-16")
    assert problem(path) == ":1: is saved as UTF-16; save it as UTF-8"


def test_a_nul_is_named_on_its_line(tmp_path: Path) -> None:
    """UTF-16 without its mark is such a file."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"[monitor]\n" + "[web]".encode("utf-16-le"))
    assert problem(path) == ":2: holds a NUL, as UTF-16 does; save the file as UTF-8"


def test_a_byte_order_mark_of_utf8_does_no_harm(tmp_path: Path) -> None:
    """An editor's byte order mark is skipped, and lines count as without it."""
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbf[monitor]\r\nlocation = "here"\r\n')
    document = read_document(path)
    assert document.table == {"monitor": {"location": "here"}}
    assert document.problems.line_of(("monitor", "location")) == 2


def test_an_enormous_file_is_refused(tmp_path: Path) -> None:
    """A file that cannot be a configuration is not parsed."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    assert problem(path) == ": is larger than 1 MB, which no configuration is"


def test_deep_nesting_is_refused() -> None:
    """Nesting beyond what can be parsed is an error of the file, not a crash."""
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        parse_document("a = " + "[" * 5000 + "]" * 5000, name="config.toml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = { b = 1, b = 2 }", "1: column 19: this key is there twice; remove one"),
        ("a = 1\na.b = 2", "2: this key is there twice; remove one"),
        ("[a]\nb = ", "2: no valid TOML: a value is missing, or is none that TOML knows"),
        ("a = True", '1: column 5: no valid TOML: text needs quotes, as in every = "30s"'),
        ("a = '''x", "1: no valid TOML: a text is opened with three quotes and never closed"),
        ('a = """x', "1: no valid TOML: a text is opened with a quote and never closed"),
    ],
)
def test_syntax_errors_are_told_in_our_words(text: str, sentence: str) -> None:
    """Line and column come from the parser, the sentence from us."""
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, name="config.toml")
    assert caught.value.problems == (f"config.toml:{sentence}",)
