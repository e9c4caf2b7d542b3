"""The operator's command line: clear words, honest exit codes."""

import json
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import current_app
from sqlalchemy import select

from lms import cli, door, server
from lms.accounts import services as accounts
from lms.app import create_app
from lms.config import CONTENT
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.models import ContentRelease, Mail
from tests import factories
from tests.accounts.test_second_factor import enrolled
from tests.factories import NOW

Run = Callable[..., Result]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder, with no setting but the ones given."""
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("SULUH_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # migrations run in a process of their own

    def call(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(cli.main, arguments, env=environ)

    return call


@pytest.fixture
def installed(run: Run, tmp_path: Path, sqlite_home) -> Run:
    """The same with a database that is migrated and loaded."""
    (tmp_path / "instance").mkdir()
    shutil.copy(sqlite_home.template, tmp_path / "instance" / "suluh.sqlite3")
    return run


@pytest.fixture
def port() -> Iterator[int]:
    """A port somebody else listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def query(statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect("instance/suluh.sqlite3")
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


# --- Content


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = shutil.copytree(CONTENT, tmp_path / "bahan")
    path = folder / "directory.yaml"
    path.write_text("warna: merah\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_good_content_is_counted(run: Run):
    done = run("content", "check")
    assert done.exit_code == 0
    assert done.output.startswith("0 problems. ")
    assert " lessons" in done.output
    assert " holes" in done.output
    assert not Path("instance").exists()  # a check needs no installation


def test_broken_content_is_named_and_the_exit_code_says_so(run: Run, broken: Path):
    done = run("content", "check", "--dir", str(broken))
    assert done.exit_code == 1
    assert f"{broken}/directory.yaml:1: warna: " in done.output
    assert "1 problems. " in done.output


def test_a_program_reads_the_same_as_json(run: Run, broken: Path):
    good = json.loads(run("content", "check", "--json").output)
    assert good["problems"] == []
    assert all(good["counts"][name] for name in good["counts"] if name != "exercises")
    assert good["curricula"]["K1"]["lessons_online"] == 10
    assert good["curricula"]["K1"]["items_per_kuk"]["03.1.1"] == 6
    assert not [hole for hole in good["holes"] if hole["critical"]]
    done = run("content", "check", "--json", SULUH_CONTENT_DIR=str(broken))
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert found["counts"] == good["counts"]
    (problem,) = found["problems"]
    assert (problem["file"], problem["line"]) == (f"{broken}/directory.yaml", 1)
    assert "warna" in problem["message"]


def test_content_is_loaded_once_and_by_force_again(installed: Run):
    query("DELETE FROM content_release")
    done = installed("content", "load")
    assert done.exit_code == 0
    assert json.loads(done.output)["lessons"]["total"] > 0
    assert installed("content", "load").output == "Nothing changed since the last load.\n"
    assert query("SELECT count(*) FROM content_release") == [(1,)]
    assert json.loads(installed("content", "load", "--force").output)["lessons"]["total"] > 0
    assert query("SELECT count(*) FROM content_release") == [(2,)]


def test_broken_content_is_not_loaded(installed: Run, broken: Path):
    done = installed("content", "load", SULUH_CONTENT_DIR=str(broken))
    assert done.exit_code == 1
    assert "nothing was loaded" in done.output
    assert f"{broken}/directory.yaml:1: warna: " in done.output
    assert query("SELECT count(*) FROM content_release") == [(1,)]


# --- Database


def test_the_tables_are_made_checked_and_differences_named(run: Run):
    done = run("db", "upgrade")
    assert (done.exit_code, done.output) == (0, "The tables are up to date.\n")
    done = run("db", "check")
    assert (done.exit_code, done.output) == (0, "The tables are as the models say.\n")
    query("CREATE TABLE stray (id INTEGER)")
    done = run("db", "check")
    assert done.exit_code == 1
    assert "stray" in done.output
    assert run("db", "upgrade").exit_code == 0


@pytest.mark.parametrize("command", [("content", "load"), ("mail", "send")])
def test_without_tables_the_operator_is_told_which_command_makes_them(
    run: Run, command: tuple[str, str]
):
    done = run(*command, SULUH_SMTP_URL="smtp://127.0.0.1:1")
    assert done.exit_code == 1
    assert "run `./run cli db upgrade`" in done.output


def test_a_setting_that_makes_no_sense_ends_every_command(run: Run):
    for command in ("db upgrade", "db check", "content load", "mail send", "serve"):
        done = run(*command.split(), SULUH_ZONE="CET")
        assert done.exit_code == 1
        assert "Error: SULUH_ZONE must be one of WIB, WITA, WIT" in done.output


def test_a_database_that_does_not_answer_is_a_sentence(run: Run):
    done = run("db", "upgrade", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert done.exit_code == 1
    assert "Error: the database does not answer" in done.output


def test_a_missing_driver_is_named(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    done = run("db", "upgrade", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert done.exit_code == 1
    assert "PostgreSQL needs its driver" in done.output


def test_another_missing_module_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_values: object) -> None:
        raise ModuleNotFoundError(name="numpy")

    monkeypatch.setattr(server, "instance_config", broken)
    assert isinstance(run("db", "check").exception, ModuleNotFoundError)


def test_a_forgotten_password_is_renewed_and_ends_every_session(installed: Run):
    done = run_people(installed, "nobody@contoh.test")
    assert done.exit_code == 1
    assert "nobody signs in with nobody@contoh.test" in done.output
    config = server.instance_config(os.environ, cli.INSTANCE, database="suluh.sqlite3")
    app = create_app(config)
    with app.app_context():
        someone = factories.person(email="rahma@contoh.test")
        public_id = someone.public_id
        with unit_of_work():
            token = accounts.begin_session(db.session.merge(someone), now=clock.now()).token
        db.session.remove()
        done = run_people(installed, "Rahma@contoh.test")
        fresh = done.output.split("New password: ")[1].split()[0]
        assert accounts.load_viewer(token) is None
        proof = accounts.prove(
            email="rahma@contoh.test",
            password=fresh,
            address="",
            device_token=None,
            maker=factories.MAKER,
            now=clock.now(),
        )
        assert accounts.get_person(public_id).id == proof.person_id
        db.session.remove()
        db.engine.dispose()


def test_the_operator_takes_a_lost_second_factor_away(installed: Run):
    config = server.instance_config(os.environ, cli.INSTANCE, database="suluh.sqlite3")
    app, address = create_app(config), "sri@contoh.test"
    assert "nobody signs in" in run_people(installed, address, "remove-second-factor").output
    with app.app_context():
        sri = factories.person("admin", email=address).id
        assert (
            "has no second factor" in run_people(installed, address, "remove-second-factor").output
        )
        enrolled(accounts.get_person_by_id(sri))
        assert accounts.has_second_factor(sri)
        db.session.rollback()
        assert run_people(installed, address, "remove-second-factor").exit_code == 0
        db.session.rollback()
        assert not accounts.has_second_factor(sri)
        db.session.remove()
        db.engine.dispose()


def run_people(run: Run, email: str, command: str = "renew-password") -> Result:
    return run("people", command, email)


# --- Mail


def test_mail_needs_a_server(installed: Run):
    done = installed("mail", "send")
    assert done.exit_code == 1
    assert "set SULUH_SMTP_URL" in done.output


def test_what_is_due_is_tried(installed: Run):
    assert installed("mail", "send", SULUH_SMTP_URL="smtp://127.0.0.1:1").output == "0 sent.\n"
    values = f"'a@contoh.test', 'Halo', 'Isi', '{NOW:%Y-%m-%d}', '{NOW:%Y-%m-%d}', 0"
    query(f'INSERT INTO mail ("to", subject, body, created_at, due_at, tries) VALUES ({values})')  # noqa: S608
    assert installed("mail", "send", SULUH_SMTP_URL="smtp://127.0.0.1:1").output == "0 sent.\n"
    ((tries, error),) = query(f"SELECT tries, last_error FROM {Mail.__tablename__}")  # noqa: S608
    assert tries == 1
    assert "ConnectionRefusedError" in str(error)


# --- Serve: what is refused before anything is served


def test_plain_http_beyond_this_machine_is_refused(run: Run):
    done = run("serve", "--host", "0.0.0.0")  # noqa: S104
    assert done.exit_code == 1
    assert "lets others on the network read passwords" in done.output
    assert "--insecure-lan" in done.output
    assert not Path("instance/suluh.sqlite3").exists()


def test_a_closed_network_may_be_served_with_a_warning(run: Run, port: int):
    done = run("serve", "--host", "0.0.0.0", "--port", str(port), "--insecure-lan")  # noqa: S104
    assert "Warning: plain http. Everybody on this network can read what is sent." in done.output
    assert "cannot listen" in done.output  # it got as far as that


def test_behind_tls_any_address_is_served_without_a_word(run: Run, port: int):
    options = ("--host", "0.0.0.0", "--port", str(port))  # noqa: S104
    done = run("serve", *options, SULUH_BASE_URL="https://suluh.test")
    assert "plain http" not in done.output
    assert "cannot listen" in done.output


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_that_is_taken_is_named_and_nothing_is_touched(run: Run, port: int, command: str):
    done = run(command, "--port", str(port))
    assert done.exit_code == 1
    assert f"Error: cannot listen on 127.0.0.1:{port}: Address already in use" in done.output
    assert "Traceback" not in done.output
    assert not list(Path("instance").glob("*.sqlite3"))


@pytest.mark.parametrize("options", [("--port", "0"), ("--port", "65536"), ("--workers", "0")])
def test_numbers_that_make_no_sense_are_refused(run: Run, options: tuple[str, str]):
    done = run("serve", *options)
    assert done.exit_code == 2
    assert options[0] in done.output


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def test_broken_content_is_not_served(installed: Run, broken: Path):
    done = installed("serve", "--port", free_port(), SULUH_CONTENT_DIR=str(broken))
    assert done.exit_code == 1
    assert f"{broken}/directory.yaml:1: warna: " in done.output
    assert "the content has problems; nothing was loaded" in done.output


def test_changed_tables_are_not_served(installed: Run):
    query("CREATE TABLE stray (id INTEGER)")
    done = installed("serve", "--port", free_port())
    assert done.exit_code == 1
    assert "the tables differ from what the last migration made" in done.output


def test_an_ipv6_address_is_written_with_brackets():
    assert door.address("::1", 8000) == "http://[::1]:8000"
    assert door.address("localhost", 8000) == "http://localhost:8000"


# --- Demo


def test_the_demonstration_stays_on_this_machine_and_in_its_own_file(run: Run):
    beyond = run("demo", "--host", "0.0.0.0")  # noqa: S104
    assert (beyond.exit_code, "this machine only" in beyond.output) == (1, True)
    other = run("demo", DATABASE_URL="sqlite:////srv/suluh.db")
    assert (other.exit_code, "unset DATABASE_URL" in other.output) == (1, True)
    assert not Path("instance").exists()


def test_the_demonstration_is_made_anew_and_leaves_the_installation_alone(
    installed: Run, monkeypatch: pytest.MonkeyPatch
):
    """The city itself has tests of its own."""
    account = {"role": "admin", "email": "a@contoh.test", "password": "acak-sekali"}

    def build(base: str, folder: Path, *, now: datetime) -> dict[str, object]:
        assert db.session.scalars(select(ContentRelease)).one().loaded_at <= now
        assert current_app.extensions["suluh"].demo
        return {"url": base, "accounts": [account], "certificates": []}

    monkeypatch.setattr("lms.demo.build", build)
    before = Path("instance/suluh.sqlite3").read_bytes()
    Path("instance/demo.sqlite3").write_text("dari kemarin", encoding="utf-8")
    done = installed("demo", "--build-only")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Kota Contoh: http://127.0.0.1:8000\n")
    assert "a@contoh.test" in done.output
    assert "acak-sekali" in done.output
    made = json.loads(Path("instance/demo.json").read_text(encoding="utf-8"))
    assert (made["url"], made["accounts"]) == ("http://127.0.0.1:8000", [account])
    assert Path("instance/suluh.sqlite3").read_bytes() == before


def test_an_article_is_marked_listed_and_taken_back(installed: Run, tmp_path: Path):
    article = "UU 23/2004 ps 16"
    mark = ("content", "law", "supersede", article, "--since", "2026-01-02", "--reason")
    assert "0 marked" in installed("content", "law", "list").output
    delta = tmp_path / "bacaan.md"
    delta.write_text("# Yang berubah\n\nKini lain.\n", encoding="utf-8")
    done = installed(*mark, "Diganti.", "--replaced-by", "UU 1/2027 ps 5", "--delta", str(delta))
    assert done.exit_code == 0, done.output
    listed = installed("content", "law", "list").output
    assert f"{article}: superseded since 2026-01-02. Diganti." in listed
    assert "1 marked" in listed
    with sqlite3.connect(tmp_path / "instance" / "suluh.sqlite3") as database:
        [row] = database.execute("SELECT delta_title, delta_html, actor_id FROM law_mark")
    assert row == ("Yang berubah", "<p>Kini lain.</p>\n", None)
    back = ("content", "law", "reinstate", article, "--reason", "Keliru.")
    assert installed(*back).exit_code == 0
    again = installed(*back)
    assert again.exit_code == 1
    assert f"{article} is not marked" in again.output
    assert "0 marked" in installed("content", "law", "list").output


def test_a_mark_that_cannot_be_made_is_a_sentence(installed: Run, tmp_path: Path):
    mark = ("content", "law", "supersede")
    day = ("--since", "2026-01-02", "--reason")
    unknown = installed(*mark, "UU 23/2004 ps 999", *day, "x")
    assert (unknown.exit_code, "content/laws.yaml has no UU 23/2004 ps 999" in unknown.output) == (
        1, True,
    )  # fmt: skip
    late = installed(*mark, "UU 23/2004 ps 16", "--since", "2999-01-01", "--reason", "x")
    assert "2999-01-01 lies ahead" in late.output
    assert "--reason has 1 to 500 letters" in installed(*mark, "UU 23/2004 ps 16", *day, " ").output
    assert (
        installed(*mark, "UU 23/2004 ps 16", "--since", "kemarin", "--reason", "x").exit_code == 2
    )
    long = tmp_path / "panjang.md"
    for text in ("# Judul\n" + "kata " * 301, "\nIsi.", "# Judul saja"):
        long.write_text(text, encoding="utf-8")
        refused = installed(*mark, "UU 23/2004 ps 16", *day, "x", "--delta", str(long))
        assert refused.exit_code == 1
        assert "then 1 to 300 words" in refused.output
    unknown = installed("content", "law", "reinstate", "UU 0/2004 ps 1", "--reason", "x")
    assert "content/laws.yaml has no" in unknown.output
    assert "0 marked" in installed("content", "law", "list").output
