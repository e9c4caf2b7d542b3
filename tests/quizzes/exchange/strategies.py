"""Questions of every type, with texts that look like the syntax of every format."""

from decimal import Decimal

from hypothesis import strategies as st

from lms.quizzes.exchange import model
from lms.quizzes.exchange.model import HUNDRED, NOTHING, Format, Question, Tags, Text
from lms.quizzes.exchange.problems import Refused, Report
from lms.quizzes.exchange.texts import Reader

PNG = b"\x89PNG\r\n\x1a\n"
PIECES = [
    "kata", "Apa", "é", "中文", "🙂", " ", "  ", "\n", "\n\n", "\t", "\\", "\\n", "\\:", "\\\\",
    "{", "}", "{}", "#", "####", "=", "~", ":", "::", "%", "%50%", "%-5%", "->", "=>", "//", "*",
    "[", "]", "[html]", "[plain]", "[tag:x]", "[id:y]", "$CATEGORY:", "ANSWER: A", "A) ", "B. ",
    "<", ">", "</", "<b>", "</b>", "<p>tebal</p>", "<br>", "&", "&amp;", "&lt;b&gt;", "]]>", "<!--",
    "-", "+", "@", "=1+1", "'", "''", "'=", '"', ";", ",", ",=", "|", "T", "TRUE", "F", "3.5", "0",
    "\u2028", "\xa0", "_____", "_x0041_", "data:", "http://x.example/a?b=c", "a=b", "sep=;", "x.",
]  # fmt: skip


def raw(most: int = 6) -> st.SearchStrategy[str]:
    """Letters that mean something somewhere."""
    return st.lists(st.sampled_from(PIECES), max_size=most).map("".join)


def canonical(value: str, format_: Format, files: dict[str, str] | None = None) -> Text:
    """The text as a reader keeps it."""
    return Reader(Report()).text(value, format_, files or {})


def line(most: int = 4) -> st.SearchStrategy[str]:
    """A short text of one line; may be empty."""
    return raw(most).map(Reader(Report()).line)


formats = st.sampled_from(Format)
maybe = st.builds(canonical, raw(), formats)
some = maybe.filter(bool)
plain = st.builds(canonical, raw(), st.just(Format.PLAIN)).filter(bool)
words = raw(4).map(Reader(Report()).letters).filter(bool)
weights = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n) / 100_000)
numbers = st.decimals(-1_000_000, 1_000_000, places=4)
tolerances = st.decimals(0, 1000, places=3)


@st.composite
def pictures(draw: st.DrawFn) -> Text:
    """HTML with images of its own."""
    import base64

    names = draw(
        st.lists(st.sampled_from(["a.png", "b c.png", "ä(1).png"]), min_size=1, unique=True)
    )
    files = {name: base64.b64encode(PNG + name.encode()).decode() for name in names}
    shown = "".join(
        f'<img src="@@PLUGINFILE@@/{name}" alt="{alt}">'
        if " " not in name
        else f'<img src="@@PLUGINFILE@@/{name.replace(" ", "%20")}" alt="{alt}">'
        for name in names
        for alt in [draw(st.sampled_from(["", "peta", "a>b"]))]
    )
    return canonical(draw(raw(3)) + "<p>lihat</p>" + shown, Format.HTML, files)


def options(texts: st.SearchStrategy[Text], weights: st.SearchStrategy[Decimal]):
    return st.builds(model.Option, texts, weights, maybe)


@st.composite
def singles(draw: st.DrawFn) -> model.Single:
    found = draw(st.lists(options(some, weights), min_size=2, max_size=5))
    place = draw(st.integers(0, len(found) - 1))
    found[place] = model.Option(found[place].text, HUNDRED, found[place].feedback)
    return model.Single(tuple(found), draw(st.booleans()))


