"""The items of a conversation: made, fetched and deleted as the client asks.

What is heard or answered is the business of others, who put their items here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from monitor.sandbox.common import json_checks, refusals
from monitor.sandbox.common.identifiers import Identifiers
from monitor.sandbox.common.refusals import Complaint
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.openai import client_events
from monitor.sandbox.openai.server_events import ServerEvents

MOST_ITEMS = 500
ROOT = "root"  # what `previous_item_id` calls the beginning
Handler = Callable[[dict[str, Any]], Complaint | None]


class ConversationItems:
    """What was said in one session, in order."""

    def __init__(
        self,
        speaker: ServerEvents,
        ids: Identifiers,
        send: Callable[[bytes], None],
        strike: Callable[[], ActiveFault | None],
    ) -> None:
        self._speaker = speaker
        self._ids = ids
        self._send = send
        self._strike = strike
        self._items: dict[str, dict[str, Any]] = {}
        self._abandoned = False
        self.last_item: str | None = None
        self.last_words = ""
        self.last_came_as: Literal["audio", "text"] = "audio"

    @property
    def is_abandoned(self) -> bool:
        """Whether a text went unanswered, so that no response to it may come either."""
        return self._abandoned

    def handlers(self) -> Mapping[str, Handler]:
        """The client events that are answered here, for a session that has conversation."""
        return {
            "conversation.item.create": self._create,
            "conversation.item.delete": self._delete,
            "conversation.item.retrieve": self._retrieve,
            "conversation.item.truncate": self._truncate,
        }

    def add(self, item: dict[str, Any]) -> None:
        """Puts an item at the end of the conversation; the oldest go when there are too many."""
        if len(self._items) >= MOST_ITEMS:
            del self._items[next(iter(self._items))]
        self._items[item["id"]] = item
        self.last_item = item["id"]

    def heard(self, words: str) -> None:
        """Notes what the speech model heard."""
        self.last_words, self.last_came_as, self._abandoned = words, "audio", False

    def set_transcript(self, item_id: str, transcript: str) -> None:
        """Notes the transcript of an audio item that is still there."""
        item = self._items.get(item_id)
        if item is not None:
            item["content"][0]["transcript"] = transcript

    def _create(self, event: dict[str, Any]) -> Complaint | None:
        item = client_events.read_item(event.get("item"))
        if isinstance(item, Complaint):
            return item
        complaint = self._misplaced(item, event.get("previous_item_id"))
        if complaint is not None:
            return complaint
        fault = self._strike()
        if fault is not None and fault.fault == "item_refused":
            return refusals.item_complaint(fault)
        self._abandoned = fault is not None
        if self._abandoned:
            return None
        made = {
            "id": item.get("id") or self._ids.draw("item"),
            "type": item["type"],
            "status": "completed",
            **{name: value for name, value in item.items() if name not in ("id", "type")},
        }
        previous = self._insert(made, event.get("previous_item_id"))
        self.last_words, self.last_came_as = client_events.item_text(made) or self.last_words, "text"
        for reply in self._speaker.item(made, previous):
            self._send(reply)
        return None

    def _misplaced(self, item: Mapping[str, Any], previous: Any) -> Complaint | None:
        if item.get("id") in self._items:
            return Complaint("invalid_value", f"An item with id '{item['id']}' already exists.", "item.id")
        if previous is None or previous == ROOT or (isinstance(previous, str) and previous in self._items):
            return None
        message = f"Previous item with item_id not found: {str(previous)[: json_checks.LONGEST_SHOWN]}"
        return Complaint("item_not_found", message, "previous_item_id")

    def _insert(self, item: dict[str, Any], previous: str | None) -> str | None:
        """Puts *item* behind *previous*, or at the end; returns the id before it."""
        before = list(self._items)
        at = len(before) if previous is None else 0 if previous == ROOT else before.index(previous) + 1
        self.add(item)
        for later in before[at:]:
            if later in self._items:
                self._items[later] = self._items.pop(later)
        self.last_item = next(reversed(self._items))
        return before[at - 1] if at else None

    def _named(self, event: dict[str, Any]) -> dict[str, Any] | Complaint:
        item_id = event.get("item_id")
        if not isinstance(item_id, str):
            return json_checks.missing("item_id")
        message = f"Item with item_id not found: {item_id[: json_checks.LONGEST_SHOWN]}"
        return self._items.get(item_id) or Complaint("item_not_found", message, "item_id")

    def _delete(self, event: dict[str, Any]) -> Complaint | None:
        item = self._named(event)
        if isinstance(item, Complaint):
            return item
        del self._items[item["id"]]
        self.last_item = next(reversed(self._items), None)
        self._send(self._speaker.say("conversation.item.deleted", item_id=item["id"]))
        return None

    def _retrieve(self, event: dict[str, Any]) -> Complaint | None:
        item = self._named(event)
        if isinstance(item, Complaint):
            return item
        self._send(self._speaker.say("conversation.item.retrieved", item=item))
        return None

    def _truncate(self, event: dict[str, Any]) -> Complaint | None:
        item = self._named(event)
        if isinstance(item, Complaint):
            return item
        return Complaint("invalid_value", "Only model output audio messages can be truncated", "item_id")
