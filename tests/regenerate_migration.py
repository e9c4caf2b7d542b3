"""Rewrites the newest migration, not yet released, as what the models add to the one before it.

What a migration does beside the tables is written by hand, once the models stand still. New columns
of a table that has rows need a `server_default` or may be NULL.
"""

import re
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from lms.app import import_models
from lms.core import schema
from lms.core.db import prepare_engine

RELEASED = "0002"
"""The newest migration that installations have; it is never rewritten."""
NUMBER, TITLE = "0003", "Next"


IN_PLACE = re.compile(
    r"    with op\.batch_alter_table\('lesson', schema=None\) as batch_op:\n"
    r"        batch_op\.drop_column\('material'\)\n"
)
"""SQLite cannot copy a table whose rows others point at; a plain column goes without a copy."""


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


def _tidy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = IN_PLACE.sub("    op.drop_column('lesson', 'material')\n", text)
    path.write_text(
        text.replace("lms.core.db.UtcDateTime(timezone=True)", "UtcDateTime()")
        .replace("lms.core.db.UtcDateTime()", "UtcDateTime()")
        .replace(
            "from alembic import op\n",
            "from alembic import op\n\nfrom lms.core.db import UtcDateTime\n",
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
