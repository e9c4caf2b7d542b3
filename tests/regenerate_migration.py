"""Rewrites the newest migration, not yet released, as what the models add to the one before it.

Before: new columns of a table that has rows need a `server_default` or may be NULL.
"""

import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from lms.app import import_models
from lms.core import schema
from lms.core.db import prepare_engine

RELEASED = "0001"
"""The newest migration that installations have; it is never rewritten."""
NUMBER, TITLE = "0002", "Office"


def main() -> None:
    """Compare the models with the last released schema and write what is missing."""
    import_models()
    versions = schema.MIGRATIONS / "versions"
    for old in versions.glob(f"{NUMBER}_*.py"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/before.db")
        prepare_engine(engine)
        schema.upgrade(engine, RELEASED)
        with engine.connect() as connection:
            config = schema.alembic_config(connection)
            command.revision(config, TITLE, autogenerate=True, rev_id=NUMBER)
        engine.dispose()
    _tidy(versions / f"{NUMBER}_{TITLE.lower()}.py")


CHAIN = """

def _chain(connection: sa.Connection) -> None:
    # What was written before there was a chain is its beginning.
    events = sa.table(
        "audit_event",
        sa.column("id", sa.Integer),
        sa.column("at", UtcDateTime()),
        sa.column("actor_id", sa.Integer),
        sa.column("action", sa.String),
        sa.column("subject", sa.String),
        sa.column("detail", sa.JSON),
        sa.column("position", sa.Integer),
        sa.column("hash", sa.String),
    )
    columns = [events.c[n] for n in ("id", "at", "actor_id", "action", "subject", "detail")]
    count, last, after = 0, chain.START, 0
    while True:
        batch = sa.select(*columns).where(events.c.id > after).order_by(events.c.id).limit(1000)
        rows = connection.execute(batch).all()
        for count, row in enumerate(rows, count + 1):
            facts = row._asdict()
            after = facts.pop("id")
            last = chain.link(last, **facts)
            connection.execute(
                events.update().where(events.c.id == after).values(position=count, hash=last)
            )
        if not rows:
            break
    head = sa.table("audit_head", sa.column("id"), sa.column("count"), sa.column("hash"))
    connection.execute(head.insert().values(id=1, count=count, hash=last))
"""
"""What the migration does beside the tables; the comparison of models cannot know it."""


def _tidy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    end = "    # ### end Alembic commands ###\n"
    text = text.replace(end, f"{end}    _chain(op.get_bind())\n", 1) + CHAIN
    path.write_text(
        text.replace("lms.core.db.UtcDateTime(timezone=True)", "UtcDateTime()")
        .replace("lms.core.db.UtcDateTime()", "UtcDateTime()")
        .replace(
            "from alembic import op\n",
            "from alembic import op\n\nfrom lms.core import chain\n"
            "from lms.core.db import UtcDateTime\n",
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
