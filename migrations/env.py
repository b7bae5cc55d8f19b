"""Runs revisions on the connection that the store hands over, within the store's transaction."""

from __future__ import annotations

from alembic import context

from monitor.store.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by rebuilding its table
)
context.run_migrations()
