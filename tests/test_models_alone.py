"""Do the tables of each feature stand without the rest of the application?

A process may load one feature and no other. Then every table its tables point to has to be known,
and nothing of pages, services or content may come along.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measure import ROOT, unmeasured

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in Path(ROOT, "lms").rglob("models.py")
)
GROUND = "lms.core.models"
"""Stands below accounts, whose table of people it points to; every process loads that too."""

LOOK = """
import importlib, json, os, sys
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column
from sqlalchemy import ForeignKey
from sqlalchemy.exc import NoReferencedTableError
from lms.core.db import Base

LIGHT = {"models", "rules", "kinds"}
HEAVY = "pydantic yaml babel flask_babel wtforms flask_wtf reportlab nh3 markdown_it numpy".split()

def look(names):
    for name in names:
        importlib.import_module(name)
    missing = []
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            try:
                key.column
            except NoReferencedTableError:
                missing.append(f"{table.name}.{key.parent.name}")
    if not missing:
        configure_mappers()
    ours = {
        name
        for name, module in sys.modules.items()
        if name.startswith(("lms.", "certificates"))
        and not name.startswith("lms.core.")
        and name != "lms.config"
        and not hasattr(module, "__path__")
        and name.rpartition(".")[2] not in LIGHT
    }
    return {"missing": sorted(missing), "heavy": sorted(ours | {*HEAVY} & {*sys.modules})}

def apart(names):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            answer = look(names)
        except Exception as error:
            answer = repr(error)
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        answer = told.read()
    os.wait()
    return json.loads(answer)

class Loose(Base):
    __tablename__ = "loose"
    id: Mapped[int] = mapped_column(primary_key=True)
    nowhere_id: Mapped[int] = mapped_column(ForeignKey("nowhere.id"))

found = {"control": apart(["lms.quizzes.services"])}
Base.metadata.remove(Loose.__table__)
Base.registry.dispose()
found |= {" ".join(names): apart(names) for names in json.loads(sys.argv[1])}
print(json.dumps(found))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Each is looked at in a copy of one process")
def test_the_tables_of_each_feature_stand_alone():
    asked = [[name] for name in MODULES if name != GROUND] + [["lms.accounts.models", GROUND]]
    done = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(asked)],
        cwd=ROOT,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    control = found.pop("control")
    assert control["missing"] == ["loose.nowhere_id"]
    assert {"lms.quizzes.services", "pydantic"} <= {*control["heavy"]}
    assert len(found) == len(MODULES)
    assert {
        name: flaws for name, flaws in found.items() if flaws != {"missing": [], "heavy": []}
    } == {}