@st.composite
def multiples(draw: st.DrawFn) -> model.Multiple:
    whole = draw(st.booleans())
    weight = st.sampled_from([HUNDRED, Decimal(0)]) if whole else weights
    found = tuple(draw(st.lists(options(some, weight), min_size=2, max_size=5)))
    return model.Multiple(found, whole, draw(st.booleans()))


truths = st.builds(model.TrueFalse, st.booleans(), maybe, maybe)
pairs = st.builds(model.Pair, maybe, line().filter(bool))
matchings = st.builds(
    model.Matching, st.lists(pairs, min_size=2, max_size=5).map(tuple), st.booleans()
)
orderings = st.builds(
    model.Ordering, st.lists(some, min_size=2, max_size=5).map(tuple), st.booleans()
)
shorts = st.builds(
    model.ShortAnswer,
    st.lists(st.builds(model.Accepted, words, weights, maybe), min_size=1, max_size=4).map(tuple),
    st.booleans(),
)
accepted = st.builds(model.Number, numbers, tolerances, weights, maybe) | st.builds(
    model.Number, st.none(), st.just(Decimal(0)), weights, maybe
)
units = st.builds(model.Unit, line().filter(bool), st.decimals(Decimal("0.001"), 1000, places=3))
numerics = st.builds(
    model.Numeric,
    st.lists(accepted, min_size=1, max_size=4).map(tuple),
    st.lists(units, max_size=2).map(tuple),
)
limits = st.none() | st.integers(1, 500)
essays = st.builds(model.Essay, limits, limits, maybe, maybe)
bodies = (
    singles()
    | multiples()
    | truths
    | matchings
    | orderings
    | shorts
    | numerics
    | essays
    | st.just(model.Description())
)
labels = st.lists(
    line()
    | st.sampled_from(["kuk:02.1.1", "kuk:10.2.3", "law:UU 23/2004 ps 16(1)", "level:C3"])
    | st.sampled_from(["source:UU 23/2004", "checked:2026-11-21", "level:C4", "kuk:", ":"]),
    max_size=4,
)
tags = labels.map(Tags.of)
outcomes = st.builds(model.Outcomes, maybe, maybe, maybe)
marks = st.decimals(0, 1000, places=2)


def is_good(question: Question) -> bool:
    """Tell whether a reader would keep it."""
    try:
        model.check(question, Report())
    except Refused:
        return False
    return True


questions = st.one_of(
    st.builds(
        Question,
        bodies,
        some | pictures(),
        name=line(),
        id=line(),
        feedback=maybe,
        outcomes=st.just(model.SILENT) | outcomes,
        hints=st.lists(some, max_size=6).map(tuple),
        tags=tags,
        mark=st.just(Decimal(1)) | marks,
    ),
    st.builds(
        Question,
        st.builds(model.Category, line().filter(bool)),
        maybe,
        id=line(),
        tags=tags,
    ),
).filter(is_good)

bare = st.builds(
    Question,
    singles() | multiples().filter(lambda one: not one.all_or_nothing) | truths | matchings
    | st.builds(model.ShortAnswer, shorts.map(lambda one: one.answers))
    | st.builds(model.Numeric, numerics.map(lambda one: one.answers))
    | orderings | st.just(model.Essay()),
    some | pictures(),
    name=line(),
    id=line(),
    feedback=maybe,
    tags=tags,
).filter(is_good)  # fmt: skip
"""What GIFT has a place for (but for the order of options and a few letters)."""

simple = st.builds(
    Question,
    st.lists(
        st.builds(lambda text: text, plain.filter(lambda one: "\n" not in one.value)),
        min_size=2,
        max_size=6,
    ).flatmap(
        lambda texts: st.integers(0, len(texts) - 1).map(
            lambda key: model.Single(
                tuple(
                    model.Option(text, HUNDRED if n == key else Decimal(0))
                    for n, text in enumerate(texts)
                )
            )
        )
    ),
    plain.filter(lambda one: "\n" not in one.value),
).filter(is_good)
"""What Aiken has a place for."""

__all__ = ["NOTHING", "bare", "canonical", "questions", "raw", "simple"]
