"""Incidents that are no outage: what only the owner is told.

A program that knows only 0003 refuses this schema and is to be upgraded; every incident that is there is an
outage.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("kind", sa.Text(), nullable=False, server_default="outage"))


def downgrade() -> None:
    op.drop_column("incidents", "kind")
