"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

TABLES = (
    "targets",
    "contexts",
    "transcripts",
    "cells",
    "outcomes",
    "passes",
    "evidence",
    "hourly",
    "daily",
    "incidents",
    "windows",
    "entries",
    "notices",
    "heartbeats",
    "skips",
    "marks",
)


def _partial_index(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    _create_targets()
    _create_outcomes()
    _create_evidence()
    _create_rollups()
    _create_incidents()
    _create_notices()
    _create_life_of_the_monitor()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_targets() -> None:
    op.create_table(
        "targets",
        sa.Column("id", ID, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("region", sa.Text()),
        sa.Column("configuration", sa.Text()),
        sa.Column("every_us", sa.BigInteger()),
        sa.Column("active", sa.SmallInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
        sa.UniqueConstraint("endpoint", "model", "pathway", name="uq_targets_endpoint_model_pathway"),
    )
    op.create_table(
        "contexts",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("configuration", sa.Text()),
        sa.Column("every_us", sa.BigInteger()),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contexts"),
        sa.UniqueConstraint("digest", name="uq_contexts_digest"),
    )
    op.create_table(
        "transcripts",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcripts"),
        sa.UniqueConstraint("digest", name="uq_transcripts_digest"),
    )
    op.create_table(
        "cells",
        sa.Column("id", ID, nullable=False),
        sa.Column("target_id", ID, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("conclusive", sa.BigInteger(), nullable=False),
        sa.Column("unpaced", sa.BigInteger(), nullable=False),
        sa.Column("last_started_at", sa.BigInteger()),
        sa.Column("last_uid", ORDERED),
        sa.Column("last_context_id", ID),
        sa.Column("last_slot", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["last_context_id"], ["contexts.id"], name="fk_cells_last_context_id_contexts"
        ),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_cells_target_id_targets"),
        sa.PrimaryKeyConstraint("id", name="pk_cells"),
        sa.UniqueConstraint("target_id", "location", name="uq_cells_target_id_location"),
    )


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", ORDERED, nullable=False),
        sa.Column("cell_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("notable", sa.SmallInteger(), nullable=False),
        sa.Column("fresh", sa.SmallInteger(), nullable=False),
        sa.Column("silence_since", sa.BigInteger()),
        sa.Column("spacing", sa.BigInteger()),
        sa.Column("context_id", ID, nullable=False),
        sa.Column("transcript_id", ID),
        sa.Column("failure", sa.Text()),
        sa.Column("stage", sa.Text()),
        sa.Column("blame", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("http_status", sa.Integer()),
        sa.Column("close_code", sa.Integer()),
        sa.Column("document", sa.Text()),
        sa.CheckConstraint(
            "verdict IN ('passed', 'degraded', 'failed', 'inconclusive')", name=op.f("ck_outcomes_verdict")
        ),
        sa.CheckConstraint("finished_at >= started_at", name=op.f("ck_outcomes_order")),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_outcomes_cell_id_cells"),
        sa.ForeignKeyConstraint(["context_id"], ["contexts.id"], name="fk_outcomes_context_id_contexts"),
        sa.ForeignKeyConstraint(
            ["transcript_id"], ["transcripts.id"], name="fk_outcomes_transcript_id_transcripts"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.UniqueConstraint("uid", name="uq_outcomes_uid"),
    )
    op.create_index("ix_outcomes_cell_id_started_at_number", "outcomes", ["cell_id", "started_at", "number"])
    _partial_index("ix_outcomes_notable", "outcomes", ["cell_id", "started_at", "uid"], "notable = 1")
    _partial_index("ix_outcomes_spacing", "outcomes", ["cell_id", "spacing"], "spacing IS NOT NULL")
    op.create_index("ix_outcomes_started_at", "outcomes", ["started_at"])
    _partial_index(
        "ix_outcomes_unmeasured",
        "outcomes",
        ["cell_id", "started_at"],
        "silence_since IS NOT NULL OR verdict = 'inconclusive' OR failure IN ('dns', 'connect', 'tls')",
    )
    _partial_index(
        "uq_outcomes_slot_cell_id",
        "outcomes",
        ["slot", "cell_id"],
        "kind = 'scheduled'",
        unique=True,
    )


def _create_evidence() -> None:
    op.create_table(
        "passes",
        sa.Column("cell_id", ID, autoincrement=False, nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_passes_cell_id_cells"),
        sa.PrimaryKeyConstraint("cell_id", "configuration", name="pk_passes"),
    )
    op.create_table(
        "evidence",
        sa.Column("outcome_id", ID, autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcomes.id"], name="fk_evidence_outcome_id_outcomes"),
        sa.PrimaryKeyConstraint("outcome_id", name="pk_evidence"),
    )


def _create_rollups() -> None:
    op.create_table(
        "hourly",
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cell_id", ID, autoincrement=False, nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("latencies", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_hourly_cell_id_cells"),
        sa.PrimaryKeyConstraint("start", "cell_id", name="pk_hourly"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hourly_cell_id_start", "hourly", ["cell_id", "start"])
    op.create_table(
        "daily",
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cell_id", ID, autoincrement=False, nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("latencies", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_daily_cell_id_cells"),
        sa.PrimaryKeyConstraint("start", "cell_id", name="pk_daily"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_daily_cell_id_start", "daily", ["cell_id", "start"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("blame", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger()),
        sa.Column("opened_at", sa.BigInteger()),
        sa.Column("recovering_at", sa.BigInteger()),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("configurations", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("number", name="uq_incidents_number"),
    )
    _partial_index(
        "ix_incidents_unresolved", "incidents", ["start"], "phase NOT IN ('resolved', 'dismissed')"
    )
    op.create_table(
        "windows",
        sa.Column("id", ID, nullable=False),
        sa.Column("cell_id", ID, nullable=False),
        sa.Column("incident_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("start_after", sa.BigInteger()),
        sa.Column("end", sa.BigInteger()),
        sa.Column("end_after", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("open", sa.SmallInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("continues_until", sa.BigInteger(), nullable=False),
        sa.Column("first_uid", sa.Text(), nullable=False),
        sa.Column("last_uid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_windows_cell_id_cells"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_windows_incident_id_incidents"),
        sa.PrimaryKeyConstraint("id", name="pk_windows"),
        sa.UniqueConstraint("cell_id", "state", "start", name="uq_windows_cell_id_state_start"),
    )
    op.create_index("ix_windows_start", "windows", ["start"])
    op.create_table(
        "entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_entries_incident_id_incidents"),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
    )
    op.create_index("ix_entries_incident_id", "entries", ["incident_id"])


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("gave_up_at", sa.BigInteger()),
        sa.Column("last_reply", sa.Text()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_notices_incident_id_incidents"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint(
            "incident_id", "kind", "sequence", "channel", name="uq_notices_incident_id_kind_sequence_channel"
        ),
    )
    _partial_index("ix_notices_owed", "notices", ["due_at"], "sent_at IS NULL AND gave_up_at IS NULL")


def _create_life_of_the_monitor() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("id", ID, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("worst_lag_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_heartbeats"),
    )
    op.create_index("ix_heartbeats_location_last_at", "heartbeats", ["location", "last_at"])
    op.create_table(
        "skips",
        sa.Column("cell_id", ID, autoincrement=False, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_skips_cell_id_cells"),
        sa.PrimaryKeyConstraint("cell_id", "slot", name="pk_skips"),
    )
    op.create_table(
        "marks",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
    )
    op.create_index("ix_marks_at", "marks", ["at"])
