"""One companion's whole way, in a real browser: from an invitation to a checked certificate.

The right answers come from the content files; the pages never give them away early.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from lms.config import CONTENT
from tests.e2e.browser import LARGE, SMALL, agree, faults, sign_in, watch
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.browser
K1 = CONTENT / "k1-asesmen-risiko"
PASSWORD = "kereta pagi biru 27"
CLASS = "angkatan-uji"


def read(name: str) -> dict:  # type: ignore[type-arg]  # parsed YAML
    text = (K1 / name).read_text(encoding="utf-8")
    found: dict = yaml.load(text, yaml.CSafeLoader)  # type: ignore[type-arg]  # parsed YAML
    return found


BEST = {
    " ".join(item["stem"].split()): " ".join(item["options"][item["key"]]["text"].split())
    for item in read("items.yaml")["items"]
}
SAFE = {
    " ".join(choice["text"].split())
    for name in ("s1", "s2")
    for node in read(f"simulations/{name}.yaml")["nodes"]
    for choice in node.get("choices", [])
    if choice["verdict"] == "safe"
}
MODEL = {task["id"]: task["model_answer"] for task in read("cases/sk1.yaml")["tasks"]}


@dataclass
class Someone:
    """A person with a browser of their own."""

    page: Page
    base: str
    email: str
    complaints: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def submit(self, scope: str = "main form:has(button[type=submit])") -> None:
        self.page.locator(f"{scope} button[type=submit]").last.click()

    def says(self, words: str) -> None:
        text = " ".join(self.page.locator("body").inner_text().split())
        assert words in text, f"{self.page.url}: no “{words}” in: {text[:1500]}"


def reveal(page: Page, selector: str) -> None:
    """Open the fold a form stands in."""
    field = page.locator(selector).first
    field.wait_for(state="attached")
    if not field.is_visible():
        page.locator("details", has=page.locator(selector)).first.locator("summary").first.click()


def somebody(browser: Browser, base: str, email: str = "", *, small: bool = False) -> Someone:
    context = browser.new_context(viewport=SMALL if small else LARGE, locale="id-ID")  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    return Someone(page, base, email, watch(page))


def set_up(browser: Browser, place: Installation) -> Someone:
    """The first page makes the administrator, with the code from the terminal."""
    admin = somebody(browser, place.base, "kepala@contoh.test")
    page = admin.open("/")
    assert page.url.endswith("/mulai")
    assert faults(page) == []
    page.fill("#code", place.code)
    page.fill("#name", "Kepala Sistem")
    page.fill("#email", admin.email)
    page.fill("#password", PASSWORD)
    admin.submit()
    page.wait_for_url("**/privasi/persetujuan")
    assert faults(page) == []
    agree(page)
    assert page.url == f"{place.base}/"
    return admin


def open_class(admin: Someone) -> None:
    page = admin.page
    for name, kind in (("Dinas P3A Kota Contoh", "dp3a"), ("UPTD PPA Kota Contoh", "uptd_ppa")):
        admin.open("/admin/instansi")
        reveal(page, "#name")
        page.fill("#name", name)
        page.select_option("#kind", kind)
        page.fill("#city", "Kota Contoh")
        admin.submit("main form:has(#name)")
    admin.open("/admin/angkatan/baru")
    page.fill("#title", "Angkatan Uji")
    page.fill("#slug", CLASS)
    page.select_option("#host", label="Dinas P3A Kota Contoh")
    page.fill("#city", "Kota Contoh")
    page.select_option("#zone", "WITA")
    page.fill("#place", "Aula Dinas")
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011  # the wall clock of this machine
    page.fill("#starts_on", (yesterday - timedelta(days=1)).isoformat())
    page.fill("#ends_on", yesterday.isoformat())
    page.fill("#letterhead", "PEMERINTAH KOTA CONTOH\nDinas P3A Kota Contoh")
    page.fill("#signatory_title", "Kepala Dinas")
    page.fill("#signatory_name", "Nursyam Contoh")
    admin.submit("main form:has(#slug)")
    page.wait_for_url(f"**/admin/angkatan/{CLASS}/kurikulum")
    page.check("[name=curricula][value=K1]")
    admin.submit("main form:has([name=curricula])")
    page.wait_for_url(f"**/admin/angkatan/{CLASS}/jadwal")
    page.get_by_role("link", name="Lanjut: periksa kelas").click()
    page.get_by_role("button", name="Buka kelas").click()
    page.wait_for_url(f"**/admin/angkatan/{CLASS}")


def invite(admin: Someone, email: str, name: str, role: str, *, in_class: bool = True) -> str:
    """Invite somebody and take the link that is shown once, as an office without mail does."""
    page = admin.open(f"/admin/angkatan/{CLASS}" if in_class else "/admin/undangan")
    reveal(page, "#organisation")
    form = page.locator("form:has(#email):has(#organisation)")
    form.locator("#email").fill(email)
    form.locator("#name").fill(name)
    form.locator("#role").select_option(role)
    form.locator("#organisation").select_option(label="UPTD PPA Kota Contoh")
    if role == "agency":
        form.locator("#vouched_by").fill("Nurhayati Contoh, Kepala UPTD PPA")
    form.locator("button[type=submit]").click()
    page.wait_for_load_state()
    return page.locator("#tautan").input_value()


def accept(browser: Browser, base: str, link: str, email: str, *, small: bool = False) -> Someone:
    found = somebody(browser, base, email, small=small)
    page = found.page
    page.goto(link)
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.check("#agree")
    found.submit("main form:has(#password)")
    page.wait_for_url(f"{base}/")
    return found


def learn(trainee: Someone) -> None:
    page = trainee.page
    for number in range(1, 11):
        trainee.open(f"/modul/k1/{number}")
        if number == 1:
            assert faults(page) == []
        page.locator("form[action$='/selesai'] button").first.click()
        page.wait_for_load_state()


def play(trainee: Someone, code: str, kind: str) -> None:
    page = trainee.open(f"/latihan/{code}")
    page.locator(f"form[action$='/{kind}'] button[type=submit]").first.click()
    for _turn in range(40):
        page.wait_for_load_state()
        labels = page.locator("main label:has(input[name=choice])")
        if labels.count() == 0:
            return
        for n in range(labels.count()):
            if any(text in " ".join(labels.nth(n).inner_text().split()) for text in SAFE):
                labels.nth(n).locator("input").check()
                break
        else:
            pytest.fail(f"no safe choice on {page.url}")
        trainee.submit("main form:has(input[name=choice])")
        page.wait_for_load_state()
        onward = page.locator("main a.button").first
        if onward.count() and "/latihan/putaran/" in str(onward.get_attribute("href")):
            onward.click()
    pytest.fail("the run does not end")


def choose(page: Page) -> None:
    """Choose the best option of the question on the page."""
    text = " ".join(page.locator("main fieldset legend").first.inner_text().split())
    best = next(best for stem, best in BEST.items() if stem in text)
    page.locator("main label:has(input[name=choice])", has_text=best).locator("input").check()


def sit(browser: Browser, trainee: Someone) -> Someone:
    """Answer, be cut off, come back in another browser, hand in."""
    page = trainee.open("/kuis/k1")
    trainee.submit()
    page.wait_for_url("**/kuis/k1/*")
    choose(page)
    status = page.locator("[data-save-status]").first
    expect(status).to_contain_text("Tersimpan")
    # The network goes away: nothing is called saved that is not.
    with page.expect_navigation():
        trainee.submit("main form:has(input[name=choice])")
    page.context.set_offline(True)
    choose(page)
    expect(status).to_contain_text("Belum tersimpan")
    page.context.set_offline(False)
    expect(status).not_to_contain_text("Belum", timeout=20000)
    expect(status).to_contain_text("Tersimpan")
    storage = page.evaluate("[localStorage.length, sessionStorage.length]")
    assert storage == [0, 0], "answers wait in memory only"
    address = page.url.split("?")[0]
    page.context.close()
    # The browser is gone; another one resumes the same sitting.
    again = somebody(browser, trainee.base, trainee.email, small=True)
    sign_in(again.page, again.base, again.email, PASSWORD)
    resume = again.open("/kuis/k1").locator("main a[href*='/kuis/k1/']").first
    assert f"{again.base}{resume.get_attribute('href')}".split("?")[0] == address
    for position in range(1, 27):
        again.open(f"{address.removeprefix(again.base)}?soal={position}")
        checked = again.page.locator("input[name=choice]:checked").count()
        assert checked == (1 if position <= 2 else 0), f"question {position}"
        assert not any(word in again.page.content() for word in ("rasional", "rationale", '"key"'))
        if not checked:
            choose(again.page)
            with again.page.expect_navigation():  # the page goes on once all is saved
                again.submit("main form:has(input[name=choice])")
    again.open(f"{address.removeprefix(again.base)}/periksa")
    confirm = again.page.locator("main input[name=confirm]")
    if confirm.count() and confirm.first.get_attribute("type") == "checkbox":
        confirm.first.check()
    again.submit("main form[action$='/kirim']")
    again.page.wait_for_url("**/hasil")
    assert faults(again.page) == []
    return again


def write(trainee: Someone) -> None:
    page = trainee.open("/studi-kasus/sk1/tulis")
    for task, answer in MODEL.items():
        page.fill(f"[name='jawaban-{task}']", answer)
    for status in page.locator("[data-save-status]").all():
        expect(status).to_contain_text("Tersimpan", timeout=15000)
    trainee.open("/studi-kasus/sk1/periksa")
    confirm = page.locator("main input[name=confirm]")
    if confirm.count():
        confirm.first.check()
    trainee.submit("main form[action$='/kirim']")
    page.wait_for_load_state()
    trainee.says("Menunggu dinilai")


def mark(assessor: Someone) -> None:
    page = assessor.open("/menilai")
    page.locator("main a[href*='/menilai/']:not([href*='/esai'])").first.click()
    page.wait_for_load_state()
    assert faults(page) == []
    for radio in page.locator("main input[type=radio][value='2']").all():
        radio.check(force=True)
    page.locator("main textarea[name=feedback]").fill("Terima kasih, jelas dan aman.")
    assessor.submit("main form:has(textarea[name=feedback])")
    page.wait_for_load_state()


def attend(trainer: Someone) -> None:
    for half in ("1am", "1pm", "2am", "2pm"):
        page = trainer.open(f"/angkatan/{CLASS}/hadir?bagian={half}")
        page.locator("main input[type=radio][value=present]").first.check(force=True)
        page.get_by_role("button", name="Simpan", exact=True).click()
        page.wait_for_load_state()
        trainer.says("Tersimpan")


def observe(assessor: Someone, public_id: str) -> None:
    page = assessor.open(f"/angkatan/{CLASS}/observasi")
    stations = {
        str(a.get_attribute("href")).split("?")[0]
        for a in page.locator("main a[href*='/observasi/']").all()
    }
    for station in sorted(stations):
        assessor.open(station)
        for _kuk in range(6):
            page.locator(f"main input[name='{public_id}-hasil'][value='2']").check(force=True)
            onward = page.locator("button[form=amati]").last
            done = "Selesai" in onward.inner_text()
            onward.click()
            page.wait_for_load_state()
            if done:
                break


def test_from_an_invitation_to_a_certificate_that_is_checked(
    browser: Browser, installation: Installation
):
    base = installation.base
    admin = set_up(browser, installation)
    open_class(admin)
    people = {
        role: (f"{role}@contoh.test", invite(admin, f"{role}@contoh.test", name, role))
        for role, name in (
            ("trainer", "Wati Contoh"),
            ("assessor", "Lestari Contoh"),
            ("trainee", "Rahma Contoh Yuliani"),
        )
    }
    link = invite(admin, "petugas@contoh.test", "Gunawan Contoh", "agency", in_class=False)
    officer = accept(browser, base, link, "petugas@contoh.test")
    trainer = accept(browser, base, people["trainer"][1], people["trainer"][0])
    assessor = accept(browser, base, people["assessor"][1], people["assessor"][0], small=True)
    trainee = accept(browser, base, people["trainee"][1], people["trainee"][0], small=True)
    assert faults(trainee.page) == []

    learn(trainee)
    for code in ("s1", "s2"):
        play(trainee, code, "nilai")
    trainee = sit(browser, trainee)
    write(trainee)
    trainee.open("/sertifikat").locator("summary").first.click()
    trainee.says("SK1")

    mark(assessor)
    attend(trainer)
    page = trainer.open(f"/angkatan/{CLASS}")
    person = page.locator("main table a[href*='/peserta/']").first
    public_id = str(person.get_attribute("href")).rsplit("/", 1)[1]
    observe(assessor, public_id)

    for signer in (trainer, assessor):
        page = signer.open(f"/angkatan/{CLASS}/pleno/{public_id}/K1")
        signer.says("Rahma Contoh Yuliani")
        page.locator("main a[href*='/tanda-tangan?']").click()
        page.locator("main input[name=confirm]").check()
        signer.submit("main form:has(input[name=confirm])")
        page.wait_for_load_state()
    page = trainer.open(f"/angkatan/{CLASS}/penerbitan")
    page.locator("main input[name=confirm]").check()
    trainer.submit("main form:has(input[name=confirm])")
    expect(page.locator("main")).to_contain_text("1 sertifikat terbit.", timeout=20_000)

    page = trainee.open("/sertifikat")
    trainee.says("Berlaku")
    with page.expect_download() as download:
        page.locator("main a[href$='/berkas']").first.click()
    paper = download.value.path().read_bytes()
    assert paper.startswith(b"%PDF")
    code = re.search(r"/sertifikat/(\w+)/berkas", page.content()).group(1)

    stranger = somebody(browser, base, small=True)
    stranger.open(f"/c/{code}")
    stranger.says("Sertifikat ini berlaku")
    stranger.says("R*** C*** Y***")
    assert "Rahma" not in stranger.page.content()
    assert faults(stranger.page) == []

    page = officer.open("/instansi/periksa")
    page.fill("#asked", code)
    page.fill("#name", "Rahma Contoh Yuliani")
    officer.submit("main form:has(#asked)")
    page.wait_for_load_state()
    officer.says("cocok")

    trainee.open("/sertifikat")
    trainee.says("UPTD PPA Kota Contoh")
    for someone in (admin, trainer, assessor, trainee, officer, stranger):
        assert someone.complaints == [], json.dumps(someone.complaints)
