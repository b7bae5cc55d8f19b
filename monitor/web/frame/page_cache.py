"""The pages made last: a page that many tabs ask for at once is made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

MOST_KEPT = 8


class KeptPages:
    """Pages by their tag, which names all that they follow from; threads may share it."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[str, Future[str]] = {}

    def get(self, tag: str, make: Callable[[], str]) -> str:
        """The page of *tag*; who asks while another makes it waits for that one.

        Raises what *make* raised; then the next one who asks makes it.
        """
        with self._lock:
            page = self._kept.get(tag)
            if page is None:
                mine = self._kept[tag] = Future[str]()
                for eldest in list(self._kept)[: -self._most]:
                    del self._kept[eldest]
        if page is not None:
            return page.result()
        try:
            mine.set_result(make())
        except BaseException as error:
            with self._lock:
                self._kept.pop(tag, None)
            mine.set_exception(error)
            raise
        return mine.result()
