"""Everything that is stored while the service runs: one queue, one thread, one transaction at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from monitor.core.errors import MonitorError
from monitor.core.model import Kind
from monitor.core.outages.self_observations import SelfObservation
from monitor.core.scheduling.attention import Slots, Watching
from monitor.pipeline.derive import DerivationSettings
from monitor.pipeline.observe import Observed
from monitor.pipeline.pace import Pace
from monitor.pipeline.record import Recorded, Skipped, record
from monitor.pipeline.spool import spool
from monitor.pipeline.writer import Backlog, BatchWriter
from monitor.service.lease import Lease
from monitor.service.usual_latencies import UsualLatencies
from monitor.store.database.engine import Database
from monitor.store.heartbeats import BEAT_EVERY

log = structlog.get_logger("serve")

Storable = Observed | Skipped | SelfObservation


class OutcomeStorage:
    """Stores what runs gave, with all that follows from it, under the location's lease.

    *attend* is told on the loop how closely to watch which cells. *folders* are where outcomes are kept
    that cannot be stored, the first that takes them.
    """

    def __init__(
        self,
        database: Database,
        house: DerivationSettings,
        *,
        lease: Lease,
        pace: Pace,
        usual: UsualLatencies,
        attend: Callable[[Sequence[Watching]], None],
        clock: Callable[[], datetime],
        folder: Path,
    ) -> None:
        self._database, self._house, self._lease, self._pace = database, house, lease, pace
        self._usual, self._attend, self._clock = usual, attend, clock
        self._folders = (folder, Path(tempfile.gettempdir()))
        self._writer: BatchWriter[Storable, Recorded] = BatchWriter(
            self._store, self._stored, clock=clock, left=self._keep, refused=self._refuse
        )
        self._lag = 0.0
        self._beat_at: datetime | None = None
        self.last_stored: datetime | None = None

    def put(self, item: Storable) -> None:
        """Hand over what is to be stored; returns at once."""
        self._writer.put(item, minor=isinstance(item, Skipped))

    def turn(self, late: float) -> None:
        """Store what time alone brings: a verdict to look at again, or a sign of life.

        *late* is by how many seconds the event loop was late.
        """
        self._lag = max(self._lag, late)
        now = self._clock()
        lives = self._beat_at is not None and timedelta(0) <= now - self._beat_at < BEAT_EVERY
        if not lives or self._pace.is_due(now):
            self._writer.turn()

    def backlog(self) -> Backlog:
        """Return what waits to be stored, and since when storing fails."""
        return self._writer.backlog()

    async def run(self) -> None:
        """Store until closed, and then what is left; raises MonitorError where another took the location."""
        await self._writer.run()

    def close(self) -> None:
        """Let `run` return once everything is stored, or could not be for a while."""
        self._writer.close()

    def _store(self, items: Sequence[Storable]) -> Recorded:
        """On the recording thread: one transaction, and now and then how slow each cell usually is."""
        now, lag = self._clock(), timedelta(seconds=self._lag)
        recorded = record(
            self._database,
            items,
            self._house,
            now=now,
            lag=lag,
            pace=self._pace,
            may_store=self._lease.renew,
        )
        if recorded.refused:
            self._keep(items)
            return recorded
        self._beat_at, self._lag = now, 0.0
        self._usual.refresh(now)
        return recorded

    def _stored(self, recorded: Recorded) -> None:
        if recorded.refused:
            raise MonitorError(
                f"another monitor took over location '{self._house.location}' while this one did not run: "
                "it goes on, this one ends"
            )
        self.last_stored = self._clock()
        self._attend(recorded.judged.watchings)
        for result in recorded.results:
            if result.reason:
                log.warning("an outcome was not stored", reason=result.reason)
        for change in recorded.judged.changes:
            for entry in change.entries:
                number = change.incident.number or "none yet"
                log.info("incident", number=number, kind=entry.kind.value, text=entry.text)

    def _keep(self, items: Sequence[Storable]) -> None:
        """Write outcomes that could not be stored where `import` can take them back."""
        kept = [item for item in items if isinstance(item, Observed)]
        if not kept:
            return
        path = spool(kept, self._folders, now=self._clock())
        if path is None:
            log.error("outcomes are lost", lost=len(kept))
        else:
            log.warning(
                "outcomes wait in a file: run `earwitness import` on it", file=path, outcomes=len(kept)
            )

    def _refuse(self, item: Storable, error: Exception) -> None:
        """Keep an outcome that the store cannot take in a file, and its slot on record."""
        if not isinstance(item, Observed):
            return
        self._keep([item])
        outcome = item.outcome
        if outcome.kind is Kind.SCHEDULED:
            reason = f"lost: the outcome could not be stored, {type(error).__name__}"
            slot = Slots(first=outcome.slot or outcome.started_at)
            self.put(Skipped(cell=outcome.cell, slots=slot, reason=reason))
