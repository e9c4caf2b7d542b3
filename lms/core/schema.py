"""Brings a database to the schema of this version, and notices when it is not there."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from lms.core.db import Base

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class WrongSchema(Exception):
    """The database is not as the last migration left it."""


def alembic_config(connection: Connection) -> "AlembicConfig":
    """Return the settings of a migration run on an open connection."""
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, target: str = "head") -> None:
    """Migrate up to `target` in one transaction and store the fingerprint of the result."""
    from alembic import command

    with engine.connect().execution_options(suluh_write=True) as connection, connection.begin():
        command.upgrade(alembic_config(connection), target)
        _store(connection)


def downgrade(engine: Engine, target: str) -> None:
    """Migrate down to `target` in one transaction."""
    from alembic import command

    with engine.connect().execution_options(suluh_write=True) as connection, connection.begin():
        command.downgrade(alembic_config(connection), target)
        if inspect(connection).has_table("schema_mark"):
            _store(connection)


def head() -> str:
    """Return the newest revision: files of migrations are named `NNNN_what.py`."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return every revision this version knows, oldest first."""
    return sorted(p.name.split("_")[0] for p in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at; None when it is none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found else None


def is_empty(engine: Engine) -> bool:
    """Tell whether the database has no tables at all."""
    with engine.connect() as connection:
        return not inspect(connection).get_table_names()


def is_current(engine: Engine) -> bool:
    """Tell whether the database is at the newest revision. Does not import Alembic."""
    with engine.connect() as connection:
        return revision_of(connection) == head()


def fingerprint(connection: Connection) -> str:
    """Return a hash over every table, column, key and index of the live schema."""
    found = inspect(connection)
    # All tables at a time: PostgreSQL answers five questions instead of five for each table.
    columns, primary = found.get_multi_columns(), found.get_multi_pk_constraint()
    foreign, unique = found.get_multi_foreign_keys(), found.get_multi_unique_constraints()
    indexes = found.get_multi_indexes()
    parts: list[str] = []
    for table in sorted(found.get_table_names()):
        if table == "alembic_version":
            continue
        at = (None, table)
        parts += [f"{table}.{c['name']}:{c['type']}:{c['nullable']}" for c in columns[at]]
        parts.append(f"{table} pk {primary[at]['constrained_columns']}")
        parts += sorted(
            f"{table} fk {key['constrained_columns']} {key['referred_table']}"
            for key in foreign[at]
        )
        parts += sorted(f"{table} uq {key['column_names']}" for key in unique[at])
        parts += sorted(
            f"{table} ix {key['name']} {key['column_names']} {key['unique']}" for key in indexes[at]
        )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check(engine: Engine, seen: Path | None = None) -> None:
    """Let a database pass that is as the last migration left it. Raises WrongSchema.

    Looking at a hundred tables takes a fifth of a second. `seen` is a file that remembers which
    statements an SQLite database was made of when it passed: made of the same, it passes again.
    """
    with engine.connect() as connection:
        made_of = _statements(connection) if seen is not None else None
        known = seen.read_text(encoding="ascii") if seen is not None and seen.exists() else None
        if made_of is not None and made_of == known:
            return
        if not inspect(connection).has_table("schema_mark"):
            raise WrongSchema("the database has no tables yet: run `./run cli db upgrade`")
        stored = connection.execute(text("SELECT fingerprint FROM schema_mark")).scalar()
        if stored != fingerprint(connection):
            raise WrongSchema(
                "the tables differ from what the last migration made; "
                "`./run cli db check` says how. Restore a backup"
            )
    if made_of is not None and seen is not None:
        seen.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen.write_text(made_of, encoding="ascii")


def _statements(connection: Connection) -> str | None:
    """Return a hash of the statements that made an SQLite database, and of the stored mark."""
    if connection.dialect.name != "sqlite":
        return None
    found = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    ).all()
    if not any(row.name == "schema_mark" for row in found):
        return None
    mark = connection.exec_driver_sql("SELECT fingerprint FROM schema_mark").all()
    return hashlib.sha256(repr((found, mark)).encode()).hexdigest()


def differences(engine: Engine) -> list[str]:
    """Return how the live schema differs from the models, in words; empty when it does not."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(step) for step in compare_metadata(context, Base.metadata)]


def _store(connection: Connection) -> None:
    connection.execute(text("DELETE FROM schema_mark"))
    connection.execute(
        text("INSERT INTO schema_mark (id, fingerprint) VALUES (1, :f)"),
        {"f": fingerprint(connection)},
    )
