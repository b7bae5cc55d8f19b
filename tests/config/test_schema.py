from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from monitor.config.schema import json_schema, schema_text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOOD = [*sorted((HERE / "good").glob("*.toml")), ROOT / "config.example.toml"]
# What is wrong by itself, in one bad file of each kind; what keys mean together no schema says.
SHAPES_SAID = """
    api_unknown api_version_no_date channel_kind_unknown channel_name channel_secret_literal
    channel_url_literal channel_when_empty channel_when_unknown
    clips_twice control_host_is_url control_host_without_port database_in_memory database_other_kind
    database_without_url endpoint_name_upper_case every_bare_number every_bare_number_in_quotes
    every_half_written every_in_words every_negative every_true every_zero key_bad_variable_name key_literal
    key_shell_variable kind_bool_expected kind_list_expected kind_number_expected kind_table_expected
    kind_text_expected kind_watch_not_a_list kind_whole_number_expected language_in_words listen_without_port
    location_with_space max_per_minute_zero pace_unknown price_in_words price_negative provider_missing
    provider_unknown proxy_by_tls proxy_other_scheme proxy_with_password public_url_with_password
    public_url_with_query public_url_without_scheme reserve_too_large rule_good_zero rule_span_bare_number
    support_fact_multi_line
    turn_unknown unknown_key_endpoint unknown_key_watch unknown_section url_bad_port url_empty
    url_other_scheme url_with_password
    watch_model_twice watch_model_with_space watch_no_models watch_no_pathways
    watch_pathway_twice watch_unknown_pathway watch_without_endpoint
"""
SHAPES = SHAPES_SAID.split()


def test_the_shipped_schema_is_the_generated_one() -> None:
    """Write it again with: python -m monitor.config.schema > monitor/config/schema.json."""
    shipped = (files("monitor.config") / "schema.json").read_text("utf-8")
    assert shipped == schema_text()
    assert json.loads(shipped) == json_schema()


KINDS: dict[str, tuple[type, ...]] = {
    "string": (str, datetime, date),  # a date of TOML is written as text in JSON
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def faults(schema: dict[str, Any], node: dict[str, Any], value: Any) -> Iterator[str]:
    """What an editor would underline: the part of JSON Schema that ours is made of."""
    node = {**node, **schema["$defs"][node["$ref"].rpartition("/")[2]]} if "$ref" in node else node
    kind = KINDS.get(node.get("type", ""), (object,))
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind and object not in kind):
        yield "type"
    elif isinstance(value, dict):
        yield from table_faults(schema, node, value)
    elif isinstance(value, list):
        yield from (fault for item in value for fault in faults(schema, node["items"], item))
        if len(value) < node.get("minItems", 0) or (
            node.get("uniqueItems") and len(set(map(str, value))) < len(value)
        ):
            yield "items"
    else:
        patterns = [node.get("pattern"), *(part["pattern"] for part in node.get("allOf", []))]
        if isinstance(value, str) and not all(re.search(one, value, re.ASCII) for one in patterns if one):
            yield "pattern"
        if "enum" in node and value not in node["enum"]:
            yield "enum"
        if isinstance(value, str) and not node.get("minLength", 0) <= len(value) <= node.get(
            "maxLength", 999
        ):
            yield "length"
        if isinstance(value, (int, float)) and not (
            node.get("minimum", value) <= value <= node.get("maximum", value)
        ):
            yield "bounds"


def table_faults(schema: dict[str, Any], node: dict[str, Any], table: dict[str, Any]) -> Iterator[str]:
    """The same for a table: its keys, and then what stands behind them."""
    names = node.get("propertyNames", {}).get("pattern", "")
    for key, item in table.items():
        inner = node.get("properties", {}).get(key) or node["additionalProperties"]
        if inner is False or not re.search(names, key):
            yield f"key {key}"
        elif isinstance(inner, dict):
            yield from faults(schema, inner, item)
    yield from (f"missing {key}" for key in node.get("required", []) if key not in table)


def parsed(path: Path) -> dict[str, Any] | None:
    """The file's tables, where it is TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError:
        return None


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_is_read_conforms_to_the_schema(path: Path) -> None:
    """An editor has nothing to say about a good file, nor about the example."""
    schema = json_schema()
    assert list(faults(schema, schema, parsed(path))) == []


@pytest.mark.parametrize("stem", SHAPES)
def test_a_wrong_shape_is_refused_by_the_schema_too(stem: str) -> None:
    """What is wrong with a value by itself is underlined while it is written."""
    schema = json_schema()
    assert list(faults(schema, schema, parsed(HERE / "bad" / f"{stem}.toml")))


def test_unknown_keys_are_refused_by_the_schema_too() -> None:
    """Every table says so."""
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables)


def test_toml_has_no_null() -> None:
    """No alternative of the schema is null."""
    assert '"null"' not in schema_text()
