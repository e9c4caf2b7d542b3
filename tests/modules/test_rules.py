from hypothesis import given
from hypothesis import strategies as st

from lms.modules.rules import (
    Block,
    BlockKind,
    count_words,
    sentences,
    split_blocks,
)

TEXT = """Pembuka.

::: law UU 23/2004 ps 19
Polisi menyelidiki.
:::

## Bagian

::: care Bagian berikut menyebut ancaman | 3
Berat.

Dua alinea.
:::
::: do
- catat
:::

Penutup."""


def test_a_text_is_cut_at_its_fences():
    blocks, faults = split_blocks(TEXT)
    assert faults == []
    assert blocks == [
        Block(kind=BlockKind.PROSE, text="Pembuka.", line=1),
        Block(kind=BlockKind.LAW, text="Polisi menyelidiki.", line=4, title="UU 23/2004 ps 19"),
        Block(kind=BlockKind.PROSE, text="## Bagian", line=6),
        Block(
            kind=BlockKind.CARE,
            text="Berat.\n\nDua alinea.",
            line=10,
            title="Bagian berikut menyebut ancaman",
            minutes=3,
        ),
        Block(kind=BlockKind.DO, text="- catat", line=15),
        Block(kind=BlockKind.PROSE, text="Penutup.", line=17),
    ]


def faults_of(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in split_blocks(text)[1]]


def test_each_fault_names_its_line():
    assert faults_of("a\n:::") == [(2, "::: closes nothing; a block begins with its kind")]
    assert faults_of("a\n\n::: do\n- b") == [(3, "the block is not closed: ::: do")]
    assert faults_of("::: do\nb\n::: never\nc\n:::") == [
        (3, "a block begins inside the block of line 1")
    ]
    assert faults_of("x\n::: tip\nb\n:::") == [(2, "unknown kind of block: tip")]
    assert faults_of("::: prose\nb\n:::") == [(1, "unknown kind of block: prose")]
    assert faults_of("::: do\n\n:::") == [(1, "the block is empty: ::: do")]
    assert faults_of("::: case\nb\n:::") == [(1, "a case block needs title")]
    assert faults_of("::: do Judul\nb\n:::") == [(1, "a do block has no title")]
    assert faults_of("::: care Berat\nb\n:::") == [
        (1, "a care block says how long it takes: ::: care Title | minutes")
    ]
    assert faults_of("::: case Ibu L. | 3\nb\n:::") == [(1, "a case block has no minutes")]
    assert faults_of("::: law UU 1/2000 ps 1\na\n\nb\n:::") == [(2, "a law block is one paragraph")]


WORD = st.text(alphabet="abc ", min_size=1, max_size=12).filter(str.strip)
HEADS = st.sampled_from(["do", "never", "case Ibu L.", "law UU 1/2000 ps 1", "care Berat | 2"])


@given(st.lists(st.tuples(st.none() | HEADS, WORD), max_size=8))
def test_what_is_written_as_blocks_is_read_back(parts: list[tuple[str | None, str]]):
    lines, previous = [], "x"
    wanted: list[tuple[str, str]] = []
    for head, text in parts:
        if head is None:
            if previous is None:  # two stretches of prose in a row are one
                wanted[-1] = ("prose", f"{wanted[-1][1]}\n{text}")
            else:
                wanted.append(("prose", text))
            lines.append(text)
        else:
            lines += [f"::: {head}", text, ":::"]
            wanted.append((head.split()[0], text))
        previous = head
    blocks, faults = split_blocks("\n".join(lines))
    assert faults == []
    assert [(block.kind.value, block.text) for block in blocks] == wanted


@given(st.text(alphabet=":\n d|aowe", max_size=80))
def test_no_text_breaks_the_parser_and_no_line_is_lost_silently(text: str):
    blocks, faults = split_blocks(text)
    lines = text.split("\n")
    for block in blocks:
        assert block.text.split("\n")[0].strip() or "\n" in block.text
        assert 1 <= block.line <= len(lines)
    assert all(1 <= fault.line <= len(lines) for fault in faults)
    if not faults:
        kept = "\n".join(block.text for block in blocks)
        prose = [line for line in lines if line.strip() and not line.startswith(":::")]
        assert [line for line in kept.split("\n") if line.strip()] == prose


def test_words_are_what_people_read():
    assert count_words("Ibu R. datang.\n\n::: law UU 23/2004 ps 19\nDua kata.\n:::") == 5
    assert count_words("") == 0


def test_sentences_end_at_stops_lists_and_cells():
    text = "Satu dua tiga. Empat lima?\n\n- butir satu dua\n- butir tiga empat\n\n| a b | c d e |"
    assert [(s.line, s.words) for s in sentences(text)] == [
        (1, 3), (1, 2), (3, 3), (4, 3), (6, 2), (6, 3),
    ]  # fmt: skip


def test_a_fence_line_is_no_sentence():
    assert [s.words for s in sentences("::: case Ibu L. di ruang tunggu\n\nIa duduk diam.")] == [3]


def test_a_closed_quotation_ends_its_sentence():
    assert [s.words for s in sentences("> “Saya percaya Ibu.” Lalu tunggu.")] == [3, 2]
