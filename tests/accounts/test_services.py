"""What people do with accounts, on both databases where the database decides."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select

from lms.accounts import rules, services
from lms.accounts.models import KnownDevice, LoginSession, Person, PersonRole
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.ids import hash_token
from lms.core.models import AuditEvent, Throttle
from tests import factories
from tests.races import race

NOW, PASSWORD, MAKER = factories.NOW, factories.PASSWORD, factories.MAKER
HERE = "192.0.2.7"


def enter(
    email: str,
    password: str = PASSWORD,
    *,
    address: str = HERE,
    device_token: str | None = None,
    maker: PasswordHasher = MAKER,
    now: datetime = NOW,
    remember: bool = False,
) -> services.SignedIn:
    proof = services.prove(
        email=email,
        password=password,
        address=address,
        device_token=device_token,
        maker=maker,
        now=now,
    )
    with unit_of_work():
        entry = services.enter(proof, now=now, remember=remember)
    assert isinstance(entry, services.SignedIn)
    return entry


def fail(email: str, times: int = 1, address: str = HERE) -> None:
    for _ in range(times):
        with unit_of_work():
            services.count_failure(email, address, now=NOW)


def create(email: str, **values: object) -> Person:
    wanted = {"name": "Maria Ulfah", "password": PASSWORD, "roles": ["trainee"]}
    return services.create_person(email=email, maker=MAKER, now=NOW, **(wanted | values))


def test_the_real_hash_is_argon2id_at_its_full_cost(app: Flask):
    real = services.hasher(19456, 2)
    stored = real.hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert real.verify(stored, PASSWORD)


@pytest.mark.both
def test_one_address_is_one_person_however_it_is_written(app: Flask):
    factories.person(email="maria@contoh.test")
    with pytest.raises(services.EmailTaken), unit_of_work():
        create("  Maria@Contoh.TEST ")
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.both
def test_two_requests_at_once_make_one_person(bare_app: Flask):
    def make() -> object:
        with unit_of_work():
            return create("maria@contoh.test").id

    results = race(bare_app, [make] * 4)
    assert sum(isinstance(one, int) for one in results) == 1
    assert sum(isinstance(one, services.EmailTaken) for one in results) == 3
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Person)) == 1
        assert db.session.scalar(select(func.count()).select_from(PersonRole)) == 1


def test_a_weak_password_makes_no_account(app: Flask):
    with pytest.raises(rules.WeakPassword), unit_of_work():
        create("maria@contoh.test", password="mariaulfah")
    assert services.is_empty()


def test_an_unknown_role_is_a_mistake_of_ours(app: Flask):
    with pytest.raises(ValueError, match="pemilik"), unit_of_work():
        create("maria@contoh.test", roles=["pemilik"])


@pytest.mark.both
def test_the_same_role_given_twice_at_once_is_given_once(bare_app: Flask):
    with bare_app.app_context():
        someone = factories.person("speaker").id

    def give() -> None:
        with unit_of_work():
            services.add_roles(someone, ["trainer"])

    assert race(bare_app, [give] * 3) == [None] * 3
    with bare_app.app_context():
        assert services.roles_of(someone) == ("speaker", "trainer")


def test_signing_in_begins_a_session_that_names_its_person(app: Flask):
    maria = factories.person("trainee", "speaker", email="maria@contoh.test")
    begun = enter(" MARIA@contoh.test")
    with time_machine.travel(NOW):
        viewer = services.load_viewer(begun.viewer.token)
    assert viewer is not None
    assert (viewer.id, viewer.roles) == (maria.id, {"trainee", "speaker"})
    assert begun.device_token is None
    stored = db.session.scalars(select(LoginSession)).one()
    assert stored.token_hash == hash_token(begun.viewer.token)


def test_nobody_learns_which_of_the_two_was_wrong(app: Flask):
    factories.person(email="maria@contoh.test")
    with pytest.raises(services.WrongCredentials):
        enter("maria@contoh.test", "sawah kuning luas 7")
    with pytest.raises(services.WrongCredentials):
        enter("tidak-ada@contoh.test")


def test_a_closed_account_cannot_sign_in_and_loses_its_sessions(app: Flask):
    admin, maria = factories.person("admin"), factories.person(email="maria@contoh.test")
    token = enter("maria@contoh.test").viewer.token
    with unit_of_work():
        services.set_disabled(maria.public_id, True, actor_id=admin.id, now=NOW)
    with time_machine.travel(NOW):
        assert services.load_viewer(token) is None
    with pytest.raises(services.WrongCredentials):
        enter("maria@contoh.test")
    with unit_of_work():
        services.set_disabled(maria.public_id, False, actor_id=admin.id, now=NOW)
    assert enter("maria@contoh.test")
    with time_machine.travel(NOW):
        assert services.load_viewer(token) is None


def test_a_session_ends_after_twelve_hours_whatever_it_does(app: Flask):
    factories.person(email="maria@contoh.test")
    token = enter("maria@contoh.test").viewer.token
    with time_machine.travel(NOW + rules.SESSION - timedelta(seconds=1), tick=False):
        assert services.load_viewer(token) is not None
    with time_machine.travel(NOW + rules.SESSION, tick=False):
        assert services.load_viewer(token) is None


def test_ending_one_session_leaves_the_others(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    tokens = [enter("maria@contoh.test").viewer.token for _ in range(3)]
    with unit_of_work():
        services.end_session(tokens[0], now=NOW)
    with time_machine.travel(NOW):
        assert [services.load_viewer(token) is None for token in tokens] == [True, False, False]
    with unit_of_work():
        services.end_sessions(maria.id, now=NOW, keep=tokens[2])
    with time_machine.travel(NOW):
        assert [services.load_viewer(token) is None for token in tokens] == [True, True, False]
        assert services.load_viewer("bukan token") is None


@pytest.mark.both
def test_guesses_are_slowed_down_and_forgotten_after_an_hour(app: Flask):
    factories.person(email="maria@contoh.test")
    fail("maria@contoh.test", throttle.FREE)
    assert enter("maria@contoh.test", now=NOW + timedelta(seconds=1))  # and the count starts anew
    fail("maria@contoh.test", throttle.FREE + 3)
    with pytest.raises(throttle.TooSoon) as refused:
        enter("maria@contoh.test", now=NOW + timedelta(seconds=2))
    assert refused.value.seconds == 7
    assert enter("maria@contoh.test", now=NOW + timedelta(seconds=8))
    fail("maria@contoh.test", 30)
    with pytest.raises(throttle.TooSoon) as refused:
        enter("maria@contoh.test")
    assert refused.value.seconds <= throttle.LONGEST.total_seconds() + 1
    assert enter("maria@contoh.test", now=NOW + throttle.FORGET)


def test_a_slow_count_begins_anew_after_an_hour(app: Flask):
    fail("maria@contoh.test", 9)
    with unit_of_work():
        services.count_failure("maria@contoh.test", HERE, now=NOW + throttle.FORGET)
    assert set(db.session.scalars(select(Throttle.failures))) == {1}


def test_guessing_at_one_account_leaves_the_others_alone(app: Flask):
    factories.person(email="maria@contoh.test")
    fail("orang-lain@contoh.test", throttle.FREE + 5)
    assert enter("maria@contoh.test")


def test_a_class_behind_one_address_is_not_shut_out_by_a_few_slips(app: Flask):
    factories.person(email="maria@contoh.test")
    for n in range(throttle.FREE_ADDRESS - 1):
        fail(f"peserta{n}@contoh.test")
    assert enter("maria@contoh.test")
    fail("tebak@contoh.test", 5)
    with pytest.raises(throttle.TooSoon):
        enter("maria@contoh.test")
    assert enter("maria@contoh.test", address="198.51.100.1")


def test_a_device_of_her_own_is_spared_the_delays(app: Flask):
    """Otherwise anybody who knows the address could shut a companion out."""
    factories.person(email="maria@contoh.test")
    known = enter("maria@contoh.test", remember=True).device_token
    assert known
    fail("maria@contoh.test", 20)
    with pytest.raises(throttle.TooSoon):
        enter("maria@contoh.test", remember=True)
    assert enter("maria@contoh.test", device_token=known, remember=True).device_token is None
    other = factories.person(email="yohanes@contoh.test")
    fail(other.email, 20)
    with pytest.raises(throttle.TooSoon):
        enter(other.email, device_token=known)
    assert db.session.scalars(select(KnownDevice.token_hash)).all() == [hash_token(known)]


@pytest.mark.both
def test_failures_at_the_same_moment_are_all_counted(bare_app: Flask):
    def guess() -> None:
        with unit_of_work():
            services.count_failure("maria@contoh.test", HERE, now=NOW)

    assert race(bare_app, [guess] * 4) == [None] * 4
    with bare_app.app_context():
        assert list(db.session.scalars(select(Throttle.failures))) == [4, 4]


def test_a_hash_of_lower_cost_is_renewed_at_the_next_sign_in(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    before = maria.password_hash
    enter("maria@contoh.test", maker=services.hasher(16, 1))
    assert "m=16," in db.session.get_one(Person, maria.id).password_hash
    assert before != db.session.get_one(Person, maria.id).password_hash


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    here, there = (enter("maria@contoh.test").viewer.token for _ in range(2))

    def change(old: str, new: str) -> None:
        proof = services.prove_own(maria.id, old, maker=MAKER, now=NOW)
        with unit_of_work():
            services.change_password(proof, password_hash=MAKER.hash(new), token=here, now=NOW)

    with pytest.raises(services.WrongCredentials):
        change("bukan yang ini", "danau biru tenang 3")
    change(PASSWORD, "danau biru tenang 3")
    with time_machine.travel(NOW):
        assert services.load_viewer(here) is not None
        assert services.load_viewer(there) is None
    assert enter("maria@contoh.test", "danau biru tenang 3")
    with pytest.raises(services.WrongCredentials):
        enter("maria@contoh.test")


def test_changes_of_rights_are_on_record_without_secrets(app: Flask):
    admin, maria = factories.person("admin"), factories.person("trainee", name="Maria")
    with unit_of_work():
        services.set_roles(maria.public_id, {"trainer"}, actor_id=admin.id, now=NOW)
        services.rename(maria.id, "Maria Ulfah, S.Psi.", now=NOW)
    found = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(one.action, one.actor_id, one.subject) for one in found] == [
        ("accounts.set_roles", admin.id, f"person:{maria.id}"),
        ("accounts.rename", maria.id, f"person:{maria.id}"),
    ]
    assert found[0].detail == {"roles": ["trainer"]}
    assert found[1].detail == {}  # no names: the trail outlives the account
    assert services.roles_of(maria.id) == ("trainer",)


def test_the_last_administrator_stays(app: Flask):
    admin = factories.person("admin")
    with pytest.raises(services.LastAdmin), unit_of_work():
        services.set_roles(admin.public_id, {"trainer"}, actor_id=admin.id, now=NOW)
    with pytest.raises(services.LastAdmin), unit_of_work():
        services.set_disabled(admin.public_id, True, actor_id=admin.id, now=NOW)
    assert services.roles_of(admin.id) == ("admin",)


@pytest.mark.both
def test_two_administrators_who_remove_each_other_leave_one(bare_app: Flask):
    with bare_app.app_context():
        ids = [(one.id, one.public_id) for one in (factories.person("admin") for _ in range(2))]

    def remove(actor_id: int, public_id: str) -> Callable[[], None]:
        def task() -> None:
            with unit_of_work():
                services.set_roles(public_id, set(), actor_id=actor_id, now=NOW)
                time.sleep(0.2)  # both have looked before either has committed

        return task

    results = race(bare_app, [remove(ids[0][0], ids[1][1]), remove(ids[1][0], ids[0][1])])
    assert sorted(type(one).__name__ for one in results) == ["LastAdmin", "NoneType"]
    with bare_app.app_context():
        left = db.session.scalars(select(PersonRole.role)).all()
        assert left == ["admin"]


def test_people_are_found_by_part_of_name_or_address_and_by_role(app: Flask):
    factories.person("trainer", name="Rahma 100% Yuliani", email="b@contoh.test")
    factories.person("trainee", name="Maria Ulfah", email="maria@contoh.test")
    factories.person("trainee", "speaker", name="Yohanes", email="c@contoh.test")

    def emails(**filters: object) -> list[str]:
        return [line.email for line in services.list_people(**filters)]

    assert emails() == ["b@contoh.test", "c@contoh.test", "maria@contoh.test"]
    assert emails(search="MARIA") == ["maria@contoh.test"]
    assert emails(search="100%") == ["b@contoh.test"]
    assert emails(search="%") == ["b@contoh.test"]
    assert emails(role="trainee") == ["c@contoh.test", "maria@contoh.test"]
    assert emails(limit=2) == ["b@contoh.test", "c@contoh.test"]
    assert emails(after="c@contoh.test") == ["maria@contoh.test"]
    assert services.list_people()[1].roles == ("speaker", "trainee")


def test_a_person_who_is_not_there_is_not_found(app: Flask):
    for look in (services.get_person, services.get_person_by_id):
        with pytest.raises(NotFound):
            look(0)  # type: ignore[operator]
    assert services.names_of([]) == {}


def test_the_first_administrator_needs_the_code_and_an_empty_house(app: Flask):
    def begin(code: str, **values: object) -> services.SignedIn:
        wanted = {"email": "admin@contoh.test", "name": "Sri", "password_hash": "x"}
        with unit_of_work():
            return services.create_first_admin(
                code=code, address=HERE, now=NOW, **(wanted | values)
            )

    with unit_of_work():
        old = services.new_setup_code(now=NOW)
        code = services.new_setup_code(now=NOW)
    assert services.is_empty()
    for wrong in ("0000-0000-0000-0000", old):
        with pytest.raises(services.WrongCode):
            begin(wrong)
    begun = begin(f" {code} ")
    assert begun.viewer.roles == {"admin"}
    assert begun.device_token
    with pytest.raises(services.AlreadySetUp):
        begin(code)


@pytest.mark.both
def test_one_code_makes_one_administrator(bare_app: Flask):
    with bare_app.app_context(), unit_of_work():
        code = services.new_setup_code(now=NOW)

    def begin(place: int) -> Callable[[], object]:
        def task() -> object:
            with unit_of_work():
                return services.create_first_admin(
                    code=code,
                    email=f"admin{place}@contoh.test",
                    name="Sri",
                    password_hash="x",
                    address=HERE,
                    now=NOW,
                )

        return task

    results = race(bare_app, [begin(place) for place in range(3)])
    assert sum(isinstance(one, services.SignedIn) for one in results) == 1
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Person)) == 1
