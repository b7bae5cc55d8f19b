"""What the scheduler asks of the clock that calls it: the seam for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Engine(Protocol):
    """What calls us when something is due: APScheduler, or a clock that a test drives."""

    @property
    def running(self) -> bool:
        """Whether it calls."""

    def start(self) -> None:
        """Begin to call."""

    def shutdown(self, *, wait: bool) -> None:
        """Call no more."""

    def add_job(self, func: Callable[[str], Awaitable[None]], trigger: Any, **options: Any) -> Any:
        """Call *func* with `args` whenever the trigger fires; `id` names the job."""

    def reschedule_job(self, job_id: str, *, trigger: Any) -> Any:
        """Let the job follow another trigger."""
