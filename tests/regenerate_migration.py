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

RELEASED = "0004"
"""The newest migration that installations have; it is never rewritten."""
NUMBER, TITLE = "0005", "Next"

BATCH = re.compile(
    r"    with op\.batch_alter_table\('(?P<table>\w+)', schema=None\) as batch_op:\n"
    r"(?P<lines>(?:        batch_op\.(?:add_column|drop_column|create_index|drop_index)\(.*\n)+)"
    r"(?!        batch_op)"
)
"""SQLite cannot copy a table whose rows others point at; plain columns come and go without."""


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
    text = BATCH.sub(_in_place, text)
    path.write_text(
        text.replace("lms.core.db.UtcDateTime(timezone=True)", "UtcDateTime()")
        .replace("lms.core.db.UtcDateTime()", "UtcDateTime()")
        .replace(
            "from alembic import op\n",
            "from alembic import op\n\nfrom lms.core.db import UtcDateTime\n",
        ),
        encoding="utf-8",
    )


def _in_place(block: re.Match[str]) -> str:
    table = block["table"]
    text = block["lines"].replace("batch_op.f(", "op.f(")
    text = re.sub(r" {8}batch_op\.(\w+_column)\(", rf"    op.\1('{table}', ", text)
    name = r"(op\.f\('\w+'\)|'\w+')"
    text = re.sub(
        rf" {{8}}batch_op\.create_index\({name}", rf"    op.create_index(\1, '{table}'", text
    )
    return re.sub(
        rf" {{8}}batch_op\.drop_index\({name}", rf"    op.drop_index(\1, table_name='{table}'", text
    )


if __name__ == "__main__":
    main()
