"""Holes somebody looked for in the work of an office, each as an attack that must not succeed."""

import csv
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import oidc, resets, second_factor, services
from lms.accounts.models import PasswordReset, Person, SecondFactor
from lms.accounts.vault import Vault
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind
from lms.cohorts.services import MayNotAssess
from lms.core import sheets, tables_in
from lms.core.db import db, unit_of_work
from lms.credentials import register, revocations, signatures
from lms.credentials import services as credentials
from lms.credentials.rules import Reason, Status
from lms.privacy import erasure
from tests import factories
from tests.credentials.world import BASE, NOW, World, fulfil

MAKER, VAULT = factories.MAKER, Vault("x" * 40)
SignIn = Callable[[Person], FlaskClient]


# Who may settle what


@pytest.fixture
def issued(app: Flask) -> tuple[str, Person, Person]:
    """Return a certificate, its holder, who became an administrator, and another administrator."""
    world = World()
    fulfil(world.trainee, "K1")
    code = world.issue().code
    with unit_of_work():
        services.add_roles(world.trainee.id, ["admin"])
    return code, world.trainee, factories.person("admin", name="Ayu")


def ask(code: str, by: Person) -> None:
    with unit_of_work():
        revocations.request_revocation(
            code, reason_public=Reason.ERROR, reason_internal="", by_id=by.id, now=NOW
        )


def test_nobody_settles_the_revocation_of_their_own_certificate(
    issued: tuple[str, Person, Person],
):
    code, holder, other = issued
    ask(code, other)
    with pytest.raises(revocations.SamePerson), unit_of_work():
        revocations.decline_revocation(code, note="", by_id=holder.id, now=NOW)
    with pytest.raises(revocations.SamePerson), unit_of_work():
        revocations.confirm_revocation(code, by_id=holder.id, now=NOW)
    third = factories.person("admin", name="Bela")
    with unit_of_work():
        revocations.confirm_revocation(code, by_id=third.id, now=NOW)
    assert register.get_entry(code, NOW).status is Status.REVOKED


def test_a_holder_takes_back_what_they_asked_themselves(issued: tuple[str, Person, Person]):
    code, holder, _other = issued
    ask(code, holder)
    with unit_of_work():
        revocations.decline_revocation(code, note="", by_id=holder.id, now=NOW)
    assert register.get_entry(code, NOW).status is Status.VALID


def test_who_may_not_assess_somebody_does_not_lift_what_put_them_off(app: Flask):
    world = World()
    where, whom = world.cohort.id, world.trainee.id
    trainer, assessor = world.trainer.id, world.assessor.id
    with unit_of_work():
        signatures.put_off(
            whom, "K1", cohort_id=where, by_id=trainer, reason="r", todo="t", now=NOW
        )
    with unit_of_work():
        cohorts.declare_conflict(
            assessor, whom, ConflictKind.RELATIVE, declared_by=trainer, now=NOW
        )
    with pytest.raises(MayNotAssess), unit_of_work():
        signatures.lift(whom, "K1", cohort_id=where, by_id=assessor, now=NOW)
    with unit_of_work():
        signatures.lift(whom, "K1", cohort_id=where, by_id=trainer, now=NOW)


def test_the_page_says_who_may_not_lift(app: Flask, sign_in: SignIn):
    world = World()
    address = f"/angkatan/melati/pleno/{world.trainee.public_id}/K1/lanjutkan"
    with unit_of_work():
        cohorts.declare_conflict(
            world.assessor.id,
            world.trainee.id,
            ConflictKind.RELATIVE,
            declared_by=world.trainer.id,
            now=NOW,
        )
    assert sign_in(world.assessor).post(address).status_code == 302


def test_nothing_is_issued_to_an_account_that_is_deleted(app: Flask):
    world = World()
    fulfil(world.trainee, "K1")
    decision = world.decided()
    with unit_of_work():
        erasure.erase(world.trainee.id, now=NOW)
    with pytest.raises(credentials.NotDecided), unit_of_work():
        credentials.issue(decision, by_id=world.trainer.id, now=NOW, base_url=BASE, sample=False)


# Ways into accounts


def printed_code(owner: Person, by: Person, *, is_admin: bool) -> resets.Opening:
    with unit_of_work():
        made = resets.print_code(owner.id, actor_id=by.id, is_admin=is_admin, vault=VAULT, now=NOW)
    return resets.look_up_code(owner.email, made.code, address="192.0.2.7", vault=VAULT, now=NOW)


def test_a_trainers_code_does_not_open_what_became_an_office_account(app: Flask):
    owner, trainer = factories.person("trainee"), factories.person("trainer")
    opening = printed_code(owner, trainer, is_admin=False)
    with unit_of_work():
        services.add_roles(owner.id, ["admin"])
    with pytest.raises(resets.KeyGone), unit_of_work():
        resets.set_new_password(opening, MAKER.hash("danau biru tenang 3"), now=NOW)


