"""Runs migrations on the connection that `lms.core.schema` opened."""

from alembic import context

from lms.core.db import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # SQLite cannot alter most things in place: tables are copied.
    render_as_batch=connection.dialect.name == "sqlite",
    # The caller holds one transaction over everything: all migrations or none.
    transaction_per_migration=False,
    compare_type=True,
)
context.run_migrations()
