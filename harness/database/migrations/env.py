"""Alembic's entry: runs revisions on the connection that ``engine.migrate`` hands in."""

from alembic import context

from harness.database.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
