"""The tables as this program expects them; a migration makes them, and a test compares the two.

Outcomes, entries and evidence are only ever appended. Kinds, verdicts and the like are stored as the text
that is exported. Every instant is a whole number of milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from monitor.store.database.columns import Id, Instant, JsonText, Ordered

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

targets = Table(
    "targets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("pathway", Text, nullable=False),
    Column("provider", Text),
    Column("region", Text),
    Column("configuration", Text),
    Column("every_us", BigInteger),
    Column("active", SmallInteger, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("unwatched_at", Instant),  # when it left the configuration; absent while it is watched
    UniqueConstraint("endpoint", "model", "pathway"),
)

# One target seen from one location, with what the next run needs to know of the runs before it.
cells = Table(
    "cells",
    metadata,
    Column("id", Id, primary_key=True),
    Column("target_id", Id, ForeignKey("targets.id"), nullable=False),
    Column("location", Text, nullable=False),
    Column("runs", BigInteger, nullable=False),
    Column("conclusive", BigInteger, nullable=False),
    Column("unpaced", BigInteger, nullable=False),  # runs whose predecessor said no interval
    Column("last_started_at", Instant),
    Column("last_uid", Ordered),
    Column("last_context_id", Id, ForeignKey("contexts.id")),
    Column("last_slot", Instant),
    UniqueConstraint("target_id", "location"),
)

# What many runs share, kept once: provider, region, clip, configuration, interval, names of timings and ids.
contexts = Table(
    "contexts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("configuration", Text),
    Column("every_us", BigInteger),
    Column("document", JsonText, nullable=False),
)

# The texts that passed runs heard: few, and each heard often.
transcripts = Table(
    "transcripts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("text", Text, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uid", Ordered, nullable=False),
    Column("cell_id", Id, ForeignKey("cells.id"), nullable=False),
    Column("number", BigInteger, nullable=False),  # conclusive runs of the cell up to this one
    Column("kind", Text, nullable=False),
    Column("slot", Instant, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("notable", SmallInteger, nullable=False),  # did not pass, or is fresh
    Column("fresh", SmallInteger, nullable=False),
    Column("silence_since", Instant),
    Column("spacing", BigInteger),  # ms since the run before, where that one said no interval
    Column("context_id", Id, ForeignKey("contexts.id"), nullable=False),
    Column("transcript_id", Id, ForeignKey("transcripts.id")),
    Column("failure", Text),
    Column("stage", Text),
    Column("blame", Text),
    Column("type", Text),
    Column("code", Text),
    Column("message", Text),
    Column("http_status", Integer),
    Column("close_code", Integer),
    Column("document", Text),  # the rest, see `rows`; text, because the hot paths read it themselves
    CheckConstraint("verdict IN ('passed', 'degraded', 'failed', 'inconclusive')", name="verdict"),
    CheckConstraint("finished_at >= started_at", name="order"),
    UniqueConstraint("uid"),
)
# The one index whose new entries lie apart, cell by cell; in the others what is written together lies
# together, for a commit costs what it touches. A number is found in this one too: it grows with the start.
Index("ix_outcomes_cell_id_started_at_number", outcomes.c.cell_id, outcomes.c.started_at, outcomes.c.number)
Index("ix_outcomes_started_at", outcomes.c.started_at)
Index(
    "uq_outcomes_slot_cell_id",
    outcomes.c.slot,
    outcomes.c.cell_id,
    unique=True,
    sqlite_where=text("kind = 'scheduled'"),
    postgresql_where=text("kind = 'scheduled'"),
)
Index(
    "ix_outcomes_notable",
    outcomes.c.cell_id,
    outcomes.c.started_at,
    outcomes.c.uid,
    sqlite_where=text("notable = 1"),
    postgresql_where=text("notable = 1"),
)
# The newest of them all, however many passed since.
Index(
    "ix_outcomes_notable_started_at",
    outcomes.c.started_at,
    outcomes.c.uid,
    sqlite_where=text("notable = 1"),
    postgresql_where=text("notable = 1"),
)
# What ended a silence, or may tell of a stretch in which nothing could be measured: very few runs.
UNMEASURED = "silence_since IS NOT NULL OR verdict = 'inconclusive' OR failure IN ('dns', 'connect', 'tls')"
Index(
    "ix_outcomes_unmeasured",
    outcomes.c.cell_id,
    outcomes.c.started_at,
    sqlite_where=text(UNMEASURED),
    postgresql_where=text(UNMEASURED),
)
Index(
    "ix_outcomes_spacing",
    outcomes.c.cell_id,
    outcomes.c.spacing,
    sqlite_where=text("spacing IS NOT NULL"),
    postgresql_where=text("spacing IS NOT NULL"),
)

# Since when a configuration has ever passed in a cell; '' stands for a run that named none.
passes = Table(
    "passes",
    metadata,
    Column("cell_id", Id, ForeignKey("cells.id"), primary_key=True, autoincrement=False),
    Column("configuration", Text, primary_key=True),
    Column("first_at", Instant, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("outcome_id", Id, ForeignKey("outcomes.id"), primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),  # JSON, packed: see `outcomes/pack`
)


def _rollup(name: str, latencies: TypeEngine[Any]) -> Table:
    # The key begins with the time: what is written together lies together.
    return Table(
        name,
        metadata,
        Column("start", Instant, primary_key=True, autoincrement=False),
        Column("cell_id", Id, ForeignKey("cells.id"), primary_key=True, autoincrement=False),
        Column("passed", Integer, nullable=False),
        Column("degraded", Integer, nullable=False),
        Column("failed", Integer, nullable=False),
        Column("inconclusive", Integer, nullable=False),
        Column("latencies", latencies, nullable=False),  # see `rollups`
        Index(f"ix_{name}_cell_id_start", "cell_id", "start"),
        sqlite_with_rowid=False,
    )


hourly = _rollup("hourly", Text())
daily = _rollup("daily", LargeBinary())

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, unique=True),
    Column("phase", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("blame", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant),
    Column("opened_at", Instant),
    Column("recovering_at", Instant),
    Column("resolved_at", Instant),
    Column("updated_at", Instant, nullable=False),
    Column("rule", JsonText, nullable=False),
    Column("configurations", JsonText, nullable=False),
    Column("document", JsonText, nullable=False),
    Column("kind", Text, nullable=False, server_default="outage"),
)
Index(
    "ix_incidents_unresolved",
    incidents.c.start,
    sqlite_where=text("phase NOT IN ('resolved', 'dismissed')"),
    postgresql_where=text("phase NOT IN ('resolved', 'dismissed')"),
)
# Asked with every recorded run: who was resolved since.
Index("ix_incidents_resolved_at", incidents.c.resolved_at)

windows = Table(
    "windows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("cell_id", Id, ForeignKey("cells.id"), nullable=False),
    Column("incident_id", Text, ForeignKey("incidents.id")),
    Column("state", Text, nullable=False),
    Column("start", Instant, nullable=False),
    Column("start_after", Instant),
    Column("end", Instant),
    Column("end_after", Instant, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("open", SmallInteger, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("continues_until", Instant, nullable=False),
    Column("first_uid", Text, nullable=False),
    Column("last_uid", Text, nullable=False),
    UniqueConstraint("cell_id", "state", "start"),
    Index("ix_windows_start", "start"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("blame", Text),  # what a person names who reclassifies
    Column("severity", Text),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("incident_id", Text, ForeignKey("incidents.id")),
    Column("kind", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("sent_at", Instant),
    Column("gave_up_at", Instant),
    Column("last_reply", Text),
    UniqueConstraint("incident_id", "kind", "sequence", "channel"),
)
Index(
    "ix_notices_owed",
    notices.c.due_at,
    sqlite_where=text("sent_at IS NULL AND gave_up_at IS NULL"),
    postgresql_where=text("sent_at IS NULL AND gave_up_at IS NULL"),
)

# The monitor's own life, as spans in which it beat without a pause.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location", Text, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("beats", Integer, nullable=False),
    Column("worst_lag_ms", Float, nullable=False),
    Index("ix_heartbeats_location_last_at", "location", "last_at"),
)

# Looks at our own side that gave the same answer one after the other, see `sights`.
sights = Table(
    "sights",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("good", SmallInteger, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("detail", Text),
    Index("ix_sights_location_last_at", "location", "last_at"),
)

# So many slots in a row, `every_ms` apart, the first of them at `slot`.
skips = Table(
    "skips",
    metadata,
    Column("cell_id", Id, ForeignKey("cells.id"), primary_key=True, autoincrement=False),
    Column("slot", Instant, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("slots", BigInteger, nullable=False, server_default="1"),
    Column("every_ms", BigInteger, nullable=False, server_default="0"),
)

# Who checks from a location, and when it last said so.
leases = Table(
    "leases",
    metadata,
    Column("location", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

# Of outcomes that are stored while what they mean is not: the start of the earliest.
unjudged = Table(
    "unjudged",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("since", Instant, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
)

# Planned maintenance as it was entered; withdrawn is what the configuration does not name any more.
maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("document", JsonText, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
)
