"""The items of one session: which were committed, and which text each came to; no messages are read here."""

from __future__ import annotations

MOST_ITEMS = 64
_EXPECTED = "?"
LONGEST_TEXT = 20_000  # characters of one item; what is cut off would be words that nobody said


class Items:
    """Committed items in order, each open until its text is there.

    Servers leave ids out, or name one item in `committed` and another in the transcription. An id that
    nobody knows therefore belongs to the only open item, if there is just one.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str | None] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def expect(self) -> None:
        """An item must come of what was said, whether or not the server will name it."""
        self._texts.setdefault(_EXPECTED, None)

    def open(self, item_id: str | None) -> None:
        """An item was committed; without an id it gets a number."""
        if self._texts.get(_EXPECTED, "") is None:
            del self._texts[_EXPECTED]
        key = item_id or f"#{len(self._texts) + 1}"
        if len(self._texts) < MOST_ITEMS:
            self._texts.setdefault(key, None)

    def is_done(self, item_id: str | None) -> bool:
        """Whether this very item has its text already."""
        return item_id is not None and self._texts.get(item_id) is not None

    def complete(self, item_id: str | None, text: str) -> str | None:
        """Give an item its text; returns a note where the ids did not match, None where they did."""
        kept = text[:LONGEST_TEXT]
        if item_id is not None and item_id in self._texts:
            again = self._texts[item_id] is not None
            self._texts[item_id] = self._texts[item_id] or kept
            return f"item {item_id} was completed twice" if again else None
        waiting = [key for key, known in self._texts.items() if known is None]
        if len(waiting) == 1:
            self._texts[waiting[0]] = kept
            if waiting[0] == _EXPECTED:
                return None
            return f"the transcript names item {item_id}, committed was {waiting[0]}"
        if waiting or self._texts:
            return f"a transcript came for item {item_id}, which nobody committed"
        self._texts[item_id or "#1"] = kept
        return "a transcript came without a committed event"

    @property
    def all_done(self) -> bool:
        """Whether every item has its text."""
        return all(text is not None for text in self._texts.values())

    @property
    def transcript(self) -> str:
        """The texts in the order of the items."""
        return " ".join(filter(None, self._texts.values()))
