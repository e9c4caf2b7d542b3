"""Pages of evaluations, as people open them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.config import Config
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.models import Mail
from lms.evaluations import content, plans, reminders, services
from lms.evaluations.models import Feedback, PlanCheck
from lms.evaluations.plans import Said, Superior
from tests import factories

SignIn = Callable[[Person], FlaskClient]
TODAY = clock.now().date()


def seated(ended: int = 1) -> tuple[str, Person]:
    """Return a class that ended so many days ago, and somebody in it."""
    ends = TODAY - timedelta(days=ended)
    cohort, who = factories.cohort(starts_on=ends, ends_on=ends), factories.person(name="Siti Ayu")
    slug = cohort.slug
    factories.seat(who, cohort)
    return slug, who


def cohort_at(slug: str) -> Cohort:
    return cohorts.get_cohort_by_slug(slug)


def trainer_of(slug: str) -> Person:
    made = factories.person("trainer")
    factories.staff(made, cohort_at(slug))
    return made


def answers(**more: str) -> dict[str, str]:
    sheet = content.load(content_dir())
    return {f"{one.id}-mark": "3" for one in sheet.statements} | more


def content_dir() -> Path:
    config: Config = current_app.extensions["suluh"]
    return config.content_dir


def fill(slug: str, count: int) -> None:
    cohort_id = cohort_at(slug).id
    for number in range(count):
        who = factories.person()
        factories.seat(who, cohort_at(slug))
        who_id = who.id
        with unit_of_work():
            services.answer(
                cohorts.get_cohort_by_id(cohort_id),
                who_id,
                marks={"m1": 4, "p1": 2},
                good=f"Latihan <b>{number}</b>",
                better="=1+1",
                now=clock.now(),
            )


def test_a_participant_answers_once_and_is_not_named(sign_in: SignIn) -> None:
    slug, who = seated()
    browser = sign_in(who)
    page = browser.get(f"/angkatan/{slug}/masukan")
    assert "tanpa nama, tanpa jam" in page.text
    assert page.text.count('type="radio"') == 4 * len(content.load(content_dir()).statements)
    sent = browser.post(f"/angkatan/{slug}/masukan", data=answers(good="Latihan", better=""))
    assert sent.status_code == 302
    assert "sudah kami terima" in browser.get(f"/angkatan/{slug}/masukan").text
    browser.post(f"/angkatan/{slug}/masukan", data=answers(good="Lagi", better=""))
    assert [row.good for row in db.session.scalars(select(Feedback))] == ["Latihan"]


@pytest.mark.parametrize("bad", [{"good": "NIK 3174012345678901"}, {"good": "x" * 501}])
def test_what_must_not_be_written_is_refused_and_stays_in_the_form(
    sign_in: SignIn, bad: dict[str, str]
) -> None:
    slug, who = seated()
    answer = sign_in(who).post(f"/angkatan/{slug}/masukan", data=answers(better="", **bad))
    assert answer.status_code == 422
    assert bad["good"] in answer.text
    assert not db.session.scalars(select(Feedback)).all()


def test_every_statement_is_asked_for(sign_in: SignIn) -> None:
    slug, who = seated()
    answer = sign_in(who).post(f"/angkatan/{slug}/masukan", data={"good": "", "better": ""})
    assert answer.status_code == 422
    assert answer.text.count("field-error") == len(content.load(content_dir()).statements)


def test_before_the_last_day_and_after_fourteen_nothing_is_asked(sign_in: SignIn) -> None:
    for ended, words in ((-2, "Belum dibuka"), (15, "Sudah ditutup")):
        slug, who = seated(ended)
        browser = sign_in(who)
        assert words in browser.get(f"/angkatan/{slug}/masukan").text
        browser.post(f"/angkatan/{slug}/masukan", data=answers(good="", better=""))
    assert not db.session.scalars(select(Feedback)).all()


def test_results_are_hidden_until_five_and_escaped(sign_in: SignIn) -> None:
    slug, who = seated()
    browser = sign_in(trainer_of(slug))
    fill(slug, 4)
    hidden = browser.get(f"/angkatan/{slug}/hasil-masukan").text
    assert "sedikitnya lima orang" in hidden
    assert "Latihan" not in hidden
    assert ";4;" not in browser.get(f"/angkatan/{slug}/hasil-masukan.csv").text
    fill(slug, 1)
    page = browser.get(f"/angkatan/{slug}/hasil-masukan").text
    assert page.count("Latihan &lt;b&gt;") == 5
    assert "5 jawaban dari 6 peserta (83%)" in page
    sheet = browser.get(f"/angkatan/{slug}/hasil-masukan.csv").text
    assert "0;0;0;5;5;4.0;4.0;4.0" in sheet
    assert "Latihan" not in sheet
    assert "=1+1" not in sheet
    for stranger in (who, factories.person("trainer"), factories.person("agency")):
        assert sign_in(stranger).get(f"/angkatan/{slug}/hasil-masukan").status_code in (403, 404)
    admin = sign_in(factories.person("admin"))
    assert admin.get(f"/angkatan/{slug}/hasil-masukan").status_code == 200


def promised(**more: str) -> dict[str, str]:
    given = {
        "j1-what": "Berbagi cara bertanya",
        "j1-by_on": (TODAY + timedelta(days=40)).isoformat(),
        "j1-with_whom": "rekan",
        "superior": "lain",
        "superior_name": "Bu Kepala",
        "superior_email": "Kepala@contoh.test",
    }
    return given | more


def test_a_plan_is_written_and_shown_again(sign_in: SignIn) -> None:
    slug, who = seated()
    browser = sign_in(who)
    assert browser.post(f"/angkatan/{slug}/rencana", data=promised()).status_code == 302
    page = browser.get(f"/angkatan/{slug}/rencana").text
    assert "Berbagi cara bertanya" in page
    assert 'value="kepala@contoh.test"' in page
    other = factories.person()
    assert sign_in(other).get(f"/angkatan/{slug}/rencana").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"j1-by_on": ""}, "Tulis tanggalnya"),
        ({"j1-what": "", "j1-by_on": ""}, "sedikitnya satu janji"),
        ({"superior_email": ""}, "alamat e-mail atasan"),
        ({"superior_name": ""}, "nama atasan"),
        ({"j1-what": "Telepon 081234567890"}, "nomor panjang"),
        ({"j1-what": "x" * 301}, "Paling banyak 300"),
        ({"superior": "orang-lain"}, "pilihan"),
    ],
)
def test_a_plan_that_is_not_whole_says_what_is_missing(
    sign_in: SignIn, wrong: dict[str, str], words: str
) -> None:
    slug, who = seated()
    answer = sign_in(who).post(f"/angkatan/{slug}/rencana", data=promised(**wrong))
    assert answer.status_code == 422
    if words != "pilihan":
        assert words in answer.text
    assert plans.find(cohort_at(slug).id, who.id) is None


def test_nobody_is_their_own_superior(sign_in: SignIn) -> None:
    slug, who = seated()
    own = promised(superior_email=who.email.upper())
    assert sign_in(who).post(f"/angkatan/{slug}/rencana", data=own).status_code == 422


def with_plan(ended: int) -> tuple[str, Person]:
    slug, who = seated(ended)
    who_id, at = who.id, clock.now() - timedelta(days=ended)
    with unit_of_work():
        said = [Said("=Berbagi cara", TODAY, "rekan"), Said("Mengisi formulir", TODAY, "")]
        plans.write(slug, who_id, said, Superior("Bu Kepala", "kepala@contoh.test"), now=at)
    return slug, who


def rated(slug: str, who: Person, rating: str = "partly") -> dict[str, str]:
    found = plans.find(cohort_at(slug).id, who.id)
    assert found is not None
    marks = {f"j{one.id}-rating": rating for one in found.promises}
    return marks | {f"j{one.id}-reason": "Sedang jalan" for one in found.promises} | {"comment": ""}


def test_both_sides_rate_and_the_trainer_sees_them_beside_each_other(sign_in: SignIn) -> None:
    slug, who = with_plan(31)
    browser = sign_in(who)
    assert "Tinjauan hari ke-30" in browser.get(f"/angkatan/{slug}/rencana").text
    empty = browser.post(f"/angkatan/{slug}/rencana/tinjau", data={"comment": ""})
    assert empty.status_code == 422
    browser.post(f"/angkatan/{slug}/rencana/tinjau", data=rated(slug, who))
    reminders.sweep(clock.now())
    db.session.rollback()
    letter = db.session.scalars(select(Mail).where(Mail.to == "kepala@contoh.test")).one()
    token = letter.body.split("/tinjau/")[1].split()[0]
    boss = browser.application.test_client()
    page = boss.get(f"/tinjau/{token}")
    assert "Berbagi cara" in page.text
    assert "Siti" in page.text
    for secret in ("Siti Ayu", cohort_at(slug).title, who.email, "Sedang jalan"):
        assert secret not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert boss.post(f"/tinjau/{token}", data={"comment": ""}).status_code == 422
    done = boss.post(f"/tinjau/{token}", data=rated(slug, who, "done"), follow_redirects=True)
    assert "Terima kasih" in done.text
    again = boss.post(f"/tinjau/{token}", data=rated(slug, who, "not_yet"), follow_redirects=True)
    assert "Terima kasih" in again.text
    assert len(db.session.scalars(select(PlanCheck)).all()) == 2
    assert boss.get(f"/tinjau/{token}x").status_code == 404
    trainer = sign_in(trainer_of(slug))
    overview = trainer.get(f"/angkatan/{slug}/rencana-kelas").text
    assert "0 sudah, 2 sebagian, 0 belum" in overview
    assert "2 sudah, 0 sebagian, 0 belum" in overview
    sheet = trainer.get(f"/angkatan/{slug}/rencana-kelas.csv").text
    assert "'=Berbagi cara" in sheet
    assert "Sebagian;Sedang jalan;Sudah;Sedang jalan" in sheet


def test_an_officer_sees_how_far_own_people_are_and_not_what_they_promised(sign_in: SignIn) -> None:
    slug, _who = with_plan(31)
    officer = factories.person("agency")
    sender = cohorts.list_seats(cohort_at(slug).id)[0].organisation_id
    officer_id = officer.id
    with unit_of_work():
        factories.appoint(officer_id, sender)
    page = sign_in(officer).get("/instansi/rencana").text
    assert "Siti Ayu" in page
    assert "Berbagi" not in page
    other = sign_in(factories.officer()).get("/instansi/rencana").text
    assert "Siti Ayu" not in other
    assert "Belum ada rencana" in other


def test_a_plan_page_says_when_it_opens_and_when_it_was_over(sign_in: SignIn) -> None:
    for ended, words in ((-5, "Belum dibuka"), (95, "Waktunya sudah lewat")):
        slug, who = seated(ended)
        browser = sign_in(who)
        assert words in browser.get(f"/angkatan/{slug}/rencana").text
        browser.post(f"/angkatan/{slug}/rencana", data=promised())
        assert plans.find(cohort_at(slug).id, who.id) is None


def test_a_broken_form_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "evaluation.yaml").write_text(
        'version: "1"\nstatements:\n'
        "  - {id: a, area: place, text: A, text_en: A}\n"
        "  - {id: a, area: place, text: B, text_en: B}\n"
        "questions:\n"
        "  - {id: good, text: A, text_en: A}\n  - {id: better, text: B, text_en: B}\n"
    )
    _found, problems = content.check(tmp_path)
    assert [str(one).split(":", 1)[1] for one in problems] == ["3: a is used twice"]
