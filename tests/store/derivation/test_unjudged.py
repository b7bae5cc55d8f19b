"""The note that something is stored and not judged."""

from __future__ import annotations

from datetime import timedelta

from monitor.store.database.engine import Database
from monitor.store.derivation.unjudged import clear_unjudged, note_unjudged, read_unjudged
from tests.support.stored_outcomes import DAY


def test_the_earliest_is_kept_until_all_is_judged(database: Database) -> None:
    """Notes in any order leave the earliest start; clearing forgets it."""
    hour = timedelta(hours=1)
    with database.write() as tx:
        assert read_unjudged(tx) is None
        for start in (DAY + hour, DAY, DAY + 2 * hour):
            note_unjudged(tx, start)
    with database.read() as tx:
        assert read_unjudged(tx) == DAY
    with database.write() as tx:
        clear_unjudged(tx)
        assert read_unjudged(tx) is None
