"""The ceiling: the smallest Flask + SQLAlchemy + Jinja page, on the server and pragmas of Suluh.

`/page?n=` finds a session row and a lesson row and draws a page of 6 KB; `/write` stores one row
durably. Nothing a product needs stands in between, so no page of ours can cost less.
"""

import os
from typing import Any

from flask import Flask, render_template_string, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from waitress import serve

from lms.core.db import prepare_engine
from lms.server import THREADS

PAGE = """<!doctype html><html><head><title>{{ lesson.title }}</title></head><body>
<header>{{ who.name }}</header>
{% for n in range(30) %}<p class="row" id="p{{ n }}">{{ lesson.body }} {{ n }}</p>
{% endfor %}</body></html>"""


class Base(DeclarativeBase):
    """Base of three tables."""


class Who(Base):
    """Somebody signed in."""

    __tablename__ = "who"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Lesson(Base):
    """Something to read."""

    __tablename__ = "lesson"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]


class Answer(Base):
    """Something to keep."""

    __tablename__ = "answer"
    id: Mapped[int] = mapped_column(primary_key=True)
    who_id: Mapped[int] = mapped_column(ForeignKey("who.id"))
    choice: Mapped[str]


def create_app(url: str) -> Flask:
    """Return the application with its tables filled."""
    app = Flask("ceiling")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(model_class=Base)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        Base.metadata.create_all(db.engine)
        if not db.session.get(Who, 1):
            for n in range(1, 1001):
                db.session.add(Who(id=n, name=f"Orang {n}"))
                db.session.add(Lesson(id=n, title=f"Pelajaran {n}", body="Teks pendek. " * 12))
            db.session.commit()

    @app.get("/page")
    def page() -> str:
        n = int(request.args["n"])
        who = db.session.get_one(Who, n)
        lesson = db.session.scalars(select(Lesson).where(Lesson.id == 1001 - n)).one()
        return render_template_string(PAGE, who=who, lesson=lesson)

    @app.post("/write")
    def write() -> dict[str, Any]:
        db.session.connection(execution_options={"suluh_write": True})
        db.session.add(Answer(who_id=int(request.form["n"]), choice="A"))
        db.session.commit()
        return {"saved": True}

    return app


if __name__ == "__main__":
    serve(
        create_app(os.environ["DATABASE_URL"]),
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        threads=THREADS,
        ident="",
    )
