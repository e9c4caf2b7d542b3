"""Settings that would be unsafe, or would fail later, are refused at start."""

import dataclasses
from pathlib import Path

import pytest

from lms.config import CONTENT, BadConfig, Config, content_dir, from_environment

KEY = "k" * 32
GOOD = {"database_url": "sqlite:////srv/suluh.db", "secret_key": KEY}
ENVIRON = {"DATABASE_URL": "sqlite:////srv/suluh.db", "SULUH_SECRET_KEY": KEY}


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ({"secret_key": "k" * 31}, "SULUH_SECRET_KEY"),
        ({"zone": "CET"}, "WIB, WITA, WIT"),
        ({"base_url": "ftp://suluh.test"}, "SULUH_BASE_URL"),
        ({"base_url": "suluh.test"}, "SULUH_BASE_URL"),
        ({"base_url": "https://"}, "SULUH_BASE_URL"),
        ({"smtp_url": "mail.test:25"}, "SULUH_SMTP_URL"),
        ({"database_url": ""}, "DATABASE_URL"),
        ({"database_url": "mysql://root@localhost/suluh"}, "DATABASE_URL"),
        ({"database_url": "postgresql+psycopg:///suluh", "demo": True}, "DATABASE_URL"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(setting: dict[str, object], names: str):
    with pytest.raises(BadConfig, match=names):
        Config(**(GOOD | setting))


def test_what_the_refusals_leave_is_accepted():
    """The positive control of the refusals above."""
    found = Config(**GOOD, zone="WIT", base_url="https://suluh.test:8443", smtp_url="smtps://m")
    assert (found.https, found.host) == (True, "suluh.test:8443")
    assert Config(**GOOD, demo=True).demo
    assert not Config(**GOOD).https


def test_https_is_recognised_however_it_is_written():
    assert Config(**GOOD, base_url="HTTPS://suluh.test").https


def test_secrets_are_not_printed():
    shown = repr(Config(**GOOD, smtp_url="smtp://user:rahasia@m"))
    assert KEY not in shown
    assert "rahasia" not in shown


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config(**GOOD).demo = True


def test_every_variable_of_the_environment_is_read(tmp_path: Path):
    found = from_environment(
        ENVIRON
        | {
            "SULUH_BASE_URL": "https://suluh.test/",
            "SULUH_ZONE": "WITA",
            "SULUH_MAIL_FROM": "suluh@dinas.test",
            "SULUH_SMTP_URL": "smtp://localhost",
            "SULUH_CONTENT_DIR": str(tmp_path),
        }
    )
    assert found == Config(
        **GOOD,
        base_url="https://suluh.test",
        zone="WITA",
        mail_from="suluh@dinas.test",
        smtp_url="smtp://localhost",
        content_dir=tmp_path,
    )


def test_an_empty_variable_is_as_good_as_none():
    names = ("SULUH_BASE_URL", "SULUH_ZONE", "SULUH_SMTP_URL", "SULUH_CONTENT_DIR")
    assert from_environment(ENVIRON | dict.fromkeys(names, "")) == Config(**GOOD)
    assert content_dir({}) == CONTENT


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_reached_by_our_driver(scheme: str):
    found = from_environment(ENVIRON | {"DATABASE_URL": f"{scheme}://suluh@db/suluh"})
    assert found.database_url == "postgresql+psycopg://suluh@db/suluh"


def test_a_relative_sqlite_file_lies_where_the_operator_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    found = from_environment(ENVIRON | {"DATABASE_URL": "sqlite:///suluh.db"})
    assert found.database_url == f"sqlite:///{tmp_path}/suluh.db"


def test_what_the_program_sets_wins_over_the_environment():
    found = from_environment(ENVIRON | {"SULUH_ZONE": "WITA"}, zone="WIT", demo=True)
    assert (found.zone, found.demo) == ("WIT", True)


def test_nothing_set_at_all_is_refused():
    with pytest.raises(BadConfig, match="SULUH_SECRET_KEY"):
        from_environment({})


@pytest.mark.parametrize(
    ("variable", "value", "names"),
    [
        ("SULUH_SECOND_FACTOR", "maybe", "required or offered"),
        ("SULUH_STAFF_IDLE_MINUTES", "5", "from 10 to 720"),
        ("SULUH_FILE_DAYS", "6", "from 7 to 365"),
        ("SULUH_FILE_DAYS", "366", "from 7 to 365"),
        ("SULUH_FILE_DAYS", "sebulan", "from 7 to 365"),
        ("SULUH_STAFF_IDLE_MINUTES", "lama", "from 10 to 720"),
        ("SULUH_STAFF_IDLE_MINUTES", "721", "from 10 to 720"),
        ("SULUH_OIDC_ISSUER", "https://id.test", "belong together"),
    ],
)
def test_settings_of_sign_in_that_make_no_sense_are_refused(variable: str, value: str, names: str):
    with pytest.raises(BadConfig, match=names):
        from_environment(ENVIRON | {variable: value})


def test_settings_of_sign_in_are_read():
    bare = from_environment(ENVIRON)
    assert (bare.requires_second_factor, bare.staff_idle_minutes) == (True, 60)
    found = from_environment(
        ENVIRON
        | {
            "SULUH_SECOND_FACTOR": "offered",
            "SULUH_STAFF_IDLE_MINUTES": "10",
            "SULUH_OIDC_ISSUER": "http://127.0.0.1:9000",
            "SULUH_OIDC_CLIENT_ID": "suluh",
            "SULUH_OIDC_CLIENT_SECRET": "rahasia",
            "SULUH_OIDC_NAME": "akun Kota",
        }
    )
    assert (found.requires_second_factor, found.staff_idle_minutes) == (False, 10)
    assert (found.oidc_issuer, found.oidc_client_id) == ("http://127.0.0.1:9000", "suluh")
    assert (found.oidc_client_secret, found.oidc_name) == ("rahasia", "akun Kota")
    assert not from_environment(ENVIRON, demo=True).requires_second_factor
