"""Organisations, classes, seats, staff, conflicts: on both databases where one of them decides."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import invitations, organisations, services
from lms.cohorts.models import (
    CohortStaff,
    Conflict,
    ConflictKind,
    Enrolment,
    Membership,
    OrganisationKind,
    Part,
)
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent
from tests import factories
from tests.races import race

NOW = factories.NOW


def viewer(person: Person) -> Viewer:
    roles = frozenset(accounts.roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, "id", "token")


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


@pytest.mark.both
def test_an_organisation_has_a_name_of_its_own(app: Flask):
    factories.organisation("Puskesmas Melati")
    with pytest.raises(services.NameTaken), unit_of_work():
        organisations.create_organisation(
            name="Puskesmas Melati",
            kind=OrganisationKind.PUSKESMAS,
            city="Lain",
            actor_id=None,
            now=NOW,
        )
    other = factories.organisation("Puskesmas Mawar").public_id
    with pytest.raises(services.NameTaken), unit_of_work():
        correct(other, "Puskesmas Melati")
    with unit_of_work():
        correct(other, "Puskesmas Kenanga", OrganisationKind.HOSPITAL)
    found = organisations.get_organisation(other)
    assert (found.name, found.kind) == ("Puskesmas Kenanga", OrganisationKind.HOSPITAL)
    assert [one.name for one in organisations.list_organisations()] == [
        "Puskesmas Kenanga",
        "Puskesmas Melati",
    ]


def correct(public_id: str, name: str, kind: OrganisationKind = OrganisationKind.PUSKESMAS) -> None:
    organisations.update_organisation(
        public_id, name=name, kind=kind, city="Kota Contoh", actor_id=None, now=NOW
    )


@pytest.mark.both
def test_an_organisation_is_counted_with_its_people_and_officers(app: Flask):
    one, empty = factories.organisation("A"), factories.organisation("B")
    admin, officer = factories.person("admin"), factories.person("trainee")
    where = factories.cohort()
    for _ in range(2):
        factories.seat(factories.person(), where, one)
    with unit_of_work():
        organisations.appoint_officer(
            one.id, officer.email, vouching=factories.WORD, actor_id=admin.id, now=NOW
        )
    listed, total = organisations.list_organisation_lines()
    assert total == len(listed)
    lines = {line.public_id: line for line in listed}
    assert (lines[one.public_id].people, lines[one.public_id].officers) == (2, 1)
    assert (lines[empty.public_id].people, lines[empty.public_id].officers) == (0, 0)


@pytest.mark.both
def test_a_class_has_an_address_of_its_own(app: Flask):
    factories.cohort(slug="kota-contoh-1")
    with pytest.raises(services.NameTaken):
        factories.cohort(slug="kota-contoh-1")
    assert [line.slug for line in services.list_cohort_lines()] == ["kota-contoh-1"]


def test_classes_are_listed_newest_first_with_their_seats(app: Flask):
    old = factories.cohort(slug="lama", starts_on=date(2025, 5, 1))
    factories.cohort(slug="baru-sekali", starts_on=date(2026, 5, 1))
    for _ in range(3):
        factories.seat(factories.person(), old)
    lines = services.list_cohort_lines()
    assert [(line.slug, line.seats) for line in lines] == [("baru-sekali", 0), ("lama", 3)]


def test_the_basic_data_of_a_class_change_and_its_address_does_not(app: Flask):
    admin, cohort = factories.person("admin"), factories.cohort(slug="kota-contoh-1")
    host = factories.organisation()
    with unit_of_work():
        services.update_cohort(
            services.get_cohort("kota-contoh-1", viewer(admin)),
            services.ClassData(
                title="Angkatan Dua",
                city="Kota Lain",
                place="Balai",
                zone="WIT",
                host_id=host.id,
                starts_on=date(2026, 4, 1),
                ends_on=date(2026, 4, 2),
                letterhead=["Satu"],
                signatory_title="Camat",
                signatory_name="Nama Lain",
                signatory_number="1",
            ),
            actor_id=admin.id,
            now=NOW,
        )
    found = services.get_cohort_by_id(cohort.id)
    assert (found.slug, found.title, found.zone, found.letterhead) == (
        "kota-contoh-1", "Angkatan Dua", "WIT", ["Satu"],
    )  # fmt: skip
    assert (found.host_id, found.starts_on) == (host.id, date(2026, 4, 1))
    assert actions()[-1] == "cohorts.update"
    with pytest.raises(NotFound):
        services.get_cohort_by_id(10_000)


@pytest.mark.both
def test_a_seat_is_taken_once_however_often_it_is_given(bare_app: Flask):
    with bare_app.app_context():
        someone, cohort = factories.person().id, factories.cohort().id
        sender = factories.organisation().id

    def sit() -> None:
        with unit_of_work():
            services.enrol(someone, cohort, sender, now=NOW)

    assert race(bare_app, [sit] * 4) == [None] * 4
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Enrolment)) == 1
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 1
        assert [seat.organisation_id for seat in services.list_seats(cohort)] == [sender]


def test_a_seat_needs_a_class_that_exists(app: Flask):
    someone, sender = factories.person(), factories.organisation()
    with pytest.raises(NotFound), unit_of_work():
        services.enrol(someone.id, 999, sender.id, now=NOW)


def test_staff_is_appointed_by_address_with_the_role_it_needs(app: Flask):
    admin, cohort = factories.person("admin"), factories.cohort()
    someone = factories.person("trainee", email="rahma@contoh.test")
    with unit_of_work():
        services.appoint_staff(
            cohort.id, " Rahma@contoh.test", Part.TRAINER, actor_id=admin.id, now=NOW
        )
    assert [(one.person_id, one.part) for one in services.list_staff(cohort.id)] == [
        (someone.id, Part.TRAINER)
    ]
    assert accounts.roles_of(someone.id) == ("trainee", "trainer")
    assert services.get_cohort(cohort.slug, viewer(someone), Part.TRAINER)
    with pytest.raises(services.NoAccount), unit_of_work():
        services.appoint_staff(
            cohort.id, "tidak@contoh.test", Part.TRAINER, actor_id=admin.id, now=NOW
        )


def test_a_part_that_ends_closes_the_class(app: Flask):
    admin, cohort = factories.person("admin"), factories.cohort()
    trainer = factories.person("trainer", "speaker")
    for part in (Part.TRAINER, Part.SPEAKER):
        factories.staff(trainer, cohort, part)
    with unit_of_work():
        services.list_sessions(cohort.id)[0].speaker_id = trainer.id
    assert len(services.list_talks(trainer.id, now=NOW)) == 1

    def dismiss(part: Part) -> None:
        with unit_of_work():
            services.dismiss_staff(cohort.id, trainer.public_id, part, actor_id=admin.id, now=NOW)

    dismiss(Part.SPEAKER)
    assert services.list_talks(trainer.id, now=NOW) == []
    assert services.get_cohort(cohort.slug, viewer(trainer))
    dismiss(Part.TRAINER)
    with pytest.raises(NotFound):
        services.get_cohort(cohort.slug, viewer(trainer))
    with pytest.raises(NotFound):
        dismiss(Part.TRAINER)
    assert actions()[-2:] == ["cohorts.dismiss", "cohorts.dismiss"]


@pytest.mark.both
def test_staff_and_officers_appointed_twice_at_once_are_appointed_once(bare_app: Flask):
    with bare_app.app_context():
        admin, cohort = factories.person("admin").id, factories.cohort().id
        house, email = factories.organisation().id, factories.person("speaker").email

    def appoint() -> None:
        with unit_of_work():
            services.appoint_staff(cohort, email, Part.ASSESSOR, actor_id=admin, now=NOW)
            organisations.appoint_officer(
                house, email, vouching=factories.WORD, actor_id=admin, now=NOW
            )

    assert race(bare_app, [appoint] * 3) == [None] * 3
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(CohortStaff)) == 1
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 1


def test_an_officer_asks_in_the_name_of_one_organisation_until_dismissed(app: Flask):
    admin, house = factories.person("admin"), factories.organisation()
    officer = factories.person("speaker")
    with unit_of_work():
        organisations.appoint_officer(
            house.id, officer.email, vouching=factories.WORD, actor_id=admin.id, now=NOW
        )
    assert [one.id for one in organisations.organisations_of(officer.id, Part.OFFICER)] == [
        house.id
    ]
    assert "agency" in accounts.roles_of(officer.id)
    assert [one.name for one in organisations.list_officers(house.id)] == [officer.name]
    assert organisations.members_of(house.id) == []

    def dismiss() -> None:
        with unit_of_work():
            organisations.dismiss_officer(house.id, officer.public_id, actor_id=admin.id, now=NOW)

    dismiss()
    assert organisations.list_officers(house.id) == []
    with pytest.raises(NotFound):
        dismiss()
    with pytest.raises(services.NoAccount), unit_of_work():
        organisations.appoint_officer(
            house.id, "tidak@contoh.test", vouching=factories.WORD, actor_id=admin.id, now=NOW
        )


@pytest.mark.both
def test_a_conflict_said_twice_is_said_once(bare_app: Flask):
    with bare_app.app_context():
        admin, judge, companion = (factories.person("assessor").id for _ in range(3))

    def declare() -> None:
        with unit_of_work():
            services.declare_conflict(
                judge, companion, ConflictKind.RELATIVE, declared_by=admin, now=NOW
            )

    assert race(bare_app, [declare] * 3) == [None] * 3
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Conflict)) == 1
        assert actions() == ["cohorts.conflict"]


def test_nobody_assesses_herself_or_somebody_near(app: Flask):
    admin, judge, companion = (factories.person("assessor") for _ in range(3))
    other, cohort = factories.person(), factories.cohort()
    factories.seat(companion, cohort)
    services.check_may_assess(judge.id, companion.id)
    with pytest.raises(services.MayNotAssess):
        services.check_may_assess(judge.id, judge.id)
    for kind in ConflictKind:
        with unit_of_work():
            services.declare_conflict(judge.id, companion.id, kind, declared_by=admin.id, now=NOW)
        with pytest.raises(services.MayNotAssess):
            services.check_may_assess(judge.id, companion.id)
        services.check_may_assess(judge.id, other.id)
        assert services.conflicted_people(judge.id) == {judge.id, companion.id}
        assert [line.kind for line in services.list_conflicts(cohort.id)] == [kind]
        with unit_of_work():
            services.withdraw_conflict(judge.id, companion.id, kind, actor_id=admin.id, now=NOW)
        services.check_may_assess(judge.id, companion.id)
    with pytest.raises(NotFound), unit_of_work():
        services.withdraw_conflict(
            judge.id, companion.id, ConflictKind.RELATIVE, actor_id=admin.id, now=NOW
        )


def test_people_see_the_classes_they_work_in(app: Flask):
    own, foreign = factories.cohort(), factories.cohort()
    trainer, judge, admin = (factories.person(role) for role in ("trainer", "assessor", "admin"))
    factories.staff(trainer, own)
    factories.staff(judge, own, Part.ASSESSOR)
    companion = factories.person()
    factories.seat(companion, own)
    factories.seat(factories.person(), foreign)
    assert [one.id for one in services.list_cohorts(viewer(trainer))] == [own.id]
    assert {one.id for one in services.list_cohorts(viewer(admin))} == {own.id, foreign.id}
    with pytest.raises(NotFound):
        services.get_cohort(foreign.slug, viewer(trainer))
    with pytest.raises(NotFound):
        services.get_cohort(own.slug, viewer(judge), Part.TRAINER)
    with pytest.raises(NotFound):
        services.get_cohort(own.slug, viewer(admin), Part.TRAINER)
    assert services.get_cohort_to_invite(foreign.slug, viewer(admin)).id == foreign.id
    assert services.get_cohort_to_invite(own.slug, viewer(trainer)).id == own.id
    for person in (judge, companion):
        with pytest.raises(NotFound):
            services.get_cohort_to_invite(own.slug, viewer(person))
    assert services.people_in_scope(viewer(trainer)) == [companion.id]
    assert services.people_in_scope(viewer(trainer), Part.ASSESSOR) == []
    assert services.find_cohort_of(companion.id).id == own.id
    assert services.find_cohort_of(trainer.id) is None
    assert services.find_zone_of(companion.id) == own.zone
    assert services.find_zone_of(trainer.id) is None
    assert services.get_seat(own.id, companion.public_id).name == companion.name
    with pytest.raises(NotFound):
        services.get_seat(foreign.id, companion.public_id)


def test_a_lesson_is_found_in_the_newest_class(app: Flask):
    companion = factories.person()
    for start in (date(2025, 3, 1), date(2026, 3, 20)):
        factories.seat(companion, factories.cohort(starts_on=start))
    met = services.find_lesson_session(companion.id, "K1.T")
    assert met is not None
    assert (met.on, met.half, met.jp) == (date(2026, 3, 20), "am", 2)
    assert services.find_lesson_session(companion.id, "K9.T") is None


# Invitations


Invite = Callable[..., invitations.Invited]


@pytest.fixture
def invite(app: Flask) -> Invite:
    admin = factories.person("admin", email="pengundang@contoh.test", name="Sri Wahyuni").id

    def make(**values: object) -> invitations.Invited:
        wanted: dict[str, object] = {
            "email": "maria@contoh.test",
            "name": "Maria Ulfah",
            "roles": ["trainee"],
            "cohort_id": None,
            "organisation_id": None,
            "created_by": admin,
            "base_url": "http://127.0.0.1:8000",
            "subject": "Undangan kelas",
            "body": "Buka {link}",
            "now": NOW,
        }
        with unit_of_work():
            return invitations.invite(**(wanted | values))

    return make


def accept(token: str, **values: object) -> accounts.SignedIn:
    wanted: dict[str, object] = {
        "name": "Maria Ulfah",
        "password_hash": factories.MAKER.hash(factories.PASSWORD),
        "locale": "en",
        "now": NOW,
    }
    with unit_of_work():
        return invitations.accept_invitation(token, **(wanted | values))


def test_an_invitation_becomes_an_account_with_role_seat_and_membership(app: Flask, invite: Invite):
    cohort, house = factories.cohort(), factories.organisation()
    made = invite(cohort_id=cohort.id, organisation_id=house.id)
    begun = accept(made.token, name="Maria Ulfah, S.Psi.")
    person = accounts.get_person_by_id(begun.viewer.id)
    assert (person.email, person.name, person.locale) == (
        "maria@contoh.test", "Maria Ulfah, S.Psi.", "en",
    )  # fmt: skip
    assert begun.viewer.roles == {"trainee"}
    assert [seat.person_id for seat in services.list_seats(cohort.id)] == [person.id]
    assert organisations.members_of(house.id) == [(person.id, "Maria Ulfah, S.Psi.")]
    assert begun.device_token is None
    assert actions()[-2:] == ["cohorts.invite", "cohorts.accept"]


@pytest.mark.parametrize("part", [Part.TRAINER, Part.ASSESSOR, Part.SPEAKER])
def test_an_invitation_into_the_staff_becomes_a_part(app: Flask, invite: Invite, part: Part):
    cohort = factories.cohort()
    begun = accept(invite(roles=[part.value], cohort_id=cohort.id).token)
    assert [(one.person_id, one.part) for one in services.list_staff(cohort.id)] == [
        (begun.viewer.id, part)
    ]
    assert services.list_seats(cohort.id) == []


def test_an_invited_officer_asks_in_the_name_of_the_organisation(app: Flask, invite: Invite):
    house = factories.organisation()
    begun = accept(invite(roles=["agency"], organisation_id=house.id).token)
    assert [one.person_id for one in organisations.list_officers(house.id)] == [begun.viewer.id]


def test_an_invitation_holds_72_hours(app: Flask, invite: Invite):
    token = invite().token
    assert (
        invitations.read_invitation(token, now=NOW + timedelta(hours=71)).inviter == "Sri Wahyuni"
    )
    late = NOW + timedelta(hours=72)
    for attempt in (
        lambda: invitations.read_invitation(token, now=late),
        lambda: accept(token, now=late),
    ):
        with pytest.raises(invitations.InvitationClosed, match="expired"):
            attempt()
    assert accounts.find_person_id("maria@contoh.test") is None


def test_a_withdrawn_invitation_opens_nothing(app: Flask, invite: Invite):
    made = invite()
    identity, token = made.invitation.id, made.token

    def withdraw() -> None:
        with unit_of_work():
            invitations.withdraw(identity, actor_id=1, now=NOW)

    withdraw()
    with pytest.raises(invitations.InvitationClosed, match="withdrawn"):
        accept(token)
    with pytest.raises(invitations.InvitationClosed):
        withdraw()
    with pytest.raises(NotFound), unit_of_work():
        invitations.withdraw(10_000, actor_id=1, now=NOW)


def test_an_unknown_token_opens_nothing(app: Flask, invite: Invite):
    invite()
    with pytest.raises(invitations.UnknownInvitation):
        invitations.read_invitation("tebakan", now=NOW)
    with pytest.raises(invitations.UnknownInvitation):
        accept("tebakan")


@pytest.mark.both
def test_one_invitation_accepted_many_times_at_once_makes_one_person(bare_app: Flask):
    with bare_app.app_context():
        cohort, house = factories.cohort().id, factories.organisation().id
        admin = factories.person("admin").id
        with unit_of_work():
            token = invitations.invite(
                email="maria@contoh.test",
                name="Maria",
                roles=["trainee"],
                cohort_id=cohort,
                organisation_id=house,
                created_by=admin,
                base_url="http://127.0.0.1:8000",
                subject="Undangan kelas",
                body="{link}",
                now=NOW,
            ).token

    results = race(bare_app, [lambda: accept(token)] * 5)
    assert sum(isinstance(one, accounts.SignedIn) for one in results) == 1
    closed = [one for one in results if isinstance(one, invitations.InvitationClosed)]
    assert [str(one) for one in closed] == ["accepted"] * 4
    with bare_app.app_context():
        people = select(func.count()).select_from(Person).where(Person.email.like("maria%"))
        assert db.session.scalar(people) == 1
        assert db.session.scalar(select(func.count()).select_from(Enrolment)) == 1
        assert actions().count("cohorts.accept") == 1


@pytest.mark.both
@pytest.mark.parametrize("first", ["accept", "withdraw"])
def test_accepting_and_withdrawing_at_once_end_in_one_of_the_two(bare_app: Flask, first: str):
    with bare_app.app_context():
        admin = factories.person("admin").id
        with unit_of_work():
            made = invitations.invite(
                email="maria@contoh.test",
                name="Maria",
                roles=["speaker"],
                cohort_id=None,
                organisation_id=None,
                created_by=admin,
                base_url="http://127.0.0.1:8000",
                subject="Undangan kelas",
                body="{link}",
                now=NOW,
            )
            token, identity = made.token, made.invitation.id

    @contextmanager
    def later(name: str) -> Iterator[None]:
        """Let `first` look and act, but not commit, before the other one looks."""
        time.sleep(0 if name == first else 0.1)
        yield

    def withdraw() -> None:
        with later("withdraw"), unit_of_work():
            invitations.withdraw(identity, actor_id=admin, now=NOW)
            time.sleep(0.2)

    def take() -> object:
        with later("accept"), unit_of_work():
            begun = invitations.accept_invitation(
                token,
                name="Maria",
                password_hash="x",
                locale="id",
                now=NOW,
            )
            time.sleep(0.2)
        return begun

    results = race(bare_app, [take, withdraw])
    assert sum(isinstance(one, invitations.InvitationClosed) for one in results) == 1
    with bare_app.app_context():
        is_there = accounts.find_person_id("maria@contoh.test") is not None
        assert is_there is isinstance(results[0], accounts.SignedIn)


@pytest.mark.both
def test_two_invitations_to_one_address_make_one_person(bare_app: Flask):
    with bare_app.app_context():
        cohorts = [factories.cohort().id for _ in range(2)]
        house, admin = factories.organisation().id, factories.person("admin").id
        tokens = []
        for cohort in cohorts:
            with unit_of_work():
                tokens.append(
                    invitations.invite(
                        email="maria@contoh.test",
                        name="Maria",
                        roles=["trainee"],
                        cohort_id=cohort,
                        organisation_id=house,
                        created_by=admin,
                        base_url="http://127.0.0.1:8000",
                        subject="Undangan kelas",
                        body="{link}",
                        now=NOW,
                    ).token
                )

    results = race(bare_app, [lambda t=token: accept(t) for token in tokens])
    assert sorted(type(one).__name__ for one in results) == ["EmailTaken", "SignedIn"]
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Enrolment)) == 1


def test_an_account_that_exists_takes_on_what_the_invitation_promises(app: Flask, invite: Invite):
    maria = factories.person("speaker", email="maria@contoh.test")
    cohort, house = factories.cohort(), factories.organisation()
    token = invite(cohort_id=cohort.id, organisation_id=house.id).token
    assert invitations.read_invitation(token, now=NOW).person_id == maria.id
    with pytest.raises(accounts.EmailTaken):
        accept(token)
    stranger = factories.person()
    with pytest.raises(invitations.UnknownInvitation), unit_of_work():
        invitations.accept_as(token, viewer(stranger), now=NOW)
    with unit_of_work():
        invitations.accept_as(token, viewer(maria), now=NOW)
    assert accounts.roles_of(maria.id) == ("speaker", "trainee")
    assert [seat.person_id for seat in services.list_seats(cohort.id)] == [maria.id]
    with pytest.raises(invitations.InvitationClosed), unit_of_work():
        invitations.accept_as(token, viewer(maria), now=NOW)


def test_an_account_that_exists_signs_in_and_accepts_in_one_step(app: Flask, invite: Invite):
    maria = factories.person("speaker", email="maria@contoh.test")
    cohort, house = factories.cohort(), factories.organisation()
    token = invite(cohort_id=cohort.id, organisation_id=house.id).token

    def join(email: str, password: str) -> accounts.Entry:
        proof = accounts.prove(
            email=email,
            password=password,
            address="192.0.2.7",
            device_token=None,
            maker=factories.MAKER,
            now=NOW,
        )
        with unit_of_work():
            return invitations.accept_with_password(token, proof, now=NOW)

    with pytest.raises(accounts.WrongCredentials):
        join(maria.email, "bukan yang ini")
    with pytest.raises(invitations.UnknownInvitation):
        join(factories.person().email, factories.PASSWORD)
    assert services.list_seats(cohort.id) == []
    assert join(maria.email, factories.PASSWORD).person_id == maria.id
    assert [seat.person_id for seat in services.list_seats(cohort.id)] == [maria.id]
    with pytest.raises(invitations.InvitationClosed):
        join(maria.email, factories.PASSWORD)


def test_the_same_invitation_is_not_sent_twice_while_it_is_open(app: Flask, invite: Invite):
    cohort, house = factories.cohort(), factories.organisation()
    into = {"cohort_id": cohort.id, "organisation_id": house.id}
    made = invite(**into)
    with pytest.raises(invitations.AlreadyInvited):
        invite(**into, email=" MARIA@contoh.test")
    invite(**into, roles=["assessor"])
    invite()
    with pytest.raises(invitations.AlreadyInvited):
        invite()
    invite(**into, now=NOW + timedelta(hours=73))
    accept(made.token)
    with pytest.raises(invitations.AlreadySeated):
        invite(**into, now=NOW + timedelta(days=9))


def test_only_the_hash_of_a_token_is_stored(app: Flask, invite: Invite):
    token = invite().token
    assert len(token) >= 43
    connection = db.session.connection()
    stored = [
        str(row)
        for table in db.metadata.sorted_tables
        if table.name != "mail"
        for row in connection.execute(table.select())
    ]
    assert stored
    assert not any(token in row for row in stored)


def test_invitations_are_listed_with_what_became_of_them(app: Flask, invite: Invite):
    cohort, house = factories.cohort(), factories.organisation()
    accept(invite(cohort_id=cohort.id, organisation_id=house.id).token)
    made = invite(email="b@contoh.test", roles=["speaker"], cohort_id=cohort.id)
    identity = made.invitation.id
    invite(email="c@contoh.test", now=NOW - timedelta(hours=80))
    invite(email="d@contoh.test")
    with unit_of_work():
        invitations.withdraw(identity, actor_id=1, now=NOW)
    lines = invitations.list_invitations(now=NOW)
    assert [(line.email[0], line.standing.value) for line in lines] == [
        ("d", "open"), ("c", "expired"), ("b", "withdrawn"), ("m", "accepted"),
    ]  # fmt: skip
    assert (lines[3].organisation, lines[3].cohort) == (house.name, cohort.title)
    assert (lines[0].organisation, lines[0].cohort) == (None, None)
    assert [line.email[0] for line in invitations.list_invitations(cohort.id, now=NOW)] == [
        "b",
        "m",
    ]
    assert [line.email[0] for line in invitations.list_invitations(now=NOW, limit=1)] == ["d"]
    rest = invitations.list_invitations(now=NOW, before=lines[1].id)
    assert [line.email[0] for line in rest] == ["b", "m"]


def test_a_trainer_takes_back_only_invitations_of_companions_of_an_own_class(
    app: Flask, invite: Invite
):
    own, foreign = factories.cohort(), factories.cohort()
    trainer, admin = factories.person("trainer"), factories.person("admin")
    factories.staff(trainer, own)
    companion = invite(cohort_id=own.id).invitation.public_id
    judge = invite(cohort_id=own.id, roles=["assessor"]).invitation.public_id
    elsewhere = invite(cohort_id=foreign.id).invitation.public_id
    outside = invite().invitation.public_id
    assert invitations.get_invitation(companion, viewer(trainer)).public_id == companion
    for hidden in (judge, elsewhere, outside, "tidak-ada"):
        with pytest.raises(NotFound):
            invitations.get_invitation(hidden, viewer(trainer))
    for one in (companion, judge, elsewhere, outside):
        assert invitations.get_invitation(one, viewer(admin)).public_id == one
