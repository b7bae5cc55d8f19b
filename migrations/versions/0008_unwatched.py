"""When a target left the configuration, so that what failed then does not last for ever.

A target that is not active already has no such time: what is known of it stays as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("targets", sa.Column("unwatched_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("targets", "unwatched_at")
