"""Moodle XML: its types, what it says beside them, images, and files that mean harm."""

import base64
from decimal import Decimal

import pytest

from lms.quizzes.exchange import model, moodle_out, moodle_xml
from lms.quizzes.exchange.batch import Batch
from lms.quizzes.exchange.model import Format, Kind, Question, Tags, Text
from lms.quizzes.exchange.problems import Key
from tests.quizzes.exchange.strategies import PNG

HEAD = "<name><text>N</text></name><questiontext format='html'><text>Apa?</text></questiontext>"
OPTIONS = (
    "<answer fraction='100'><text>ya</text><feedback><text>Tepat</text></feedback></answer>"
    "<answer fraction='0'><text>tidak</text></answer>"
)


def read(inside: str) -> Batch:
    return moodle_xml.read(f"<quiz>{inside}</quiz>".encode())


def question(type_: str, inside: str = "", head: str = HEAD) -> str:
    return f"<question type='{type_}'>{head}{inside}</question>"


def one(type_: str, inside: str = "") -> Question:
    batch = read(question(type_, inside))
    assert batch.problems == ()
    return batch.questions[0]


def keys(batch: Batch) -> list[Key]:
    return [problem.key for problem in batch.problems]


def test_a_choice_has_its_texts_tags_and_mark():
    found = one(
        "multichoice",
        OPTIONS
        + "<single>true</single><shuffleanswers>0</shuffleanswers><idnumber>7</idnumber>"
        + "<defaultgrade>2.5000000</defaultgrade><penalty>0.3333333</penalty><hidden>0</hidden>"
        + "<generalfeedback><text>Umum</text></generalfeedback><hint><text>Pikir</text></hint>"
        + "<correctfeedback><text>Bagus</text></correctfeedback>"
        + "<tags><tag><text>kuk:02.1.1</text></tag>"
        + "<tag><text>law:UU 23/2004 ps 5</text></tag></tags>",
    )
    assert found.body == model.Single(
        (
            model.Option(Text("ya", Format.HTML), Decimal(100), Text("Tepat", Format.HTML)),
            model.Option(Text("tidak", Format.HTML)),
        ),
        shuffle=False,
    )
    assert (found.id, found.mark, found.feedback.value) == ("7", Decimal("2.5"), "Umum")
    assert (found.hints[0].value, found.outcomes.right.value) == ("Pikir", "Bagus")
    assert found.tags == Tags(("02.1.1",), ("UU 23/2004 ps 5",))


@pytest.mark.parametrize(
    ("type_", "inside", "kind"),
    [
        ("multichoice", OPTIONS + "<single>false</single>", Kind.MULTIPLE),
        ("multichoiceset", OPTIONS, Kind.MULTIPLE),
        ("shortanswer", OPTIONS, Kind.SHORT_ANSWER),
        ("essay", "<minwordlimit>5</minwordlimit>", Kind.ESSAY),
        ("description", "", Kind.DESCRIPTION),
        ("ordering", "<answer fraction='1'><text>a</text></answer>" * 2, Kind.ORDERING),
        (
            "match",
            "<subquestion><text>a</text><answer><text>b</text></answer></subquestion>" * 2,
            Kind.MATCHING,
        ),
        (
            "numerical",
            "<answer fraction='100'><text>3</text><tolerance>0.5</tolerance></answer>"
            "<answer fraction='0'><text>*</text></answer>"
            "<units><unit><multiplier>100</multiplier><unit_name>cm</unit_name></unit></units>",
            Kind.NUMERIC,
        ),
    ],
)
def test_the_types(type_: str, inside: str, kind: Kind):
    assert one(type_, inside).kind is kind


def test_all_or_nothing_is_a_plug_in_and_said():
    body = one("multichoiceset", OPTIONS).body
    assert isinstance(body, model.Multiple)
    assert body.all_or_nothing
    written = moodle_out.write([Question(body, Text("Apa?"), "N")])
    assert [p.key for p in written.problems] == [Key.PLUGIN]
    assert b'type="multichoiceset"' in written.data


