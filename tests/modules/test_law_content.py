"""The registry of law, who cites what, and statements no text may make."""

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lms import release
from lms.config import CONTENT
from lms.core.content import Unreadable, read_yaml
from lms.modules.law import citations, registry, wrong
from lms.modules.law.registry import Registry
from lms.modules.law.rules import Status
from lms.modules.law.texts import passages

FOLDER = "k1-asesmen-risiko"
LESSON = f"{FOLDER}/08-meninjau-ulang.md"
ITEMS, STORY = f"{FOLDER}/items.yaml", f"{FOLDER}/simulations/s1.yaml"
CASE, STATIONS = f"{FOLDER}/cases/sk1.yaml", f"{FOLDER}/stations.yaml"
COPIED = ("laws.yaml", "wrong.yaml", "notice.yaml", LESSON, ITEMS, STORY, CASE, STATIONS)
KNOWN, _ = wrong.check(CONTENT)
Spoil = Callable[..., list[str]]


@pytest.fixture
def spoil(tmp_path: Path) -> Spoil:
    """Return a function that changes one file of a copy and tells what the check says.

    The copy is small: the lists, one lesson, the first item, and what else a plant needs.
    """
    for name in COPIED:
        (tmp_path / "c" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CONTENT / name, tmp_path / "c" / name)
    items = tmp_path / "c" / ITEMS
    first = "\n  - id:".join(items.read_text(encoding="utf-8").split("\n  - id:")[:2])
    items.write_text(first + "\n", encoding="utf-8")

    def change(name: str, old: str, new: str) -> list[str]:
        path = tmp_path / "c" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        _, problems = citations.check(tmp_path / "c")
        return [str(one).removeprefix(f"{tmp_path}/c/") for one in sorted(problems)]

    return change


def test_the_content_cites_nothing_unknown_and_states_nothing_wrong():
    found, problems = citations.check(CONTENT)
    assert problems == []
    assert len(found) >= 25
    assert len(found.articles) > 300


def test_every_article_says_what_it_is_about_and_revoked_ones_what_replaced_them():
    found, _ = registry.check(CONTENT)
    states = {name: one.status for name, one in found.articles.items()}
    for law, number, now in [
        ("UU 31/2014", "37", "295"),
        ("UU 31/2014", "38", "296"),
        ("UU 31/2014", "39", "297"),
        ("UU 31/2014", "41", "299"),
        ("UU 13/2006", "41", "299"),
        ("UU 21/2007", "2", "455"),
        ("UU 35/2014", "81", "473"),
    ]:
        article = found.articles[f"{law} ps {number}"]
        assert article.status is Status.SUPERSEDED
        assert article.replaced_by == f"UU 1/2023 ps {now}"
        assert states[article.replaced_by] is Status.IN_FORCE
    assert states["UU 31/2014 ps 40"] is Status.IN_FORCE
    assert states["UU 35/2014 ps 82"] is Status.SUPERSEDED
    assert found.laws["UU 1/2026"].status is Status.TO_BE_VERIFIED


