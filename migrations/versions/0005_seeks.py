"""Two questions answered by a seek: the newest runs that did not pass, and the incidents resolved since.

A program that knows only 0004 refuses this schema and is to be upgraded; no row is touched.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    notable = sa.text("notable = 1")
    op.create_index(
        "ix_outcomes_notable_started_at",
        "outcomes",
        ["started_at", "uid"],
        sqlite_where=notable,
        postgresql_where=notable,
    )
    op.create_index("ix_incidents_resolved_at", "incidents", ["resolved_at"])


def downgrade() -> None:
    op.drop_index("ix_incidents_resolved_at", "incidents")
    op.drop_index("ix_outcomes_notable_started_at", "outcomes")
