"""A sitting with one question of each type. What is secret before its end says RAHASIA."""

from decimal import Decimal

from sqlalchemy import select

from lms.core.db import db, unit_of_work
from lms.quizzes.exchange.model import (
    HUNDRED,
    Accepted,
    Essay,
    Kind,
    Matching,
    Multiple,
    Number,
    Numeric,
    Option,
    Ordering,
    Outcomes,
    Pair,
    Question,
    ShortAnswer,
    Single,
    Text,
    TrueFalse,
    Unit,
)
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemVersion
from lms.quizzes.services import AttemptRef
from lms.quizzes.sheets import asked_of
from lms.quizzes.types import stored

ZERO, HALF = Decimal(0), Decimal(50)


def why(what: str) -> Text:
    return Text(f"RAHASIA alasan {what}")


QUESTIONS = {
    Kind.SINGLE: Question(
        Single(
            tuple(
                Option(Text(f"Langkah {n}"), HUNDRED if n == 3 else ZERO, why(f"langkah {n}"))
                for n in range(1, 6)
            )
        ),
        Text("Langkah mana yang paling aman?"),
        feedback=why("umum"),
    ),
    Kind.MULTIPLE: Question(
        Multiple(
            (
                Option(Text("Tanyakan dulu"), HALF, why("tanya")),
                Option(Text("Dengarkan"), HALF, why("dengar")),
                Option(Text("Hubungi suaminya"), ZERO, why("suami")),
                Option(Text("Sebarkan fotonya"), ZERO, why("foto")),
            )
        ),
        Text("Apa saja yang dilakukan lebih dulu?"),
    ),
    Kind.TRUE_FALSE: Question(
        TrueFalse(answer=False, when_true=why("ya"), when_false=why("tidak")),
        Text("Pendamping boleh memutuskan bagi korban."),
    ),
    Kind.MATCHING: Question(
        Matching(
            (
                Pair(Text("Luka di kepala"), "Puskesmas"),
                Pair(Text("Laporan pidana"), "Polres"),
                Pair(Text("Tempat aman"), "Rumah aman"),
                Pair(Text(), "Kantor pajak"),
            )
        ),
        Text("Ke mana dirujuk?"),
        outcomes=Outcomes(right=why("tepat semua"), partly=why("sebagian"), wrong=why("salah")),
    ),
    Kind.ORDERING: Question(
        Ordering((Text("Aman dulu"), Text("Dengarkan"), Text("Rujuk"))),
        Text("Urutkan langkahnya."),
    ),
    Kind.SHORT_ANSWER: Question(
        ShortAnswer((Accepted("RAHASIA visum", feedback=why("visum")),)),
        Text("Apa nama surat dari dokter?"),
    ),
    Kind.NUMERIC: Question(
        Numeric(
            (Number(Decimal("2.5"), Decimal("0.1"), feedback=why("angka")),),
            (Unit("jam"), Unit("menit", Decimal(60))),
        ),
        Text("Berapa lama?"),
    ),
    Kind.ESSAY: Question(
        Essay(5, 200, guidance=why("pedoman")), Text("Ceritakan langkah Anda malam itu.")
    ),
}


def ask(kuk: list[str]) -> dict[Kind, str]:
    """Make every item of some KUK a question of another type; return the KUK of each type."""
    chosen = dict(zip(QUESTIONS, kuk, strict=False))
    with unit_of_work():
        for kind, code in chosen.items():
            rows = db.session.scalars(
                select(ItemVersion)
                .join(Item, Item.id == ItemVersion.item_id)
                .where(Item.kuk == code)
            )
            for row in rows:
                row.kind, row.stem, row.body = stored.pack(QUESTIONS[kind])
                row.options, row.key = [], ""
    return chosen


def lines(ref: AttemptRef) -> list[tuple[int, str, list[str]]]:
    """Return position, type and the right values of each question of a sitting."""
    rows = db.session.execute(
        select(AttemptItem, ItemVersion)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .where(Attempt.public_id == ref.public_id)
        .order_by(AttemptItem.position)
    )
    found = []
    for line, version in rows:
        asked = asked_of(version)
        right = asked.type.solve(asked.body, line.option_order)
        found.append((line.position, version.kind, values(right)))
    return found


def values(response) -> list[str]:
    """Return what the fields of a page hold that gives this response."""
    match response:
        case None:
            return ["Saya akan mendengarkan dan bertanya apa yang ia perlukan."]
        case {"choice": n}:
            return [str(n)]
        case {"picks": found} | {"places": found}:
            return [str(n) for n in found]
        case {"answer": answer}:
            return ["true" if answer else "false"]
        case {"text": text, "unit": unit}:
            return [text, unit]
        case _:
            return [response["text"]]
