from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.config.problems import KeyPath
from monitor.config.toml_file import key_lines

TEXT = '''# comment = 1
[monitor]
location = "a # no comment ] }"   # [x]

[endpoint."a.b"]
url = """
two lines \\""" and quotes""""
'odd key' = 'c:\\path'
deployment.x.name = "dotted"
inline = { provider = "p", list = [1, { deep = 2 }] }

[[watch]]
models = [
  "one",  # a comment, with [ and "
  "two",
]
when = 1979-05-27 07:32:00

[[watch]]
every = "5m"
[watch.more]
x = true
[[watch.parts]]
y = 1.5
[[watch.parts]]
y = -inf
'''


def test_every_key_of_a_mixed_document_is_found_on_its_line() -> None:
    """Headers, dotted keys, inline tables, lists of tables and long strings all count lines rightly."""
    lines = key_lines(TEXT)
    ab = ("endpoint", "a.b")
    found = {
        ("monitor",): 2,
        ("monitor", "location"): 3,
        ab: 5,
        (*ab, "url"): 6,
        (*ab, "odd key"): 8,
        (*ab, "deployment", "x"): 9,
        (*ab, "deployment", "x", "name"): 9,
        (*ab, "inline", "provider"): 10,
        (*ab, "inline", "list", 1, "deep"): 10,
        ("watch", 0): 12,
        ("watch", 0, "models", 0): 14,
        ("watch", 0, "models", 1): 15,
        ("watch", 0, "when"): 17,
        ("watch", 1): 19,
        ("watch", 1, "every"): 20,
        ("watch", 1, "more", "x"): 22,
        ("watch", 1, "parts", 0, "y"): 24,
        ("watch", 1, "parts", 1, "y"): 26,
    }
    assert {path: lines[path] for path in found} == found


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path to a key or a list element in a parsed document."""
    if isinstance(value, dict):
        inner = [paths_of(item, (*path, key)) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [paths_of(item, (*path, position)) for position, item in enumerate(value)]
    else:
        inner = []
    return {path, *(found for paths in inner for found in paths)}


keys = st.text("abc-_.\"'# é", max_size=4)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
scalars = st.one_of(texts, st.integers(-9, 9), st.booleans())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


def spelled(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)} = {spelled(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(spelled(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


@given(st.lists(st.dictionaries(keys, values, max_size=3), max_size=4))
def test_every_key_of_any_document_has_its_line(tables: list[dict[str, Any]]) -> None:
    """One line per pair, under [[t]] headers: each key is found, and on the line it was written on."""
    written: list[str] = []
    expected: dict[KeyPath, int] = {}
    for position, table in enumerate(tables):
        written.append("[[t]]")
        expected["t", position] = len(written)
        for key, value in table.items():
            written.append(f"{json.dumps(key, ensure_ascii=False)} = {spelled(value)} # end")
            expected["t", position, key] = len(written)
    text = "\n".join(written)
    lines = key_lines(text)
    assert {path: lines[path] for path in expected} == expected
    assert paths_of(tomllib.loads(text)) - {()} == set(lines)