def test_numbers_have_units():
    body = one(
        "numerical",
        "<answer fraction='100'><text>-3.5</text><tolerance>0.5</tolerance></answer>"
        "<units><unit><multiplier>100</multiplier><unit_name>cm</unit_name></unit></units>",
    ).body
    assert body == model.Numeric(
        (model.Number(Decimal("-3.5"), Decimal("0.5")),), (model.Unit("cm", Decimal(100)),)
    )


@pytest.mark.parametrize(
    ("type_", "inside", "key"),
    [
        ("cloze", "", Key.KIND),
        ("", "", Key.KIND),
        ("multichoice", OPTIONS.replace("100", "50"), Key.NO_RIGHT),
        ("multichoice", OPTIONS.replace("100", "x"), Key.NOT_A_WEIGHT),
        ("multichoice", OPTIONS.replace("100", "101"), Key.WEIGHT_RANGE),
        ("multichoice", OPTIONS + "<defaultgrade>viel</defaultgrade>", Key.MARK),
        ("multichoice", OPTIONS + "<defaultgrade>-1</defaultgrade>", Key.MARK),
        ("truefalse", OPTIONS, Key.ANSWER_UNKNOWN),
        (
            "truefalse",
            "<answer fraction='0'><text>true</text></answer>"
            "<answer fraction='0'><text>false</text></answer>",
            Key.NO_RIGHT,
        ),
        ("numerical", "<answer fraction='100'><text>tiga</text></answer>", Key.NOT_A_NUMBER),
        (
            "numerical",
            "<answer fraction='100'><text>3</text><tolerance>-1</tolerance></answer>",
            Key.TOLERANCE,
        ),
        ("numerical", "", Key.NO_ANSWERS),
        ("essay", "<minwordlimit>9</minwordlimit><maxwordlimit>2</maxwordlimit>", Key.WORD_LIMITS),
        ("essay", "<minwordlimit>-9</minwordlimit>", Key.NOT_A_NUMBER),
        ("shortanswer", "<answer fraction='0'><text>x</text></answer>", Key.NO_RIGHT),
        ("category", "", Key.NO_STEM),
        ("shortanswer", "<answer fraction='100'><text>x</text></answer>" * 27, Key.MANY_OPTIONS),
        ("essay", "<tags>" + "<tag><text>x</text></tag>" * 51 + "</tags>", Key.TAGS_MANY),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_line(type_: str, inside: str, key: Key):
    good = question("essay")
    batch = read(f"\n{good}\n\n{question(type_, inside)}\n{good}")
    errors = [p for p in batch.problems if p.severity == "error"]
    assert [(p.key, p.line) for p in errors] == [(key, 4)]
    assert len(batch.questions) == 2


def test_what_we_have_no_place_for_is_said_and_what_is_usual_is_not():
    batch = read(
        question(
            "multichoice",
            OPTIONS
            + "<penalty>0.5</penalty><hidden>1</hidden><answernumbering>iii</answernumbering>"
            + "<baru>x</baru><hint><text>a</text><clearwrong/></hint>"
            + "<unitsleft>0</unitsleft><attachments>0</attachments>",
        )
        + "<lain/>"
    )
    said = sorted(p.message for p in batch.problems)
    assert said == [
        "not carried: <answernumbering> iii",
        "not carried: <baru> x",
        "not carried: <hidden> 1",
        "not carried: <hint> <clearwrong>",
        "not carried: <lain>",
        "not carried: <penalty> 0.5",
    ]


def test_ordering_marked_otherwise_is_said():
    items = "<answer fraction='1'><text>a</text><feedback><text>f</text></feedback></answer>" * 2
    batch = read(question("ordering", items + "<gradingtype>RELATIVE_ALL</gradingtype>"))
    assert keys(batch) == [Key.ELEMENT, Key.GRADING]
    assert batch.problems[0].count == 2


def test_an_unknown_format_is_plain_text():
    head = HEAD.replace("html", "wiki_like").replace("Apa?", "&lt;b&gt;")
    batch = read(question("essay", head=head))
    assert batch.questions[0].stem == Text("<b>", Format.PLAIN)
    assert keys(batch) == [Key.FORMAT_UNKNOWN]


# Images


def file(name: str, data: bytes, path: str = "/") -> str:
    packed = base64.b64encode(data).decode()
    return f"<file name='{name}' path='{path}' encoding='base64'>{packed}</file>"


def pictured(text: str, *files: str) -> Batch:
    text = text.replace("<", "&lt;")
    head = f"<name><text>N</text></name><questiontext format='html'><text>{text}</text>"
    return read(question("essay", head=head + "".join(files) + "</questiontext>"))


def test_an_image_stays_with_its_text():
    batch = pictured(
        "<p>Lihat <img src='@@PLUGINFILE@@/sub/b%20c.png' alt='x'></p>",
        file("b c.png", PNG, "/sub/"),
    )
    assert batch.problems == ()
    stem = batch.questions[0].stem
    assert stem.value == '<p>Lihat <img src="@@PLUGINFILE@@/b%20c.png" alt="x"></p>'
    assert [(i.name, i.media, i.data) for i in stem.images] == [("b c.png", "image/png", PNG)]
    written = moodle_out.write(batch.questions)
    assert moodle_xml.read(written.data).questions == batch.questions


def test_the_name_of_a_file_is_never_a_path():
    batch = pictured(
        "<img src='@@PLUGINFILE@@/..%2F..%2Fetc%2Fpasswd'>", file("../../etc/passwd", PNG)
    )
    assert [i.name for i in batch.questions[0].stem.images] in ([], ["passwd"])


def test_two_files_of_one_name_are_both_kept():
    batch = pictured(
        "<img src='@@PLUGINFILE@@/a/x.png'><img src='@@PLUGINFILE@@/b/x.png'>",
        file("x.png", PNG + b"1", "/a/"),
        file("x.png", PNG + b"2", "/b/"),
    )
    stem = batch.questions[0].stem
    assert {i.name: i.data[-1:] for i in stem.images} == {"x.png": b"1", "gambar-2.png": b"2"}


@pytest.mark.parametrize(
    ("text", "files", "key"),
    [
        ("<p>x<img src='@@PLUGINFILE@@/a.png'></p>", "", Key.IMAGE_MISSING),
        ("<p>x<img src='https://x.example/t.gif'></p>", "", Key.IMAGE_AWAY),
        ("<p>x</p>", file("a.png", PNG), Key.IMAGE_UNUSED),
        ("<p>x<img src='@@PLUGINFILE@@/a.svg'></p>", file("a.svg", b"<svg/>"), Key.IMAGE_REFUSED),
        (
            "<p>x<img src='@@PLUGINFILE@@/a.png'></p>",
            "<file name='a.png'>?</file>",
            Key.IMAGE_REFUSED,
        ),
        (
            "<p>x<img src='@@PLUGINFILE@@/a.png'></p>",
            file("a.png", PNG + bytes(1024 * 1024)),
            Key.IMAGE_LARGE,
        ),
        ("<p>x<img src='data:image/svg+xml;base64,PHN2Zy8+'></p>", "", Key.IMAGE_REFUSED),
    ],
)
def test_an_image_that_cannot_be_kept_is_said(text: str, files: str, key: Key):
    batch = pictured(text, files)
    assert keys(batch) == [key]
    assert batch.questions[0].stem == Text("<p>x</p>", Format.HTML)


def test_the_words_of_a_lost_image_stay():
    batch = pictured("<p><img alt='Peta kota' src='https://x.example/p.png'></p>")
    assert batch.questions[0].stem.value == "<p>Peta kota</p>"


def test_all_images_of_a_file_have_one_limit():
    big = PNG + bytes(1000 * 1024)
    names = [f"{n}.png" for n in range(7)]
    batch = pictured(
        "".join(f"<img src='@@PLUGINFILE@@/{name}'>" for name in names),
        *(file(name, big) for name in names),
    )
    assert keys(batch) == [Key.TOO_LARGE]
    packed = pictured(
        "".join(f"<img src='@@PLUGINFILE@@/{name}'>" for name in names[:6]),
        *(file(name, big) for name in names[:5]),
    )
    assert len(packed.questions[0].stem.images) == 5


# Harm

LAUGHS = "<!DOCTYPE q [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (LAUGHS + "]><quiz>&m;</quiz>", Key.XML_ENTITY),
        ("<!DOCTYPE q [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><quiz>&x;</quiz>", Key.XML_ENTITY),
        ("<!DOCTYPE q SYSTEM 'http://x.example/q.dtd'><quiz/>", Key.XML_ENTITY),
        ("<!DOCTYPE quiz><quiz/>", Key.XML_ENTITY),
        ("<quiz>&x;</quiz>", Key.XML_BROKEN),
        ("<quiz>" + "<a>" * 200_000, Key.XML_DEEP),
        ("<quiz>" + "<a/>" * 250_001 + "</quiz>", Key.XML_MANY),
        ("<quiz " + " ".join(f"a{n}='x'" for n in range(50_000)) + "/>", Key.EMPTY),
        ("<quiz><question></quiz>", Key.XML_BROKEN),
        ("<html/>", Key.XML_ROOT),
        ("<quiz/>", Key.EMPTY),
        ("bukan xml", Key.XML_BROKEN),
        ("", Key.XML_BROKEN),
        ("<?xml version='1.0' encoding='utf-7'?><quiz/>", Key.ENCODING),
        ("<?xml version='1.0' encoding='cp037'?><quiz/>", Key.ENCODING),
        ("<quiz>" + "x" * 9_000_000 + "</quiz>", Key.TOO_LARGE),
    ],
)
def test_a_file_that_means_harm_is_refused_whole(text: str, key: Key):
    batch = moodle_xml.read(text.encode())
    assert keys(batch) == [key]
    assert batch.questions == ()


