"""An office's whole way with one class: from the wizard to the recap, each in their own browser.

The weeks of learning go through the services while the pages stand; all else is clicked or typed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, OrganisationKind
from lms.config import CONTENT
from lms.core.db import db
from lms.core.login import Viewer
from lms.core.models import Mail
from lms.demo.walk import Walk, keys
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, let_go, serve_prepared

pytestmark = pytest.mark.browser
CLASS = "angkatan-kenanga"
HOST = "Dinas P3A Kota Contoh"
DAY = timedelta(days=1)
NEW_PASSWORD = "kereta pagi biru 27"
HALVES = ("1am", "1pm", "2am", "2pm")
PASTED = """Nama\tE-mail\tInstansi
Ani Contoh Lestari\tani@contoh.test\tPuskesmas Kenanga
Budi Contoh\tbudi@contoh\tPuskesmas Kenanga
Cici Contoh\tcici@contoh.test\tUPTD PPA Kota Contoh
"""
"""Budi's address lacks its end."""


@dataclass(frozen=True)
class Team:
    """Who has an account before there is a class."""

    admin: str
    trainer: str
    assessor: str


Office = Prepared[Team]


@pytest.fixture(scope="module")
def office(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve an office with an administrator, two people of its team and three agencies."""
    with serve_prepared(sqlite_home, tmp_path_factory.mktemp("office"), _fill) as found:
        yield found


def _fill() -> Team:
    factories.organisation(HOST, OrganisationKind.WOMEN_OFFICE)
    factories.organisation("Puskesmas Kenanga", OrganisationKind.PUSKESMAS)
    factories.organisation("UPTD PPA Kota Contoh", OrganisationKind.UPTD_PPA)
    return Team(
        *(
            factories.person(role, name=name).email
            for role, name in (
                ("admin", "Kepala Sistem"),
                ("trainer", "Wati Contoh"),
                ("assessor", "Dewi Contoh"),
            )
        )
    )


@dataclass
class Someone:
    """A person with a browser of their own, and what its console complained about."""

    page: Page
    base: str
    complaints: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page


def somebody(browser: Browser, office: Office, email: str = "", *, small: bool = False) -> Someone:
    context = browser.new_context(viewport=SMALL if small else LARGE, locale="id-ID")  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    found = Someone(page, office.base, watch(page))
    if email:
        sign_in(page, office.base, email, factories.PASSWORD)
    return found


def tab_to(page: Page, selector: str) -> None:
    """Press the tab key until the focus stands there."""
    here = f"document.activeElement.matches({json.dumps(selector)})"
    for _press in range(120):
        if page.evaluate(here):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the tab key does not lead to {selector} on {page.url}")


def type_into(page: Page, fields: dict[str, str]) -> None:
    """Fill fields in their order by the keyboard alone; a list takes the first letters."""
    for selector, text in fields.items():
        tab_to(page, selector)
        page.keyboard.type(text)


def on_day(page: Page, selector: str, day: date) -> None:
    """Go to a date by the keyboard; how it is typed depends on the browser's language."""
    tab_to(page, selector)
    page.fill(selector, day.isoformat())


def text(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def prepare(admin: Someone, first: date) -> None:
    """Take the four steps of a new class by keyboard: data, curricula, timetable, check."""
    page = admin.open("/admin/angkatan")
    tab_to(page, "main a[href='/admin/angkatan/baru']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/angkatan/baru")
    assert faults(page) == []
    type_into(page, {"#title": "Angkatan Kenanga", "#host": "Dinas", "#city": "Kota Contoh"})
    type_into(page, {"#zone": "WITA"})
    on_day(page, "#starts_on", first)
    on_day(page, "#ends_on", first + DAY)
    type_into(
        page,
        {
            "#slug": CLASS,
            "#place": "Aula Dinas",
            "#address": "Jalan Contoh 1, lantai 2",
            "#contact_name": "Sekretariat",
            "#contact_phone": "0411 123456",
            "#letterhead": "PEMERINTAH KOTA CONTOH",
            "#signatory_title": "Kepala Dinas",
            "#signatory_name": "Nursyam Contoh",
        },
    )
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{CLASS}/kurikulum")
    assert faults(page) == []
    tab_to(page, "[name=curricula][value=K1]")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{CLASS}/jadwal")
    assert faults(page) == []
    tab_to(page, f"main a[href='/admin/angkatan/{CLASS}/periksa']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{CLASS}/periksa")
    assert faults(page) == []
    assert "Yang belum lengkap" not in text(page)
    tab_to(page, "main form:not([action]) button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/angkatan/{CLASS}")
    assert faults(page) == []


def appoint(admin: Someone, email: str, part: str) -> None:
    """Let somebody who has an account work in the class."""
    page = admin.open(f"/admin/angkatan/{CLASS}")
    page.locator("summary", has_text="Tambah dari akun yang ada").click()
    page.fill("#tim-email", email)
    page.locator("#part").select_option(label=part)
    page.get_by_role("button", name="Tambahkan").click()
    expect(page.locator("section[aria-labelledby=tim]")).to_contain_text(part)


def look_around(admin: Someone, trainer: Someone) -> None:
    """Open what shows people and papers while there are none."""
    pages = ("", "/pleno", "/rekap", "/kursi", "/hadir", "/observasi", "/persiapan", "/agenda")
    for someone, paths in (
        (admin, ("/admin/sertifikat", "/laporan/rekap", "/pemberitahuan", "/admin/surat")),
        (trainer, ("/", "/menilai", *(f"/angkatan/{CLASS}{page}" for page in pages))),
    ):
        for path in paths:
            page = someone.open(path)
            assert faults(page) == [], path


def set_seats(admin: Someone, until: date) -> None:
    page = admin.open(f"/angkatan/{CLASS}/kursi/atur")
    page.fill("#capacity", "4")
    page.fill("#until_on", until.isoformat())
    page.fill("#until_at", "16:00")
    page.fill("#puskesmas", "2")
    page.fill("#uptd_ppa", "1")
    page.get_by_role("button", name="Simpan").click()
    page.wait_for_url("**/kursi")
    assert "4 dari 4 kursi masih bebas" in text(page)


def bring_in(admin: Someone) -> None:
    """Paste three people, mend the row that is wrong, invite them."""
    page = admin.open(f"/angkatan/{CLASS}/peserta/impor")
    page.fill("#rows", PASTED)
    page.get_by_role("button", name="Periksa daftar").click()
    page.wait_for_url("**/impor/*")
    expect(page.locator("#kirim")).to_have_text("2 orang siap")
    assert "1 baris perlu diperiksa" in text(page)
    assert faults(page) == []
    page.locator("main tr", has_text="Budi Contoh").get_by_role("link", name="Perbaiki").click()
    page.wait_for_url("**/baris/*")
    assert faults(page) == []
    page.fill("#email", "budi@contoh.test")
    page.get_by_role("button", name="Simpan baris").click()
    expect(page.locator("#kirim")).to_have_text("3 orang siap")
    assert "perlu diperiksa" not in text(page).split("Baris")[0]
    page.get_by_role("button", name="Undang 3 orang").click()
    expect(page.locator("h1")).to_have_text("Hasil impor")
    assert "3 orang diundang" in text(page)
    assert faults(page) == []


def letter_to(office: Office, address: str) -> str:
    """Return the personal link from the letter that waits; the pages hide it from everybody."""
    with office.app.app_context():
        body = db.session.scalars(select(Mail.body).where(Mail.to == address)).one()
        let_go()
    return str(re.findall(r"http\S+/undangan/\S+", body)[0])


def accept(browser: Browser, office: Office, link: str) -> Someone:
    found = somebody(browser, office, small=True)
    page = found.page
    page.goto(link)
    assert faults(page) == []
    assert "Angkatan Kenanga" in text(page)
    page.fill("#password", NEW_PASSWORD)
    page.fill("#again", NEW_PASSWORD)
    page.check("#agree")
    page.get_by_role("button", name="Terima undangan").click()
    page.wait_for_url(f"{office.base}/")
    assert faults(page) == []
    return found


def move_back(admin: Someone, first: date) -> None:
    """Give the class other days: what is tested here lies after it."""
    page = admin.open(f"/admin/angkatan/{CLASS}/ubah")
    page.fill("#starts_on", first.isoformat())
    page.fill("#ends_on", (first + DAY).isoformat())
    page.get_by_role("button", name="Simpan data kelas").click()
    expect(page.locator("body")).to_contain_text("Data kelas tersimpan.")


def learn(office: Office, email: str) -> str:
    """Let weeks of learning and assessing pass. Returns the learner's public id."""
    now = datetime.now(UTC)
    with office.app.app_context():
        people = {one.email: one for one in db.session.scalars(select(Person))}
        learner, assessor = people[email], people[office.made.assessor]
        judge = Viewer(assessor.id, "", assessor.name, frozenset(["assessor"]), "id", "")
        walk = Walk(learner.id, learner.public_id, keys(CONTENT), Random(5))
        cohort_id = db.session.scalars(select(Cohort.id)).one()
        db.session.remove()
        walk.read(range(1, 11), now - 20 * DAY)
        for code in ("S1", "S2"):
            walk.graded(code, now - 12 * DAY)
        walk.sit(now - 10 * DAY)
        walk.mark(walk.write(now - 9 * DAY), judge, now - 8 * DAY)
        walk.observe(cohorts.get_cohort_by_id(cohort_id), judge.id, now - timedelta(hours=20))
        let_go()
    return walk.public_id


def attend(trainer: Someone) -> None:
    """Key in the signed sheets of four half days: one letter, and Enter."""
    for half in HALVES:
        page = trainer.open(f"/angkatan/{CLASS}/hadir/lembar?bagian={half}")
        page.locator("form[data-rows] input[type=text]").focus()
        page.keyboard.press("h")
        page.keyboard.press("Enter")
        expect(page.locator("body")).to_contain_text("Kehadiran 1 orang tersimpan.")


def confirm(page: Page) -> None:
    page.locator("main input[name=confirm]").check()
    page.locator("main form:has(input[name=confirm]) button[type=submit]").click()
    page.wait_for_load_state()


def sign(signer: Someone, button: str, told: str) -> None:
    page = signer.open(f"/angkatan/{CLASS}/pleno")
    page.get_by_role("button", name=button).click()
    expect(page.locator("main ol.rows")).to_contain_text("Ani Contoh Lestari")
    confirm(page)
    expect(page.locator("body")).to_contain_text(told)


def issue(trainer: Someone) -> None:
    page = trainer.open(f"/angkatan/{CLASS}/penerbitan")
    confirm(page)
    expect(page.locator("[data-job] progress")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("1 sertifikat terbit.", timeout=20_000)
    assert faults(page) == []


def paper_of(learner: Someone) -> str:
    """Take the certificate home. Returns its code."""
    page = learner.open("/sertifikat")
    assert "Berlaku" in text(page)
    with page.expect_download() as download:
        page.locator("main a[href$='/berkas']").first.click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    found = re.search(r"/sertifikat/(\w+)/berkas", page.content())
    assert found
    return found.group(1)


def test_from_the_wizard_to_the_recap(browser: Browser, office: Office):
    today = datetime.now(UTC).date()
    admin = somebody(browser, office, office.made.admin)
    prepare(admin, today + 12 * DAY)
    appoint(admin, office.made.trainer, "Pelatih")
    appoint(admin, office.made.assessor, "Penilai")
    trainer = somebody(browser, office, office.made.trainer, small=True)
    look_around(admin, trainer)
    set_seats(admin, today + 8 * DAY)
    bring_in(admin)
    admin.open(f"/angkatan/{CLASS}/kursi")
    assert "1 dari 4 kursi masih bebas" in text(admin.page)
    learner = accept(browser, office, letter_to(office, "ani@contoh.test"))
    admin.open(f"/angkatan/{CLASS}/kursi")
    assert "1 pasti" in text(admin.page)

    move_back(admin, today - 2 * DAY)
    person = learn(office, "ani@contoh.test")
    attend(trainer)
    assessor = somebody(browser, office, office.made.assessor, small=True)
    sign(trainer, "Periksa dan tanda tangani", "1 usulan Anda tanda tangani")
    sign(assessor, "Periksa dan tanda tangani yang kedua", "1 keputusan lengkap")
    issue(trainer)
    code = paper_of(learner)

    stranger = somebody(browser, office, small=True)
    stranger.open(f"/c/{code}")
    assert "Sertifikat ini berlaku" in text(stranger.page)
    assert "A*** C*** L***" in text(stranger.page)
    assert "Lestari" not in stranger.page.content()

    page = admin.open(f"/angkatan/{CLASS}/rekap")
    line = page.locator("main tr", has_text="Ani Contoh Lestari")
    expect(line).to_contain_text("4/4")
    expect(line).to_contain_text("0001/SULUH-K1/")
    scheduled = re.search(r"jadwalnya (\d+) JP", text(page))
    assert scheduled
    assert int(scheduled.group(1)) > 0
    hours = line.locator("td").nth(1)
    assert re.findall(r"\d+", hours.inner_text()) == [scheduled.group(1)], "present all the time"
    assert line.locator(f"a[href$='{person}']").count() == 1
    assert faults(page) == []
    for someone in (admin, trainer, assessor, learner, stranger):
        assert someone.complaints == [], json.dumps(someone.complaints)
        someone.page.context.close()
