"""Cutting a stream into events, however it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.checks.sse import EventStream


def read(*pieces: bytes) -> list[str]:
    stream = EventStream()
    found = [data for piece in pieces for data in stream.feed(piece)]
    return [*found, *stream.finish()]


def test_events_end_with_a_blank_line_or_with_the_stream() -> None:
    """Any line end, comments and other fields between, and no blank line at the end."""
    assert read(b"data: one\n\ndata: two\r\n\r\n", b"data:three\r\r") == ["one", "two", "three"]
    assert read(b"\xef\xbb\xbf: a comment\n", b"event: x\nid: 1\ndata: one\n", b"\n") == ["one"]
    assert read(b"data: one\n\n", b"data: two") == ["one", "two"]


def test_data_of_several_lines_is_one_text() -> None:
    """The format joins them with line ends."""
    assert read(b"data: {\n", b"data: }\n\n") == ["{\n}"]


def test_what_is_no_data_makes_no_event() -> None:
    """Blank lines, comments and other fields alone say nothing."""
    assert read(b"\n\n: ping\n\nretry: 5\n\n") == []


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    """Whatever comes gives texts without line feeds at their ends, and raises nothing."""
    assert all(isinstance(data, str) for data in read(*pieces))


@given(st.lists(st.text("abc {}:", min_size=1, max_size=8), max_size=6), st.data())
def test_where_lines_are_cut_into_pieces_does_not_matter(events: list[str], data: st.DataObject) -> None:
    """Pieces hold whole lines; how many lines a piece holds changes nothing."""
    lines = [line for event in events for line in (f"data: {event}\n".encode(), b"\n")]
    cut = data.draw(st.integers(0, len(lines)))
    assert read(b"".join(lines[:cut]), b"".join(lines[cut:])) == events
