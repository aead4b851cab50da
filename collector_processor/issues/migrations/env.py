"""Runs on the connection, and in the transaction, of ``issues.database.migrate``."""

from __future__ import annotations

from alembic import context

from collector_processor.issues.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
