"""What an incident is about, as a value of its own: until now it was cut out of the title.

A program that knows only 0008 refuses this schema and is to be upgraded; nothing but that key is added.
"""

from __future__ import annotations

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

incidents = sa.table(
    "incidents", sa.column("id", sa.Text), sa.column("title", sa.Text), sa.column("document", sa.Text)
)
SUBJECT = re.compile(r"^(.+?) (?:was |is |were )?(?:down|degraded)\b")  # as it was read before


def upgrade() -> None:
    connection = op.get_bind()
    for (identity,) in connection.execute(sa.select(incidents.c.id)).all():
        mine = incidents.c.id == identity
        title, text = connection.execute(sa.select(incidents.c.title, incidents.c.document).where(mine)).one()
        found, document = SUBJECT.match(title), json.loads(text)
        if found and "subject" not in document:
            known = json.dumps(document | {"subject": found[1]}, separators=(",", ":"))
            connection.execute(sa.update(incidents).where(mine).values(document=known))


def downgrade() -> None:
    """The key may stay: the program before reads it where it is, and the title where it is not."""