PLANTS = [
    ("laws.yaml", "- code: UU 27/2022", "- code: UU 28/2022", "UU 27/2022 is not in laws.yaml"),
    ("laws.yaml", '- ps: "16"\n', '- ps: "116"\n', "UU 23/2004 ps 16 is not in laws.yaml"),
    (LESSON, "ref: UU 23/2004 ps 16", "ref: UU 23/2004 ps 66", "UU 23/2004 ps 66 is not in"),
    (LESSON, "::: law UU 23/2004 ps 16", "::: law Undang-undang", "one law and its articles"),
    (LESSON, "::: law UU 23/2004 ps 16", "::: law UU 31/2014 ps 41", "superseded; now UU 1/2023"),
    (LESSON, "::: law UU 23/2004 ps 16", "::: law Perma 3/2017 ps 5", "to be verified"),
    (LESSON, "## ", "Lihat UU 35/2014 ps 82.\n\n## ", "UU 35/2014 ps 82 is superseded"),
    (LESSON, "## ", "Lihat KUHP ps 900.\n\n## ", "UU 1/2023 ps 900 is not in laws.yaml"),
    (LESSON, "## ", "Lihat Permen Sosial\nPP 99/1999.\n\n## ", "PP 99/1999 is not in laws.yaml"),
    (
        CASE,
        "title: Lembar telaah risiko dan rencana keselamatan",
        "title: Lembar menurut UU 23/2004 ps 99",
        "sk1.yaml:2: UU 23/2004 ps 99 is not in laws.yaml",
    ),
    (
        STATIONS,
        "title: Membuka percakapan dengan aman",
        "title: Membuka percakapan, PP 4/2006 ps 99",
        "stations.yaml:3: PP 4/2006 ps 99 is not in laws.yaml",
    ),
    (
        "notice.yaml",
        "UU 27/2022 Pasal 20",
        "UU 27/2022 Pasal 99",
        "UU 27/2022 ps 99 is not in laws.yaml",
    ),
    (ITEMS, '"UU 23/2004 ps 1"', '"UU 21/2007 ps 2"', "UU 21/2007 ps 2 is super"),
    (ITEMS, '"UU 23/2004 ps 1"', '"UU 1/2026"', "UU 1/2026 is to be verified"),
    (ITEMS, '"UU 23/2004 ps 1"', '"Perma 3/2017 ps 5"', "is to be verified"),
    (ITEMS, '"UU 23/2004 ps 1"', '"entah"', "one law and its articles"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), PLANTS)
def test_a_planted_citation_is_named_with_file_and_line(
    spoil: Spoil, file: str, old: str, new: str, message: str
):
    found = [one for one in spoil(file, old, new) if message in one]
    assert found, message
    assert all(re.match(r"[\w./-]+:\d+: ", one) for one in found)


def test_a_planted_citation_leads_to_its_line(spoil: Spoil):
    [found] = spoil(LESSON, "## ", "Satu.\n\nLihat\nUU 23/2004\nps 99.\n\n## ")
    text = (CONTENT / LESSON).read_text(encoding="utf-8")
    line = text[: text.index("## ")].count("\n") + 1 + 3  # where the law's name begins
    assert found == f"{LESSON}:{line}: UU 23/2004 ps 99 is not in laws.yaml"


def test_what_is_revoked_may_be_told_as_revoked(spoil: Spoil):
    assert spoil(LESSON, "## ", "UU 1/2023 ps 299 menggantikan UU 31/2014 ps 41.\n\n## ") == []
    told = "UU 1/2023 ps 299 menggantikan yang lama. Lihat UU 31/2014 ps 38.\n\n## "
    [problem] = spoil(LESSON, "## ", told)
    assert "UU 31/2014 ps 38 is superseded; now UU 1/2023 ps 296" in problem


def test_a_to_be_verified_law_may_be_named_in_running_text(spoil: Spoil):
    said = "Pidananya disesuaikan UU 1/2026; tanyakan advokat.\n\n## "
    assert spoil(LESSON, "## ", said) == []


