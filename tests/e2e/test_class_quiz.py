"""A file of questions of every type becomes a quiz of a class: sat on a phone, marked, read.

What is secret says RAHASIA. Everything a browser was given is recorded and looked through.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from lms.core import clock
from lms.quizzes.exchange import formats
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, serve_prepared
from tests.quizzes.types.scene import QUESTIONS

pytestmark = pytest.mark.browser
TRAINER, TRAINEE = "pelatih@contoh.test", "peserta@contoh.test"
CLASS, QUIZ = "angkatan-uji", "Latihan semua jenis"
STEMS = {question.stem.value: kind.value for kind, question in QUESTIONS.items()}
GOOD = ("Tanyakan dulu", "Dengarkan")
PARTNERS = {one.left.value: one.right for one in QUESTIONS["matching"].body.pairs if one.left}
ORDER = [item.value for item in QUESTIONS["ordering"].body.items]
WRITTEN = "Saya mendengarkan, lalu bertanya apa yang ia perlukan malam itu."
NOTE = "Tanyakan juga siapa yang menjaga anaknya."
ONWARD = "form#kuis p button[value=lanjut]"
MINUTE = "%Y-%m-%dT%H:%M"


def fill() -> None:
    """Open a class with a trainer and one person."""
    cohort = factories.cohort(slug=CLASS, title="Angkatan Uji")
    trainer = factories.person("trainer", email=TRAINER, name="Bu Pelatih")
    factories.staff(trainer, cohort)
    factories.seat(factories.person(email=TRAINEE, name="Peserta Satu"), cohort)


@pytest.fixture(scope="module")
def office(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A served installation with one class and no question of its own."""
    with serve_prepared(sqlite_home, tmp_path_factory.mktemp("class-quiz"), fill) as found:
        yield found


@dataclass
class Visit:
    """Somebody at a browser of their own; what they were given is kept in a file."""

    context: BrowserContext
    page: Page
    base: str
    file: Path
    complaints: list[str]
    seen: list[str] = field(default_factory=list)
    """What is wrong with the pages that were looked at."""

    def open(self, path: str) -> Page:
        """Go to a page and look at it."""
        self.page.goto(self.base + path)
        return self.look()

    def look(self) -> Page:
        """Look at the page as it stands: width, taps, the exit, axe."""
        self.page.wait_for_load_state()
        self.seen += [f"{self.page.url}: {fault}" for fault in faults(self.page)]
        return self.page

    def press(self, name: str) -> Page:
        """Press a button or follow a link, and look at what comes."""
        found = self.page.locator("main").get_by_role("button", name=name)
        if not found.count():
            found = self.page.locator("main").get_by_role("link", name=name)
        with self.page.expect_navigation():
            found.first.click()
        return self.look()

    def leave(self) -> list[str]:
        """Close the browser; return every text it was given."""
        self.context.close()
        refused = [
            one
            for one in self.complaints
            if "ERR_INTERNET_DISCONNECTED" not in one and "ERR_FAILED" not in one
        ]
        assert self.seen + refused == []
        entries = json.loads(self.file.read_text(encoding="utf-8"))["log"]["entries"]
        return [text_of(entry["response"]["content"]) for entry in entries]


def text_of(content: dict[str, str]) -> str:
    """Return a body of a recorded answer as text."""
    text = content.get("text", "")
    if content.get("encoding") == "base64":
        return base64.b64decode(text).decode("utf-8", "replace")
    return text


def enter(browser: Browser, office: Prepared, folder: Path, email: str, *, small: bool) -> Visit:
    """Sign in with a new browser."""
    file = folder / f"{len(list(folder.iterdir()))}.har"
    file.touch()
    context = browser.new_context(
        viewport=SMALL if small else LARGE,
        locale="id-ID",
        record_har_path=file,
        record_har_content="embed",
    )
    page = context.new_page()
    complaints = watch(page)
    sign_in(page, office.base, email, factories.PASSWORD)
    return Visit(context, page, office.base, file, complaints)


def wib(hours: float) -> str:
    """A moment on the clock of the class, so many hours from now."""
    return (clock.now() + timedelta(hours=hours + 7)).strftime(MINUTE)


