"""Forms of cohorts."""

from collections.abc import Iterable
from typing import Any

from wtforms import (
    FieldList,
    Form,
    FormField,
    HiddenField,
    PasswordField,
    StringField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, NumberRange, Optional, Regexp

from lms.accounts.forms import email_field
from lms.cohorts import labels, rules
from lms.cohorts.models import Organisation
from lms.cohorts.services import Timetabled
from lms.cohorts.timetable import TWO_DAYS, in_order
from lms.config import ZONES
from lms.core.forms import (
    LinesField,
    PageForm,
    at_most,
    choice_field,
    count_field,
    day_field,
    one_of,
    required,
)
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _

LONGEST_LINE = 80
"""Letters of one line of a letterhead: more would not fit the paper."""
SPARE_ROWS = 2
"""Empty rows at the end of the timetable of a new class."""


class AcceptForm(PageForm):
    """Somebody new: the name for the certificate and a password, twice."""

    name = StringField(_("Nama lengkap"), validators=[required(), at_most(120)])
    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])
    again = PasswordField(
        _("Ulangi kata sandi"),
        validators=[required(), EqualTo("password", message=_("Kedua kata sandi belum sama."))],
    )


class JoinForm(PageForm):
    """Somebody who has an account already."""

    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])


class InviteForm(PageForm):
    """Whom to invite, as what, from where. Roles and organisations are set by the page."""

    email = email_field()
    name = StringField(_("Nama"), validators=[required(), at_most(120)])
    role = choice_field(_("Diundang sebagai"))
    organisation = choice_field(_("Instansi yang mengutus"))

    def validate_organisation(self, field: Any) -> None:
        """Ask for an organisation where the role needs one."""
        if self.role.data in rules.NEEDS_ORGANISATION and not field.data:
            raise ValidationError(_("Pilih instansi yang mengutus."))


class OrganisationForm(PageForm):
    """An organisation."""

    name = StringField(_("Nama instansi"), validators=[required(), at_most(120)])
    kind = choice_field(
        _("Jenis"),
        choices=[SelectChoice(kind.value, label) for kind, label in labels.KINDS.items()],
    )
    city = StringField(_("Kota atau kabupaten"), validators=[required(), at_most(80)])


class OfficerForm(PageForm):
    """Somebody with an account who is to ask in the name of an organisation."""

    email = email_field()


class StaffForm(PageForm):
    """Somebody with an account who is to work in a class."""

    email = email_field(id="tim-email")  # the page of a class has another field of this name
    part = choice_field(
        _("Bagian"),
        choices=[SelectChoice(part.value, label) for part, label in labels.PARTS.items()],
    )


class ConflictForm(PageForm):
    """Who may not assess whom, and why. People are set by the page."""

    assessor = choice_field(_("Penilai"))
    person = choice_field(_("Peserta"))
    kind = choice_field(
        _("Hubungan"),
        choices=[SelectChoice(kind.value, label) for kind, label in labels.CONFLICTS.items()],
    )


class ClassForm(PageForm):
    """The basic data of a class, and what stands on its certificates."""

    title = StringField(_("Nama kelas"), validators=[required(), at_most(80)])
    host = choice_field(_("Instansi penyelenggara"))
    city = StringField(_("Kota atau kabupaten"), validators=[required(), at_most(80)])
    place = StringField(_("Tempat tatap muka"), validators=[required(), at_most(120)])
    zone = choice_field(_("Zona waktu"), choices=[SelectChoice(zone) for zone in ZONES])
    starts_on = day_field(_("Hari pertama"), validators=[required()])
    ends_on = day_field(_("Hari terakhir"), validators=[required()])
    letterhead = LinesField(_("Kop sertifikat"), validators=[required(), at_most(400)])
    signatory_title = StringField(_("Jabatan penanda tangan"), validators=[required(), at_most(90)])
    signatory_name = StringField(_("Nama penanda tangan"), validators=[required(), at_most(90)])
    signatory_number = StringField(_("NIP penanda tangan"), validators=[at_most(30)])

    def validate_ends_on(self, field: Any) -> None:
        """Refuse a class that ends before it begins."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("Hari terakhir tidak boleh sebelum hari pertama."))

    def validate_letterhead(self, field: Any) -> None:
        """Refuse what would not fit the paper."""
        if len(field.lines) > 4 or any(len(line) > LONGEST_LINE for line in field.lines):
            raise ValidationError(_("Paling banyak 4 baris, masing-masing paling banyak 80 huruf."))


class TimetableRow(Form):
    """One entry of the timetable; without a title it is left out."""

    class Meta(PageForm.Meta):
        """The page's form carries the token."""

        csrf = False

    day = choice_field(
        _("Hari"), choices=[SelectChoice("1", _("Hari 1")), SelectChoice("2", _("Hari 2"))]
    )
    half = choice_field(
        _("Waktu"), choices=[SelectChoice(key, label) for key, label in labels.HALVES.items()]
    )
    title = StringField(_("Acara"), validators=[at_most(90)])
    title_en = StringField(_("Acara dalam bahasa Inggris"), validators=[at_most(90)])
    jp = count_field(
        _("JP"),
        default=0,
        validators=[
            Optional(),
            NumberRange(min=0, max=8, message=_("Antara %(min)s dan %(max)s JP.")),
        ],
    )
    lesson_code = StringField(
        _("Kode pelajaran"),
        validators=[
            Optional(),
            Regexp(r"^(K[1-5]|T)\.T$", message=_("Tulis seperti K1.T, atau kosongkan.")),
        ],
    )


