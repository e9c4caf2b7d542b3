"""Pages of competency: the tree with the evidence behind it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.competency import services
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, State, Verdict
from lms.competency.services import Finding, KukLine, Tree
from lms.core.db import db, unit_of_work
from tests import factories
from tests.ledgers import STANDARD
from tests.queries import counted

Enter = Callable[[Person], FlaskClient]
AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
NOW = AT + timedelta(days=20)


def tree(person: Person, now: datetime = NOW) -> Tree:
    return services.tree_of(person.id, now=now)


def line(person: Person, code: str, now: datetime = NOW) -> KukLine:
    return next(found for found in tree(person, now).lines if found.kuk.code == code)


def quiz(person: Person, code: str, *right: bool, at: datetime = AT, group: str = "a1") -> None:
    curriculum = STANDARD.find(code).curriculum
    for n, passed in enumerate(right):
        factories.evidence(
            person, "Q", code, curriculum, group, at, ref=f"{group}-{n}", passed=passed
        )


def text_of(browser: FlaskClient, path: str = "/kompetensi") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return " ".join(answer.get_data(as_text=True).split())


@pytest.fixture
def someone(app: object) -> Person:
    return factories.person("trainee")


def test_the_tree_of_a_beginner_has_84_criteria_and_no_evidence(someone: Person):
    found = tree(someone)
    assert len(found.lines) == 84
    assert {entry.verdict for entry in found.lines} == {Verdict.NO_EVIDENCE}
    assert all(finding.at is None for entry in found.lines for finding in entry.findings)
    assert [entry.code for entry in found.curricula] == ["K1", "K2", "K3", "K4", "K5"]
    assert services.first_open_unit(found) == ""


def test_the_unit_for_trainers_shows_once_it_is_begun(someone: Person):
    factories.evidence(someone, "SK", "11.1.1", "SKT", "s1", AT, mark=2)
    assert [unit.unit.number for unit in tree(someone).units][-1] == "11"
    assert tree(someone).curricula[-1].code == "T"


def test_every_kind_of_evidence_is_named_even_when_it_is_missing(someone: Person):
    found = line(someone, "03.1.1")
    assert [(f.kind.value, f.source, f.state.value) for f in found.findings] == [
        ("Q", "K1", "NONE"),
        ("SK", "SK1", "NONE"),
        ("SIM", "S2", "NONE"),
        ("OBS", "", "NONE"),
    ]


def test_a_quiz_counts_its_items(someone: Person):
    quiz(someone, "03.1.1", True, False)
    [finding] = [f for f in line(someone, "03.1.1").findings if f.kind is EvidenceKind.Q]
    assert (finding.right, finding.shown, finding.at) == (1, 2, AT)
    assert finding.state is State.FAIL
    assert line(someone, "03.1.1").verdict is Verdict.NOT_YET


def test_a_withdrawn_item_is_said(someone: Person, sign_in: Enter):
    quiz(someone, "03.1.1", True, True)
    row = db.session.scalars(select(Evidence.id).where(Evidence.ref == "a1-1")).one()
    with unit_of_work():
        services.void(row, reason="ditarik", by_id=None, now=NOW)
    [finding] = [f for f in line(someone, "03.1.1").findings if f.kind is EvidenceKind.Q]
    assert (finding.right, finding.shown, finding.state) == (1, 1, State.NONE)


def test_evidence_that_was_voided_or_grew_old_is_said_to_have_lapsed(someone: Person):
    quiz(someone, "02.1.2", True)
    found = line(someone, "02.1.2", AT + timedelta(days=400))
    assert found.findings[0] == Finding(
        kind=EvidenceKind.Q, source="K1", state=State.NONE, lapsed=True
    )
    factories.evidence(someone, "HDR", "", "K4.T", "c1", AT, passed=True)
    factories.evidence(someone, "OBS", "02.2.2", "ST1", "o1", AT, ref="ST1/A", mark=2)
    late = AT + timedelta(days=400)
    hdr = [f for f in line(someone, "10.2.1", late).findings if f.kind is EvidenceKind.HDR]
    assert [f.lapsed for f in hdr] == [True]
    obs = [f for f in line(someone, "02.2.2", late).findings if f.kind is EvidenceKind.OBS]
    assert [f.lapsed for f in obs] == [True]


def test_each_simulation_of_a_criterion_stands_by_itself(someone: Person):
    factories.evidence(someone, "SIM", "02.2.1", "S1", "r1", AT, ref="n1", passed=True)
    factories.evidence(
        someone, "SIM", "02.2.1", "S2", "r2", AT, ref="n1", passed=True, harmful=True
    )
    found = [f for f in line(someone, "02.2.1").findings if f.kind is EvidenceKind.SIM]
    assert [(f.source, f.state.value, f.harmful) for f in found] == [
        ("S1", "PASS", False),
        ("S2", "FAIL", True),
    ]


def test_each_station_stands_by_itself_with_note_and_assessor(someone: Person):
    assessor = factories.person("assessor", name="Bu Wati")
    factories.evidence(
        someone, "OBS", "02.2.1", "ST1", "o1", AT, ref="ST1/A", mark=1,
        assessor_id=assessor.id, note="Tanya dulu apakah aman.",
    )  # fmt: skip
    factories.evidence(
        someone, "OBS", "02.2.1", "ST2", "o1", AT, ref="ST2/A", mark=2, assessor_id=assessor.id
    )
    found = [f for f in line(someone, "02.2.1").findings if f.kind is EvidenceKind.OBS]
    assert [(f.source, f.mark, f.state.value, f.note, f.assessor) for f in found] == [
        ("ST1", 1, "FAIL", "Tanya dulu apakah aman.", "Bu Wati"),
        ("ST2", 2, "PASS", "", "Bu Wati"),
    ]


def test_one_mark_is_enough_for_a_criterion_that_is_not_critical(someone: Person):
    factories.evidence(someone, "OBS", "02.2.2", "ST1", "o1", AT, ref="ST1/A", mark=1)
    found = [f for f in line(someone, "02.2.2").findings if f.kind is EvidenceKind.OBS]
    assert [f.state for f in found] == [State.PASS]


def test_units_and_curricula_count_what_is_reached(someone: Person):
    quiz(someone, "03.2.3", True)
    found = tree(someone)
    assert {unit.unit.number: unit.reached for unit in found.units}["03"] == 1
    [k1] = [entry for entry in found.curricula if entry.code == "K1"]
    assert (k1.reached, k1.total, k1.right, k1.shown) == (1, 21, 1, 1)
    assert services.first_open_unit(found) == "03"


def with_compensation(someone: Person) -> None:
    """All non-critical items of K1 but two are right."""
    for kuk in STANDARD.of("K1"):
        if not kuk.critical and EvidenceKind.Q in kuk.ev:
            quiz(someone, kuk.code, kuk.code not in ("02.1.2", "03.2.3"))


def test_the_page_says_in_words_what_stands_behind(someone: Person, sign_in: Enter):
    assessor = factories.person("assessor", name="Bu <Wati>")
    at = datetime.now(UTC) - timedelta(days=30)
    for kuk in STANDARD.of("K1"):
        if not kuk.critical and EvidenceKind.Q in kuk.ev:
            quiz(someone, kuk.code, kuk.code not in ("02.1.2", "03.2.3"), at=at)
    quiz(someone, "03.1.1", True, True, at=at)
    factories.evidence(
        someone, "SK", "03.1.1", "SK1", "s1", at, mark=1,
        assessor_id=assessor.id, note="Tulis <kata> korban.",
    )  # fmt: skip
    factories.evidence(
        someone, "SIM", "03.1.1", "S2", "r1", at, ref="n1", passed=False, harmful=True
    )
    factories.evidence(someone, "SIM", "02.2.1", "S1", "r2", at, ref="n1", passed=False)
    factories.evidence(someone, "SIM", "04.2.4", "S1", "r2", at, ref="n1", passed=True)
    factories.evidence(someone, "OBS", "02.2.1", "ST1", "o1", at, ref="ST1/A", mark=0, harmful=True)
    factories.evidence(someone, "REF", "10.1.2", "K4.1", "K4.1", at, passed=True)
    factories.evidence(someone, "HDR", "", "K4.T", "c1", at, passed=True)
    text = text_of(sign_in(someone))
    for words in (
        "2 dari 2 benar",
        "0 dari 1 benar",
        "Aman dengan bimbingan",
        "Dinilai oleh Bu &lt;Wati&gt;",
        "<q>Tulis &lt;kata&gt; korban.</q>",
        "dihentikan di pilihan yang berbahaya",
        "ada pilihan yang belum aman",
        "semua pilihan aman",
        "Belum aman; ada tindakan yang berbahaya",
        "Observasi tatap muka: belum ada",
        "Refleksi: belum ada",
        "Tercapai, kompensasi",
        "Tercapai karena 12 dari 14 soal kriteria biasa di K1 benar.",
    ):
        assert words in text, words
    assert "Refleksi K4.1" in text
    assert "hadir" in text


def test_the_numbers_of_the_rules_come_from_the_standard(someone: Person, sign_in: Enter):
    text = text_of(sign_in(someone))
    assert "paling sedikit 4 dari setiap 5 soal (80%)" in text
    assert "setelah 24 jam; setelah 3 kali" in text
    assert "Bukti berlaku 12 bulan" in text
    assert "2 soal per kriteria" in text
    assert "“Aman mandiri” untuk kriteria kritis" in text
    assert "Standar 0.2-draft masih rancangan." in text


def test_the_page_never_says_failed(someone: Person, sign_in: Enter):
    quiz(someone, "03.1.1", False, False)
    text = text_of(sign_in(someone)).replace("bukan gagal", "")
    assert "gagal" not in text.lower()
    assert "tidak kompeten" not in text.lower()


def test_what_is_shown_can_be_narrowed(someone: Person, sign_in: Enter):
    at = datetime.now(UTC) - timedelta(days=1)
    quiz(someone, "03.2.3", True, at=at)
    browser = sign_in(someone)
    assert ">03.2.3<" in text_of(browser)
    assert ">03.2.3<" not in text_of(browser, "/kompetensi?tampil=belum")
    critical = text_of(browser, "/kompetensi?tampil=kritis")
    assert ">03.1.1<" in critical
    assert ">03.1.2<" not in critical
    assert critical.count('<div class="kuk">') == 21
    assert ">03.2.3<" in text_of(browser, "/kompetensi?tampil=lain")


def test_only_companions_have_a_tree_of_their_own(sign_in: Enter, client: FlaskClient):
    assert sign_in(factories.person("trainer")).get("/kompetensi").status_code == 403
    assert client.get("/kompetensi").status_code == 302


def test_somebody_elses_evidence_is_never_shown(someone: Person, sign_in: Enter):
    other = factories.person("trainee")
    quiz(other, "03.2.3", True, at=datetime.now(UTC) - timedelta(days=1))
    assert "1 dari 1 benar" not in text_of(sign_in(someone))


def test_the_page_costs_six_queries_at_most_however_much_there_is(someone: Person, sign_in: Enter):
    browser = sign_in(someone)
    browser.get("/kompetensi")
    with counted() as few:
        browser.get("/kompetensi")
    with_compensation(someone)
    for n in range(5):
        assessor = factories.person("assessor")
        factories.evidence(
            someone, "SK", "03.1.1", "SK1", f"s{n}", AT, mark=2, assessor_id=assessor.id
        )
    with counted() as many:
        browser.get("/kompetensi")
    assert len(few) <= len(many) <= 6