BROKEN = [
    ("- code: UU 12/2022", "- code: UU 23/2004", "UU 23/2004 stands here twice"),
    ('- ps: "17"\n', '- ps: "16"\n', "UU 23/2004 ps 16 stands here twice"),
    ('    in_force_since: "2004-09-22"\n', "", "UU 23/2004 is in force: since when?"),
    ("replaced_by: UU 1/2023 ps 473", "replaced_by: UU 1/2023 ps 474", "ps 474 is not in the"),
    ("status: in_force", "status: maybe", "laws.0.status"),
    ('checked_on: "2026-11-22"', 'checked_on: "kemarin"', "checked_on"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_the_registry_itself_is_checked(spoil: Spoil, old: str, new: str, message: str):
    found = [one for one in spoil("laws.yaml", old, new) if message in one]
    assert found
    assert all(one.startswith("laws.yaml:") for one in found)


def test_a_revoked_article_says_what_replaced_it_or_why_nothing_did(spoil: Spoil):
    added = '      - ps: "199"\n        status: superseded\n        about: Lama\n      - ps: "1"\n'
    assert "say what replaced it" in " ".join(spoil("laws.yaml", '      - ps: "1"\n', added))


def test_a_missing_registry_is_a_problem_of_the_whole_check(tmp_path: Path):
    copied = shutil.copytree(
        CONTENT, tmp_path / "c", ignore=shutil.ignore_patterns("__pycache__", "laws.yaml")
    )
    found = release.check(copied)
    assert [one.file for one in found.problems] == [str(copied / "laws.yaml")]
    (copied / "laws.yaml").write_text("a: &x 1\nb: *x\n", encoding="utf-8")
    with pytest.raises(Unreadable):
        citations.check(copied)
    assert [one.line for one in release.check(copied).problems] == [2]


# Statements known to be wrong


def mistakes(file: Path) -> list[str]:
    """Return what one file states wrongly."""
    return [
        str(one).removeprefix(str(file))
        for passage in passages(file)
        for one in wrong.check_passage(passage, KNOWN)
    ]


def test_each_wrong_statement_planted_is_found(tmp_path: Path):
    file, text = tmp_path / "08.md", (CONTENT / LESSON).read_text(encoding="utf-8")
    line = text.split("\n## ")[0].count("\n") + 2
    for one in KNOWN:
        file.write_text(
            text.replace("## ", f"Kalimat biasa. {one.wrong}\n\n## ", 1), encoding="utf-8"
        )
        assert f":{line}: known to be wrong; right is: {one.right}" in mistakes(file), one.wrong
        file.write_text(
            text.replace("## ", f"Kalimat biasa. {one.right}\n\n## ", 1), encoding="utf-8"
        )
        assert mistakes(file) == [], one.right


def test_a_wrong_statement_turns_the_whole_check_red(spoil: Spoil):
    [found] = spoil(LESSON, "## ", f"{KNOWN[-1].wrong}\n\n## ")
    assert KNOWN[-1].right in found
    top = "instances: nothing here is taught"
    [found] = spoil("notice.yaml", "\n", f"\n# {top}\n{KNOWN[-1].wrong}: x\n")[:1]
    assert found.startswith(LESSON)  # what is not taught is not searched


def test_all_right_statements_together_are_left_alone():
    text = " ".join(one.right for one in KNOWN)
    assert list(wrong.find(text, KNOWN)) == []
    assert len(KNOWN) >= 25


@pytest.mark.parametrize(
    "text",
    [
        "UU 31/2014 ps 42",
        "UU 23/2004 ps 44(4): 4 bulan.",
        "Pasal 44 ayat (4) berbeda. Ayat (1) menyebut 4 tahun.",
        "UU 21/2007 ps 20",
        "Ibu dan/atau anak dijemput.",
        "Pertemuan 2026-11-21 pukul 09.15, 119 orang hadir.",
        "UU 23/2004 ps 110",
        "Pada KDRT paling lama 7 hari, pada TPKS pelindungan sementara paling lama 14 hari.",
        "Menurut UU 23/2004 ps 37, pelaku dipanggil dalam 3x24 jam sejak laporan.",
        "Menurut UU 27/2022, perbaikan data paling lambat 3x24 jam.",
        "Menurut UU 12/2022 ps 43, polisi wajib mengajukan permintaan pelindungan dalam 1x24 jam.",
    ],
)
def test_what_is_right_is_left_alone(text: str):
    assert list(wrong.find(text, KNOWN)) == []


def test_only_answers_that_are_wrong_may_state_it(tmp_path: Path):
    """The option that is not the key may; the stem, the key and every rationale may not."""
    planted = "Polisi meminta surat penetapan perintah perlindungan dalam 3x24 jam."
    file = tmp_path / "items.yaml"
    item = read_yaml(CONTENT / ITEMS).data["items"][0]

    def found(*place: str) -> list[str]:
        spoilt = copy.deepcopy(item)
        inner = spoilt
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = f"{planted} {inner[place[-1]]}"
        document = yaml.safe_dump({"items": [spoilt]}, allow_unicode=True, width=1000)
        file.write_text(document, encoding="utf-8")
        return mistakes(file)

    assert len(found("stem")) == 1
    for letter in "ABCD":
        assert len(found("options", letter, "text")) == (letter == item["key"])
        assert len(found("options", letter, "rationale")) == 1


def test_an_unsafe_choice_of_a_story_may_state_it_and_the_safe_one_may_not(tmp_path: Path):
    planted = "Perpanjangan diajukan 14 hari sebelum habis."
    file = tmp_path / "s1.yaml"
    story = read_yaml(CONTENT / STORY).data
    seen = set()
    for number, choice in enumerate(story["nodes"][0]["choices"]):
        for name in ("text", "consequence"):
            spoilt = copy.deepcopy(story)
            spoilt["nodes"][0]["choices"][number][name] = planted
            file.write_text(yaml.safe_dump(spoilt, allow_unicode=True), encoding="utf-8")
            is_let = name == "text" and choice["verdict"] != "safe"
            assert len(mistakes(file)) == (0 if is_let else 1), (choice["verdict"], name)
        seen.add(choice["verdict"])
    assert seen == {"safe", "unsafe", "harmful"}


def test_the_list_of_statements_is_checked(spoil: Spoil):
    found = spoil("wrong.yaml", "pattern: '(?i)Program", "pattern: '(?i)Prrogram")
    assert [one.split(": ", 1)[1] for one in found] == [
        "the pattern does not catch its own example"
    ]
    spoil("wrong.yaml", "pattern: '(?i)Prrogram", "pattern: '(?i)Program")
    [found] = spoil("wrong.yaml", 'right: "Korban dirujuk', 'right: "Hubungi 129, korban dirujuk')
    assert "the right statement is caught by the pattern" in found
    found = spoil("wrong.yaml", "pattern: '(?i)Program", "pattern: '(?i)[Program")
    assert "the pattern is none" in " ".join(found)
    found = spoil("wrong.yaml", "wrong:\n", "wrong: []\nother:\n")
    assert any("wrong.yaml" in one for one in found)


def test_an_unreadable_file_is_left_to_who_reads_it(spoil: Spoil):
    assert spoil(LESSON, "---\n", "--\n") == []


def test_the_empty_registry_is_empty():
    assert len(Registry({})) == 0


def test_a_statute_that_is_gone_as_a_whole_cannot_be_named_as_current(spoil: Spoil):
    assert spoil(LESSON, "## ", "PP 9/1975 dulu berlaku, dan PP 43/2017 juga.\n\n## ") == []
    gone = "code: PP 9/1975\n", "code: PP 9/1974\n"
    assert any("PP 9/1975 is not in laws.yaml" in one for one in spoil("laws.yaml", *gone))
    text = 'short: "PP pelaksanaan UU Perkawinan"\n    status: '
    spoil("laws.yaml", gone[1], gone[0])
    assert spoil("laws.yaml", f"{text}in_force", f"{text}superseded") == []
    [problem] = spoil(LESSON, "dulu berlaku", "berlaku")
    assert "PP 9/1975 is superseded" in problem
    spoil(LESSON, "berlaku, dan", "dulu berlaku, dan")
    [problem] = spoil(LESSON, "PP 43/2017", "PP 43/2017 ps 3")
    assert "PP 43/2017 ps 3 is not in laws.yaml" in problem