class TimetableField(FieldList):
    """The rows of a timetable. What is wrong is said as sentences that name the row."""

    def validate(self, form: Any, extra_validators: Iterable[Any] = ()) -> bool:
        """Check every row."""
        good: bool = super().validate(form, extra_validators)
        self.errors = [
            gettext("Baris %(number)d: %(text)s", number=number, text=text)
            for number, row in enumerate(self.entries, 1)
            for texts in row.errors.values()
            for text in texts
        ]
        return good


class NewClassForm(ClassForm):
    """A class with its address and its two days."""

    slug = StringField(_("Alamat kelas"), validators=[required(), at_most(rules.LONGEST_SLUG)])
    timetable = TimetableField(
        FormField(TimetableRow),
        label=_("Jadwal dua hari"),
        default=lambda: [*TWO_DAYS, *[{}] * SPARE_ROWS],
        max_entries=20,
    )

    def validate_slug(self, field: Any) -> None:
        """Say what is wrong with the address of a class."""
        messages = {
            "form": _("Pakai huruf kecil, angka, dan tanda hubung, misalnya kota-contoh-1."),
            "ours": _("Alamat ini sudah dipakai halaman lain. Pilih yang lain."),
            "loaded": _("Alamat terlihat di riwayat peramban. Pilih kata yang netral."),
        }
        try:
            rules.check_slug(field.data)
        except rules.BadSlug as error:
            raise ValidationError(messages[str(error)]) from None

    @property
    def sessions(self) -> list[Timetabled]:
        """The rows with a title, numbered within each half day."""
        rows = (row.form for row in self.timetable if row.form.title.data)
        return list(
            in_order(
                Timetabled(
                    day=int(row.day.data),
                    half=row.half.data,
                    position=0,
                    title=row.title.data,
                    title_en=row.title_en.data or row.title.data,
                    jp=row.jp.data or 0,
                    lesson_code=row.lesson_code.data or None,
                )
                for row in rows
            )
        )


class SessionForm(PageForm):
    """What one entry of the timetable is called and who speaks. Speakers are set by the page."""

    title = StringField(_("Acara"), validators=[required(), at_most(90)])
    title_en = StringField(_("Acara dalam bahasa Inggris"), validators=[required(), at_most(90)])
    speaker = choice_field(_("Narasumber"))


class StaffPartForm(PageForm):
    """Which part of whom ends: hidden fields of a button."""

    person = HiddenField(validators=[required(), at_most(40)])
    part = HiddenField(validators=[one_of([part.value for part in labels.PARTS])])


class OfficerEndForm(PageForm):
    """Whose appointment ends: the hidden field of a button."""

    person = HiddenField(validators=[required(), at_most(40)])


class ConflictEndForm(PageForm):
    """Which conflict was declared by mistake: hidden fields of a button."""

    assessor = HiddenField(validators=[required(), at_most(40)])
    person = HiddenField(validators=[required(), at_most(40)])
    kind = HiddenField(validators=[one_of([kind.value for kind in labels.CONFLICTS])])


def organisation_choices(
    organisations: Iterable[Organisation], *, empty: str | None = None
) -> list[SelectChoice]:
    """Return organisations as a list to choose from, after a first empty entry when asked for."""
    first = [SelectChoice("", empty)] if empty is not None else []
    return first + [SelectChoice(one.public_id, one.name) for one in organisations]
