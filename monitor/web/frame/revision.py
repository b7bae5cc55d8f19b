"""Say in one text what a page follows from, so that a browser is told when what it shows is no longer so.

That is what is stored, the running program, and what the clock alone changes: a target falls silent, news
grows old, maintenance begins or ends. Those instants are known beforehand from what is stored::

    last run 10:00:00, every minute        silent from 10:03:00 on
    maintenance 10:02 to 10:05             two instants more
                                           revision: "2 of 3 have passed", and the minute

The minute stands in it too, since ages and lanes move with the clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.core.outages.history import INSTANT
from monitor.core.outages.maintenance import covered
from monitor.core.outages.rule import GAP_INTERVALS
from monitor.store.database.engine import Transaction
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.overview import read_revision, read_seen_cells
from monitor.web.frame.display_settings import DisplaySettings
from monitor.web.frame.read_cells import interval_of

_KNOWN_FOR = timedelta(hours=1)  # so far ahead maintenance is looked up


class Revision:
    """The revision of one running program; *build* differs with every start."""

    def __init__(self, build: str) -> None:
        self._build = build
        self._known: tuple[tuple[str, datetime], Sequence[datetime]] | None = None

    def read(self, tx: Transaction, settings: DisplaySettings, now: datetime) -> str:
        """What pages made at *now* follow from."""
        stored = read_revision(tx)
        key = stored, now.replace(minute=0, second=0, microsecond=0)
        known = self._known
        if known is None or known[0] != key:
            known = self._known = key, sorted(_instants(tx, settings, key[1]))
        passed = bisect_right(known[1], now)
        parts = f"{self._build}|{stored}|{passed}|{now:%Y%m%d%H%M}"
        return blake2b(parts.encode(), digest_size=12).hexdigest()


def _instants(tx: Transaction, settings: DisplaySettings, hour: datetime) -> Iterator[datetime]:
    """When the clock alone changes a page, as far as it can be in this *hour*."""
    seen = read_seen_cells(tx)
    plans = read_maintenance(tx)
    for one in seen:
        yield one.last_at + GAP_INTERVALS * interval_of(one, settings) + INSTANT
    if seen:
        yield max(one.last_at for one in seen) + settings.patience + INSTANT
    for target in {one.cell.target for one in seen} if plans else ():
        for span in covered(plans, target, hour, hour + _KNOWN_FOR):
            yield from span
