"""Rewrites the first migration from the models. For use before the first release only."""

import tempfile

from alembic import command
from sqlalchemy import create_engine

from lms.app import import_models
from lms.core.schema import MIGRATIONS, alembic_config

TARGET = MIGRATIONS / "versions" / "0001_start.py"


def main() -> None:
    """Compare the models with an empty database and write what is missing."""
    import_models()
    for old in TARGET.parent.glob("*.py"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.db")
        with engine.connect() as connection:
            command.revision(alembic_config(connection), "Start", autogenerate=True, rev_id="0001")
    text = TARGET.read_text(encoding="utf-8")
    TARGET.write_text(
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