@pytest.mark.parametrize(("maker", "is_admin"), [("trainer", False), ("admin", True)])
def test_a_code_opens_the_account_it_was_printed_for(app: Flask, maker: str, is_admin: bool):
    owner, by = factories.person("trainee"), factories.person(maker)
    opening = printed_code(owner, by, is_admin=is_admin)
    if is_admin:
        with unit_of_work():
            services.add_roles(owner.id, ["trainer"])
    with unit_of_work():
        resets.set_new_password(opening, MAKER.hash("danau biru tenang 3"), now=NOW)


@pytest.fixture
def guarded(app: Flask) -> Person:
    """Return an administrator with a second factor."""
    import pyotp

    someone, now = factories.person("admin"), datetime.now(UTC)
    with unit_of_work():
        second_factor.begin(someone.id, vault=VAULT, now=now)
    secret = second_factor.waiting_secret(someone.id, vault=VAULT, now=now)
    assert secret
    with unit_of_work():
        second_factor.enrol(someone.id, pyotp.TOTP(secret).at(now), token="", vault=VAULT, now=now)
    return someone


def test_an_open_browser_is_not_enough_to_take_an_administrators_account(
    guarded: Person, sign_in: SignIn
):
    browser = sign_in(guarded)
    for way in ("kedua/lepas", "kode"):
        assert browser.post(f"/admin/orang/{guarded.public_id}/{way}").status_code == 302
    db.session.expire_all()
    assert db.session.scalar(select(SecondFactor.since)) is not None
    assert db.session.scalar(select(PasswordReset.id)) is None


def test_an_administrator_helps_another_one(guarded: Person, sign_in: SignIn):
    browser = sign_in(factories.person("admin", name="Ayu"))
    assert browser.post(f"/admin/orang/{guarded.public_id}/kode").status_code == 200
    browser.post(f"/admin/orang/{guarded.public_id}/kedua/lepas")
    db.session.expire_all()
    assert db.session.scalar(select(SecondFactor.since)) is None


def test_a_provider_that_is_down_holds_up_one_request_only(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def down(url: str) -> dict[str, Any]:
        asked.append(url)
        raise oidc.Trouble("down")

    monkeypatch.setattr(oidc, "_get", down)
    clock = [1000.0]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: clock[0])
    provider = oidc.Provider("https://lembaga.test", "id", "secret")
    for _try in range(5):
        with pytest.raises(oidc.Trouble):
            provider.ask("https://suluh.test/kembali")
    assert len(asked) == 1
    clock[0] += oidc.PAUSE
    with pytest.raises(oidc.Trouble):
        provider.ask("https://suluh.test/kembali")
    assert len(asked) == 2


# What is typed, sent and handed out


ATTACKS = ["Siti,=1+1", 'Siti, =HYPERLINK("http://jahat.test")', "Siti\n=1+1", "Siti\t@SUM(1)"]


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_no_cell_is_a_formula_whichever_separator_a_spreadsheet_takes(name: str, separator: str):
    text = "".join(sheets.csv_pieces(["Nama", "E-mail"], [["A", name], [name, "B"]]))
    rows = csv.reader(StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator)
    cells = [cell.strip() for row in rows for cell in row]
    assert len(cells) >= 3
    assert not [cell for cell in cells if cell.startswith(sheets.FORMULA)]
    assert [cell for cell in cells if "Siti" in cell], "the control: the name is there"


def test_what_is_no_formula_stays_as_it_was():
    rows = [["Jl. Melati 3, Kupang", "a-b", "1 + 1", "x@contoh.test"]]
    assert "Jl. Melati 3, Kupang;a-b;1 + 1;x@contoh.test" in "".join(
        sheets.csv_pieces(["a", "b", "c", "d"], rows)
    )


def test_who_reads_a_foreign_workbook_knows_no_secret(monkeypatch: pytest.MonkeyPatch):
    seen: list[dict[str, str]] = []
    run = subprocess.run

    def spy(command: Any, **values: Any) -> Any:
        seen.append(values["env"])
        return run(command, **values)

    monkeypatch.setenv("SULUH_SECRET_KEY", "rahasia")
    monkeypatch.setattr(tables_in.subprocess, "run", spy)
    with pytest.raises(tables_in.BadSheet):
        tables_in.read(b"PK\x03\x04 nothing", name="x.xlsx")
    assert seen
    assert not [key for key in seen[0] if key.startswith("SULUH_")]


@pytest.mark.both
@pytest.mark.parametrize("number", [2**31, 2**63, 10**40])
def test_a_number_too_large_for_any_row_is_an_address_that_leads_nowhere(
    app: Flask, sign_in: SignIn, number: int
):
    world = World()
    admin = sign_in(factories.person("admin"))
    trainee = sign_in(world.trainee)
    for browser, address in (
        (admin, f"/admin/angkatan/melati/jadwal/{number}"),
        (trainee, f"/modul/P/{number}"),
        (sign_in(world.trainer), f"/angkatan/melati/penerbitan/x/berkas/{number}"),
    ):
        assert browser.get(address).status_code == 404, address
