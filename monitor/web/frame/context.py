"""What routes work with, made once: the store, the clock, the settings, the templates, the kept pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from monitor.pipeline.derive import DerivationSettings
from monitor.store.database.engine import Database, Transaction
from monitor.web.frame.display_settings import DisplaySettings, Liveness
from monitor.web.frame.errors import Render
from monitor.web.frame.page_cache import KeptPages
from monitor.web.frame.revision import Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """What every route works with.

    *clock* gives the time, *liveness* what the service says of itself, *derivation* what is brought up to
    date when people add a mark or a pause.
    """

    database: Database
    clock: Callable[[], datetime]
    settings: DisplaySettings
    liveness: Callable[[], Liveness]
    render: Render
    derivation: DerivationSettings
    revision: Revision
    kept: KeptPages = field(default_factory=KeptPages)

    def is_alive(self) -> bool:
        """Whether the service runs."""
        return self.liveness()["running"]

    def revision_at(self, tx: Transaction, now: datetime) -> str:
        """What a page made at *now* follows from, beside its address."""
        return self.revision.read(tx, self.settings, now)

    def current_revision(self) -> str:
        """What a page made now would follow from."""
        with self.database.read() as tx:
            return self.revision_at(tx, self.clock())
