from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.store.outcomes.pack import NEWEST, pack_evidence, unpack_evidence, unpacked_bytes

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
# What was stored with a dictionary needs it for ever: it is never made again, a better one gets a number.
KNOWN = {1: "12b349af71b0fc0e324b3ac26c06ab7a41d62f3c12b65c7edad94c77c5a97614"}


@given(st.dictionaries(TEXTS, JSON))
def test_what_is_packed_is_unpacked(document: dict[str, object]) -> None:
    """Any document comes back as it was."""
    assert unpack_evidence(pack_evidence(document)) == document


@pytest.mark.parametrize("level", [1, 3, 6, 9])
def test_rows_of_before_are_read(level: int) -> None:
    """They were packed by zlib, of which every level begins with the same byte."""
    document = {"frames": [{"n": 1, "body": "He might"}]}
    assert unpack_evidence(zlib.compress(orjson.dumps(document), level)) == document


def test_a_dictionary_is_never_changed() -> None:
    """Nor lost: each that was ever in use is there, to the byte."""
    folder = files("monitor.store.outcomes")
    found = {
        number: hashlib.sha256((folder / f"evidence-{number}.dictionary").read_bytes()).hexdigest()
        for number in KNOWN
    }
    assert found == KNOWN
    assert max(KNOWN) == NEWEST


def test_what_evidence_usually_says_costs_nearly_nothing() -> None:
    """Headers and events that every run has are in the dictionary."""
    event = {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": "item_X",
        "content_index": 0,
    }
    document = {
        "schema": "earwitness.evidence/1",
        "response_headers": [["x-ms-region", "Sweden Central"], ["x-content-type-options", "nosniff"]],
        "frames": [{"n": 1, "at": 0.1, "dir": "in", "kind": "text", "body": orjson.dumps(event).decode()}],
    }
    assert 2 * len(pack_evidence(document)) < len(zlib.compress(orjson.dumps(document)))


def test_threads_pack_side_by_side() -> None:
    """Each has tools of its own."""
    documents = [{"n": number, "text": "He might even have been " * number} for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        packed = list(pool.map(pack_evidence, documents))
        assert list(pool.map(unpack_evidence, packed)) == documents
    assert [orjson.loads(unpacked_bytes(one)) for one in packed] == documents
