"""The bank of a curriculum goes into every format, with its KUK and its law."""

import pytest

from lms.config import CONTENT
from lms.core.content import read_yaml
from lms.quizzes.content import ItemSpec, read_items
from lms.quizzes.exchange import formats, model
from lms.quizzes.exchange.problems import Key

PATH = CONTENT / "k1-asesmen-risiko" / "items.yaml"


def test_every_item_of_the_bank_is_read():
    batch = formats.read("suluh", PATH.read_bytes())
    bank = [item for _n, item in read_items(read_yaml(PATH))[0]]
    assert [p.key for p in batch.problems] == [Key.REVIEW]
    for question, item in zip(batch.questions, bank, strict=True):
        assert isinstance(item, ItemSpec)
        assert isinstance(question.body, model.Single)
        assert question.body.right == ("ABCD".index(item.key),)
        assert [one.feedback.value for one in question.body.options] == [
            one.rationale for one in item.options.by_letter().values()
        ]
        assert (question.id, question.stem.value) == (item.id, item.stem)
        assert question.tags.kuk == (item.kuk,)
        assert question.tags.law_ref == tuple(item.law_ref)
        assert (question.tags.level, question.tags.checked_on) == (item.level, item.checked_on)


@pytest.mark.parametrize("name", [one for one in formats.WRITABLE if one != "aiken"])
def test_the_bank_survives_every_format(name: str):
    questions = formats.read("suluh", PATH.read_bytes()).questions
    written = formats.write(name, questions)
    assert formats.read(name, written.data).questions == questions
    assert {p.key for p in written.problems} <= {Key.TAG}


def test_aiken_says_that_kuk_and_law_are_lost():
    questions = formats.read("suluh", PATH.read_bytes()).questions
    written = formats.write("aiken", questions)
    assert (written.count, written.refused) == (len(questions), 0)
    assert any("KUK, law" in p.message and p.count == len(questions) for p in written.problems)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("items: [", Key.YAML, 1),
        ("a: 1", Key.YAML, 1),
        ("- a", Key.YAML, 1),
        ("items:\n  - &x {id: a}\n  - *x", Key.YAML, 3),
        ("items:\n  - id: a\n    kuk: 3", Key.YAML, 3),
    ],
)
def test_what_is_not_a_bank_is_refused_with_its_line(text: str, key: Key, line: int):
    batch = formats.read("suluh", text.encode())
    assert [(p.key, p.line) for p in batch.problems] == [(key, line)]
