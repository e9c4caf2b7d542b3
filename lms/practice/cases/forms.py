"""Forms of case studies: writing, handing in, marking."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wtforms import BooleanField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange

from lms.competency import qualities
from lms.competency.quality_forms import QualityForm
from lms.competency.rules import Kuk
from lms.core.forms import PageForm, at_most, required
from lms.core.i18n import gettext, pick
from lms.core.i18n import lazy_gettext as _
from lms.practice.cases import rules
from lms.practice.cases.rules import Gap, Mark, Receipt

if TYPE_CHECKING:
    from lms.practice.cases.content import TaskSpec

ANSWER, SEEN, MARK, NOTE = "jawaban-", "tampak-", "hasil-", "catatan-"
"""Beginnings of field names; a task or a KUK follows."""
LEVELS = {"0": 0, "1": 1, "2": 2}


class DraftForm(PageForm):
    """One answer, sent by a script while somebody types. The text stands in the named field."""

    field = StringField(validators=[required(), at_most(60)])
    page = HiddenField(validators=[required(), at_most(40)])
    seq = IntegerField(validators=[InputRequired(), NumberRange(1, 2**31 - 1)])

    @property
    def task(self) -> str:
        """The task whose answer this is."""
        return str(self.field.data).removeprefix(ANSWER)


class WriteForm(PageForm):
    """The answers of all open parts; `page` names this opened page."""

    page = HiddenField(validators=[required(), at_most(40)])
    tasks: tuple[str, ...] = ()

    @property
    def answers(self) -> dict[str, str]:
        """Text per task."""
        return {task: self[ANSWER + task].data for task in self.tasks}

    @property
    def seen(self) -> dict[str, str]:
        """What the page showed per task, as rules.trace."""
        return {task: self[SEEN + task].data for task in self.tasks}

    def show(self, texts: Mapping[str, str], page: str) -> None:
        """Fill the form with stored texts, for a page that is opened now."""
        self.page.data = page
        for task in self.tasks:
            self[ANSWER + task].data = texts.get(task, "")
            self[SEEN + task].data = rules.trace(texts.get(task, ""))

    def explain(self, receipts: Mapping[str, Receipt], stored: Mapping[str, str]) -> bool:
        """Say which answers were changed elsewhere; returns whether any was.

        What was typed stays in its field; saving once more replaces the other text.
        """
        clashes = [task for task, found in receipts.items() if found is Receipt.CONFLICT]
        for task in clashes:
            self[SEEN + task].data = rules.trace(stored[task])
            self[ANSWER + task].errors = [
                gettext(
                    "Bagian ini juga berubah di tab atau perangkat lain. Gabungkan tulisan Anda "
                    "dengan yang tersimpan di bawahnya, lalu simpan lagi."
                )
            ]
        return bool(clashes)


def write_form(tasks: "Iterable[TaskSpec]") -> type[WriteForm]:
    """Build the form of these parts."""
    listed = list(tasks)
    fields: dict[str, object] = {"tasks": tuple(task.id for task in listed)}
    for task in listed:
        fields[ANSWER + task.id] = TextAreaField(
            pick(task.title, task.title_en), validators=[at_most(rules.LONGEST)]
        )
        fields[SEEN + task.id] = HiddenField(validators=[at_most(16)])
    return type("TasksForm", (WriteForm,), fields)


class HandInForm(PageForm):
    """The last look before handing in. `reviewed` tells which texts were looked over."""

    reviewed = HiddenField(validators=[at_most(16)])
    confirm = BooleanField(
        _("Jawaban saya sudah saya periksa. Saya tahu jawaban tidak dapat diubah selama dinilai."),
        validators=[InputRequired(_("Centang bila jawaban sudah Anda periksa."))],
    )


class MarkForm(QualityForm):
    """Marks, notes and feedback of one submission, and what the assessor says of its quality."""

    feedback = TextAreaField(
        _("Umpan balik untuk peserta"), validators=[required(), at_most(rules.LONGEST_FEEDBACK)]
    )
    kuk: tuple[str, ...] = ()
    critical: frozenset[str] = frozenset()

    @property
    def marks(self) -> dict[str, Mark]:
        """What was chosen and noted per KUK."""
        return {
            code: Mark(LEVELS.get(self[MARK + code].data), self[NOTE + code].data)
            for code in self.kuk
        }

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields and, in the same go, that no mark lacks its level or its note."""
        valid = bool(super().validate(extra_validators))
        try:
            rules.check_marks(self.kuk, self.marks, self.critical)
        except rules.MarksIncomplete as error:
            self._explain(error.gaps)
            return False
        if not all(qualities.supports(mark.level, self.stated) for mark in self.marks.values()):
            self.form_errors.append(
                gettext("Bukti yang kurang mutunya hanya dapat ditandai “Belum aman”.")
            )
            return False
        return valid

    def _explain(self, gaps: Mapping[str, Gap]) -> None:
        for code, gap in gaps.items():
            if gap is Gap.MARK:
                self[MARK + code].errors = [gettext("Pilih tingkat untuk %(kuk)s.", kuk=code)]
            else:
                self[NOTE + code].errors = [
                    gettext("Tulis catatan untuk %(kuk)s: apa yang perlu ditambah.", kuk=code)
                ]


def mark_form(criteria: Iterable[Kuk]) -> type[MarkForm]:
    """Build the form that marks these criteria."""
    listed = tuple(criteria)
    fields: dict[str, object] = {
        "kuk": tuple(kuk.code for kuk in listed),
        "critical": frozenset(kuk.code for kuk in listed if kuk.critical),
    }
    for kuk in listed:
        fields[MARK + kuk.code] = StringField(kuk.code)
        fields[NOTE + kuk.code] = TextAreaField(
            gettext("Catatan untuk %(kuk)s", kuk=kuk.code),
            validators=[at_most(rules.LONGEST_NOTE)],
        )
    return type("CriteriaForm", (MarkForm,), fields)
