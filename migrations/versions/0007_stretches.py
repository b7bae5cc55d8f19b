"""Slots in a row that were skipped for one reason, as one row; who checks from where; what is not judged.

A program that knows only the revision before refuses this schema and is to be upgraded; every row that is
there is one slot.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("skips", sa.Column("slots", sa.BigInteger(), nullable=False, server_default="1"))
    op.add_column("skips", sa.Column("every_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "leases",
        sa.Column("location", sa.Text(), primary_key=True),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "unjudged",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("unjudged")
    op.drop_table("leases")
    op.drop_column("skips", "every_ms")
    op.drop_column("skips", "slots")
