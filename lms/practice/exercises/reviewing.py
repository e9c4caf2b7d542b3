"""Drills, role cards and recording exercises as texts that can be reviewed."""

from collections.abc import Iterator, Sequence

from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.core.reviewing import Listed, Passage, Piece, laws_of
from lms.practice.exercises import labels
from lms.practice.exercises.content import DrillSpec, RecordSpec, RolesSpec, RubricSpec
from lms.practice.exercises.rules import ExerciseKind
from lms.practice.exercises.services import Entry, list_all, read_spec

KINDS = {
    ExerciseKind.DRILL: "drill",
    ExerciseKind.ROLES: "roles",
    ExerciseKind.RECORD: "record",
}


def list_texts() -> list[Listed]:
    """Return the material in use. One query; the texts of role cards come from a cache."""
    return [_listed(one) for one in list_all()]


def _listed(entry: Entry) -> Listed:
    laws: tuple[str, ...] = ()
    if entry.kind is ExerciseKind.ROLES:
        spec = read_spec(entry)
        if isinstance(spec, RolesSpec):
            laws = laws_of(dict.fromkeys(law for role in spec.roles for law in role.law))
    return Listed(
        kind=KINDS[entry.kind],
        code=entry.code,
        digest=entry.digest,
        curriculum=entry.curriculum,
        title=entry.title,
        title_en=entry.title_en,
        reviewed=entry.reviewed,
        laws=laws,
        url=f"/latihan/bahan/{entry.slug}",
    )


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return one piece of material as a whole. At most two queries. Raises NotFound."""
    entry = next((one for one in list_all() if one.digest == listed.digest), None)
    if entry is None:
        raise NotFound(listed.code)
    spec = read_spec(entry)
    note = Passage("note", _("Catatan isi"), (Piece(spec.content_note, tone="care"),))
    if isinstance(spec, DrillSpec):
        parts = _drill(spec)
    elif isinstance(spec, RolesSpec):
        parts = _roles(spec)
    else:
        parts = _record(spec)
    return (note, *parts)


def _lines(texts: Sequence[str]) -> str:
    return "\n".join(texts)


def _flow(text: str) -> str:
    """Join the lines of a paragraph: in these files only an empty line ends one."""
    return "\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _drill(spec: DrillSpec) -> Iterator[Passage]:
    for seat in spec.seats:
        own = (Piece(seat.task, _("Tugas")), Piece(seat.private, _("Hanya kursi ini")))
        yield Passage(f"seat-{seat.id}", pick(seat.name, seat.name_en), own)
    for each in spec.rounds:
        pieces = (
            Piece(each.situation),
            Piece(each.goal, _("Tujuan")),
            *(
                Piece(
                    _lines(
                        [
                            inject.text,
                            _("Diharapkan: %(text)s", text=inject.expects),
                            _("Jangan: %(text)s", text=inject.never),
                        ]
                    ),
                    _(
                        "Menit %(minute)d, %(way)s, untuk %(seats)s; %(kuk)s",
                        minute=inject.minute,
                        way=labels.WAYS[inject.kind],
                        seats=", ".join(inject.to),
                        kuk=", ".join([*inject.kuk, *([inject.act] if inject.act else [])]),
                    ),
                    "other",
                )
                for inject in each.injects
            ),
            Piece(_lines(each.debrief), _("Pertanyaan sesudahnya")),
        )
        yield Passage(f"round-{each.id}", pick(each.title, each.title_en), pieces)
    yield from _rubric(spec.rubric)


def _roles(spec: RolesSpec) -> Iterator[Passage]:
    agenda = [f"{one.minute}' {one.text}" for one in spec.agenda]
    yield Passage("case", _("Kasus"), (Piece(_flow(spec.case)),))
    yield Passage(
        "agenda",
        _("Acara"),
        (Piece(_lines(agenda)), Piece(_lines(spec.ground_rules), _("Aturan bersama"))),
    )
    for role in spec.roles:
        pieces = (
            Piece(role.mandate, _("Mandat")),
            Piece("; ".join(role.law), _("Hukum")),
            Piece(role.knows, _("Yang diketahui")),
            Piece(_lines(role.may_offer), _("Boleh ditawarkan")),
            Piece(_lines(role.must_not), _("Tidak boleh")),
            Piece(role.trap, _("Jebakan")),
        )
        yield Passage(f"role-{role.id}", pick(role.name, role.name_en), pieces)
    yield Passage("debrief", _("Pertanyaan sesudahnya"), (Piece(_lines(spec.debrief)),))
    yield from _rubric(spec.rubric)


def _record(spec: RecordSpec) -> Iterator[Passage]:
    names = {one.id: pick(one.label, one.label_en) for one in spec.fields}
    fields = tuple(
        Piece(_lines([one.help or "–", "; ".join(one.choices)]), names[one.id])
        for one in spec.fields
    )
    yield Passage("fields", _("Isian formulir"), fields)
    for case in spec.cases:
        entries = (
            Piece(
                _lines([one.value, one.why, one.trap]),
                names.get(one.field, one.field),
                "best",
            )
            for one in case.entries
        )
        yield Passage(f"case-{case.id}", case.title, (Piece(_flow(case.story)), *entries))
    yield Passage("rules", _("Aturan mencatat"), (Piece(_lines(spec.rules)),))


def _rubric(rubric: Sequence[RubricSpec]) -> Iterator[Passage]:
    for entry in rubric:
        pieces = (
            Piece(_lines(signs), str(labels.LEVELS.get(level, level)))
            for level, signs in entry.levels.items()
        )
        yield Passage(f"rubric-{entry.kuk}", _("Rubrik %(code)s", code=entry.kuk), tuple(pieces))
