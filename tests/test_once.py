"""What a process remembers is what the code says, and nobody can spoil it for the next."""

from lms.config import CONTENT
from lms.core import content
from lms.modules.law import wrong
from lms.modules.law.texts import passages
from tests import once


def test_a_text_that_was_read_before_reads_as_it_stands_there():
    for path in [CONTENT / "schemes.yaml", *sorted(CONTENT.glob("*/items.yaml"))[:1]]:
        text = path.read_text(encoding="utf-8")
        for _ in range(2):
            node, data = content._parse_fast(text)
            plain_node, plain = once._parse(text)
            assert data == plain
            assert str(node) == str(plain_node)
        data.clear()
        assert content._parse_fast(text)[1] == plain


def test_a_changed_text_is_read_anew():
    assert content._parse_fast("a: 1")[1] == {"a": 1}
    assert content._parse_fast("a: 2")[1] == {"a": 2}
    assert content._parse_fast("a: [") is None
    assert content._parse_fast("") == (None, None)


def test_mistakes_are_found_again_and_others_by_other_patterns():
    known, problems = wrong.check(CONTENT)
    assert problems == []
    texts = [one.text for one in passages(CONTENT / wrong.FILE)]
    plain = [[*once._find(text, known)] for text in texts]
    assert any(plain)
    for _ in range(2):
        assert [[*wrong.find(text, known)] for text in texts] == plain
    assert not any(True for text in texts for _ in wrong.find(text, []))
    again = wrong.check(CONTENT)[0]
    assert [[*wrong.find(text, again)] for text in texts] == plain
