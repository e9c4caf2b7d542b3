"""What pages cost: queries, bytes, and the way the database answers. Nothing here is timed.

Queries are counted over the whole request, who is signed in among them, on a class of 25 and on
one of 250 people. A page that costs more or less than its line in PAGES says needs a new line.
"""

import gzip
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from lms.accounts.models import Person
from lms.app import create_app
from lms.cohorts import services as cohorts
from lms.core.db import Base, db
from tests import crowd
from tests.conftest import SqliteHome, _config
from tests.crowd import Crowd
from tests.queries import Sent, watched

KIB = 1024
PAGES: list[tuple[str | None, str, int]] = [
    (None, "/c/{code}", 0),
]
"""Who opens it (see crowd), address, number of queries."""


@pytest.fixture(scope="module")
def home(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    app = create_app(_config(f"sqlite:///{tmp_path_factory.mktemp('crowd') / '25.db'}"))