def compose(trainer: Visit) -> None:
    """Bring the file in, look it through, confirm it, and make a quiz of all of it."""
    page = trainer.open("/soal/koleksi/baru")
    page.fill("#title", "Semua jenis")
    page = trainer.press("Buat, lalu unggah berkas")
    data = formats.write("moodle-xml", list(QUESTIONS.values())).data
    page.set_input_files(
        "main input[type=file]",
        {"name": "semua-jenis.xml", "mimeType": "application/xml", "buffer": data},
    )
    page = trainer.press("Periksa berkas")
    trainer.press("Masukkan 8 soal")
    trainer.open(f"/angkatan/{CLASS}/kuis")
    trainer.press("Susun kuis")
    page = trainer.press("Semua jenis")
    boxes = page.locator("input[name=questions]")
    expect(boxes).to_have_count(len(QUESTIONS))
    for box in boxes.all():
        box.check()
    page.fill("#title", QUIZ)
    page.fill("#opens_at", wib(-1))
    page.fill("#closes_at", wib(2))
    page.locator("#shows_answers").check()
    page = trainer.press("Buat kuis")
    expect(page.locator("main")).to_contain_text(QUIZ)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the keyboard stands on something, as people without a mouse do."""
    for _press in range(60):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not reach {target}")


def choose(page: Page, row: Locator, word: str) -> None:
    """Choose from a list with the keyboard alone."""
    listed = row.locator("select")
    tab_to(page, listed)
    words = [one.strip() for one in listed.locator("option").all_text_contents()]
    for _press in range(words.index(word)):
        page.keyboard.press("ArrowDown")
    assert listed.evaluate("one => one.selectedOptions[0].textContent.trim()") == word


def place(page: Page, words: dict[str, str]) -> None:
    """Choose from every list of a question with the keyboard alone: by what stands beside it."""
    for beside, word in words.items():
        choose(page, page.locator("form#kuis .answer-row").filter(has_text=beside), word)


def measure(page: Page) -> None:
    """Write a number and choose its unit."""
    page.fill("#jawab-1", "150")
    page.select_option("#jawab-2", "menit")


ANSWERS: dict[str, Callable[[Page], object]] = {
    "single": lambda page: page.get_by_label("Langkah 3").check(),
    "multiple": lambda page: [page.get_by_label(one).check() for one in GOOD],
    "true_false": lambda page: page.locator("input[name=jawab][value=false]").check(),
    "matching": lambda page: place(page, PARTNERS),
    "ordering": lambda page: place(page, {one: str(n) for n, one in enumerate(ORDER, 1)}),
    "short_answer": lambda page: page.fill("#jawab-1", "visum et repertum"),
    "numeric": measure,
    "essay": lambda page: page.fill("#jawab-1", WRITTEN),
}
"""How each type is answered: right, but for the short answer."""


def kind_of(page: Page) -> str:
    """Return the type of the question that stands there."""
    legend = page.locator("form#kuis legend").inner_text().strip()
    return STEMS[legend]


def go_on(page: Page, kind: str) -> None:
    """Wait for the receipt and go on; from lists with the keyboard, as one came there."""
    status = page.locator("form#kuis [data-save-status]").first
    expect(status).to_contain_text("Tersimpan", timeout=15_000)
    onward = page.locator(ONWARD)
    with page.expect_navigation():
        if kind in ("matching", "ordering"):
            tab_to(page, onward)
            page.keyboard.press("Enter")
        else:
            onward.click()


def cut(page: Page, kind: str) -> None:
    """Answer without a network; once it is back the page goes on by itself."""
    status = page.locator("form#kuis [data-save-status]").first
    page.context.set_offline(True)
    ANSWERS[kind](page)
    expect(status).to_contain_text("Belum tersimpan", timeout=15_000)
    here = page.url
    page.locator(ONWARD).click()
    expect(status).to_contain_text("Menunggu jaringan", timeout=15_000)
    assert page.url == here
    page.context.set_offline(False)
    page.wait_for_url(lambda url: url != here, timeout=30_000)


def sit(visit: Visit, positions: range) -> list[str]:
    """Answer questions one after the other; return their types."""
    kinds = []
    for position in positions:
        page = visit.look()
        expect(page.locator("h1")).to_have_text(f"Soal {position} dari {len(QUESTIONS)}")
        kinds.append(kind_of(page))
        if kinds[-1] == "essay":
            cut(page, kinds[-1])
        else:
            ANSWERS[kinds[-1]](page)
            go_on(page, kinds[-1])
    return kinds


def kept(page: Page) -> object:
    """Return what the fields of a question hold, as the person sees it."""
    return page.evaluate(
        """() => [...document.querySelectorAll('#kuis [name=jawab], #kuis [name=choice]')]
          .filter(one => !['radio', 'checkbox'].includes(one.type) || one.checked)
          .map(one => one.type === 'select-one' ? one.selectedOptions[0].textContent.trim()
            : one.value)"""
    )


def test_every_type_from_a_file_to_a_mark(browser: Browser, office: Prepared, tmp_path: Path):
    trainer = enter(browser, office, tmp_path, TRAINER, small=False)
    compose(trainer)

    trainee = enter(browser, office, tmp_path, TRAINEE, small=True)
    trainee.look()
    expect(trainee.page.locator("main")).to_contain_text(QUIZ)
    trainee.press("Buka kuis")
    trainee.press("Mulai kuis")
    half = len(QUESTIONS) // 2
    kinds = sit(trainee, range(1, half + 1))
    held = []
    for position in range(1, half + 1):
        trainee.page.goto(f"{trainee.page.url.split('?')[0]}?soal={position}")
        held.append(kept(trainee.page))
    given = trainee.leave()

    trainee = enter(browser, office, tmp_path, TRAINEE, small=True)
    trainee.open(f"/angkatan/{CLASS}/kuis-saya")
    trainee.press(QUIZ)
    trainee.press("Lanjutkan")
    expect(trainee.page.locator("h1")).to_have_text(f"Soal {half + 1} dari {len(QUESTIONS)}")
    back = []
    for position in range(1, half + 1):
        trainee.page.goto(f"{trainee.page.url.split('?')[0]}?soal={position}")
        back.append(kept(trainee.page))
    assert back == held, "nothing was lost by leaving"
    assert all(back)
    trainee.page.goto(f"{trainee.page.url.split('?')[0]}?soal={half + 1}")
    kinds += sit(trainee, range(half + 1, len(QUESTIONS) + 1))
    assert sorted(kinds) == sorted(STEMS.values())
    trainee.look()
    expect(trainee.page.locator("main")).to_contain_text("Semua soal sudah dijawab.")
    trainee.press("Kirim jawaban")
    result = trainee.page.url.removeprefix(trainee.base)
    main = trainee.page.locator("main")
    expect(main).to_contain_text("75 persen dari nilai penuh")
    expect(main).to_contain_text("1 jawaban menunggu penilaian")
    expect(main).to_contain_text(WRITTEN)
    expect(main).to_contain_text("Kunci dan alasan tampil mulai")
    given += trainee.leave()
    assert all(any(stem in text for text in given) for stem in STEMS), "all of it was recorded"
    assert not [text for text in given if "RAHASIA" in text], "no key before the quiz is closed"

    trainer.open("/")
    expect(trainer.page.locator("main")).to_contain_text("1 jawaban tertulis kuis menunggu")
    trainer.press("Nilai jawaban tertulis")
    page = trainer.press("Peserta Satu")
    expect(page.locator("main")).to_contain_text(WRITTEN)
    expect(page.locator("main")).to_contain_text("RAHASIA alasan pedoman")
    page.locator("main .segment label", has_text="Dengan bimbingan").click()
    trainer.press("Simpan penilaian")
    expect(trainer.page.locator("main")).to_contain_text("Tulis apa yang perlu ditambah.")
    trainer.page.fill("#catatan", NOTE)
    trainer.press("Simpan penilaian")
    expect(trainer.page.locator("main")).to_contain_text("Tidak ada yang menunggu")

    trainee = enter(browser, office, tmp_path, TRAINEE, small=True)
    main = trainee.open(result).locator("main")
    expect(main).to_contain_text("81 persen dari nilai penuh")
    expect(main).to_contain_text(NOTE)
    assert not [text for text in trainee.leave() if "RAHASIA" in text], "a note is no key"

    trainer.open(f"/angkatan/{CLASS}/kuis")
    page = trainer.press("Ubah")
    page.fill("#closes_at", wib(-0.1))
    trainer.press("Simpan")
    trainer.press(QUIZ)
    expect(trainer.page.locator("main")).to_contain_text("1 dari 1 orang mengirim.")
    trainer.leave()

    trainee = enter(browser, office, tmp_path, TRAINEE, small=True)
    trainee.open(result)
    after = "".join(trainee.leave())
    for what in ("langkah 3", "tanya", "tidak", "tepat semua", "visum", "angka", "umum"):
        assert f"RAHASIA alasan {what}" in after, "the positive control"
    assert "RAHASIA alasan pedoman" not in after, "guidance is for who marks"
    assert NOTE in after
