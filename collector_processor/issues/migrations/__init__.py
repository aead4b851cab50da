"""Alembic migrations, run by ``issues.database`` when a store is opened. One that was released never changes."""
