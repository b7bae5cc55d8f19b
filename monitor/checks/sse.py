"""Reading a stream of server-sent events: bytes in, the `data` of whole events out; nothing ever raised.

Only what transcription servers use of the format (WHATWG HTML, 9.2.6): ids and retry hints are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator

LONGEST_EVENT = 1_000_000  # characters; what is longer ends as an event that cannot be read


class EventStream:
    """Events cut out of pieces of whole lines; `finish` gives what stands before a missing blank line."""

    def __init__(self) -> None:
        self._data: list[str] = []
        self._size = 0
        self._is_first = True

    def feed(self, piece: bytes) -> Iterator[str]:
        """The data of every event that ends in this piece."""
        text = piece.decode("utf-8", "replace")
        if self._is_first:
            text = text.removeprefix("\ufeff")
            self._is_first = False
        for line in text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n"):
            if line:
                self._take(line)
            elif self._data:
                yield from self.finish()

    def finish(self) -> Iterator[str]:
        """The data of the event that has not ended yet, if there is one."""
        if self._data:
            data = "\n".join(self._data)
            self._data.clear()
            self._size = 0
            yield data

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "data" and self._size < LONGEST_EVENT:
            kept = value.removeprefix(" ")[:LONGEST_EVENT]
            self._data.append(kept)
            self._size += len(kept) + 1