def test_a_hidden_document_type_is_found_in_every_encoding():
    text = "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE q [<!ENTITY a 'x'>]><quiz>&a;</quiz>"
    batch = moodle_xml.read(text.encode("utf-16"))
    assert Key.XML_ENTITY in keys(batch)


def test_scripts_are_taken_out_and_said():
    text = (
        "<p onclick='x()'>a<script>alert(1)</script><a href='javascript:x'>b</a>"
        "<iframe src='https://x.example'></iframe><svg onload=x></svg></p>"
    )
    batch = pictured(text)
    assert batch.questions[0].stem.value == "<p>a<a>b</a></p>"
    said = {p.message.removeprefix("taken out of the HTML: ") for p in batch.problems}
    assert said == {"<script>", "<iframe>", "<svg>", "onclick", "onload", "href", "src"}


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-1", "utf-16", "utf-8"])
def test_declared_letters_are_read(encoding: str):
    text = f"<?xml version='1.0' encoding='{encoding}'?><quiz>{question('essay')}</quiz>"
    batch = moodle_xml.read(text.replace("Apa?", "Café?").encode(encoding))
    assert batch.questions[0].stem.value == "Café?"


def test_letters_of_another_encoding_than_declared_are_read_and_said():
    text = f"<?xml version='1.0' encoding='UTF-8'?><quiz>{question('essay')}</quiz>"
    batch = moodle_xml.read(text.replace("Apa?", "“Café”").encode("cp1252"))
    assert batch.questions[0].stem.value == "“Café”"
    assert keys(batch) == [Key.DECODED]


# Writing


def test_a_question_without_a_name_gets_one_and_it_is_said():
    written = moodle_out.write([Question(model.Essay(), Text("<p>Apa ini?</p>", Format.HTML))])
    assert [p.key for p in written.problems] == [Key.NAME_MADE]
    assert moodle_xml.read(written.data).questions[0].name == "Apa ini?"


def test_what_has_no_place_is_said():
    outcomes = model.Outcomes(Text("x"))
    tags = Tags.of(["y" * 60])
    written = moodle_out.write(
        [
            Question(model.Essay(), Text("Apa?"), "a", outcomes=outcomes, tags=tags),
            Question(model.Description(), Text("Baca"), "b", mark=Decimal(2)),
        ]
    )
    assert [p.key for p in written.problems] == [Key.TAG, Key.ELEMENT, Key.ELEMENT]
