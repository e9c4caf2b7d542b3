"""Forms of cohorts."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, Optional, Regexp

from lms.accounts.forms import EMAIL, email_field
from lms.cohorts import labels, rules
from lms.cohorts.models import Cohort, Organisation
from lms.cohorts.officers import Vouching
from lms.cohorts.services import ClassData
from lms.cohorts.timetables.rules import BadDates, check_dates
from lms.config import ZONES
from lms.core import consent
from lms.core.forms import (
    BoxesField,
    Filled,
    LinesField,
    PageForm,
    at_most,
    choice_field,
    day_field,
    one_of,
    required,
)
from lms.core.i18n import lazy_gettext as _

LONGEST_LINE = 80
"""Letters of one line of a letterhead: more would not fit the paper."""


class AcceptForm(PageForm):
    """Somebody new: the name for the certificate and a password, twice."""

    name = StringField(_("Nama lengkap"), validators=[required(), at_most(120)])
    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])
    again = PasswordField(
        _("Ulangi kata sandi"),
        validators=[required(), EqualTo("password", message=_("Kedua kata sandi belum sama."))],
    )
    agree = BooleanField(_("Saya sudah membaca dan menyetujui pemakaian data ini"))

    def validate_agree(self, field: Any) -> None:
        """Ask for the tick where consent is asked here."""
        if consent.is_asked() and not field.data:
            raise ValidationError(_("Beri tanda bila Anda setuju. Tanpa itu akun tidak dibuat."))


class JoinForm(PageForm):
    """Somebody who has an account already."""

    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])


def _vouching(beginning: str = "", *, needed: bool = True) -> dict[str, Any]:
    """Return the fields that say on whose word somebody is an officer; ids begin as told."""
    return {
        "vouched_by": StringField(
            _("Dijamin oleh"),
            id=f"{beginning}vouched_by",
            description=_("Nama dan jabatan atasan yang menunjuk."),
            validators=[*([required()] if needed else []), at_most(120)],
        ),
        "letter": StringField(
            _("Nomor surat tugas"), id=f"{beginning}letter", validators=[at_most(60)]
        ),
        "letter_on": day_field(
            _("Tanggal surat"), id=f"{beginning}letter_on", validators=[Optional()]
        ),
        "note": StringField(_("Catatan"), id=f"{beginning}note", validators=[at_most(200)]),
    }


class InviteForm(PageForm):
    """Whom to invite, as what, from where. Roles and organisations are set by the page."""

    email = email_field()
    name = StringField(_("Nama"), validators=[required(), at_most(120)])
    role = choice_field(_("Diundang sebagai"))
    organisation = choice_field(_("Instansi yang mengutus"))
    vouched_by, letter, letter_on, note = _vouching(needed=False).values()

    def validate_organisation(self, field: Any) -> None:
        """Ask for an organisation where the role needs one."""
        if self.role.data in rules.NEEDS_ORGANISATION and not field.data:
            raise ValidationError(_("Pilih instansi yang mengutus."))

    def validate_vouched_by(self, field: Any) -> None:
        """Ask on whose word an officer is invited."""
        if self.role.data == "agency" and not (field.data or "").strip():
            raise ValidationError(
                _("Tulis siapa yang menjamin petugas ini. Tanpa jaminan ia tidak melihat apa pun.")
            )


class OrganisationForm(PageForm):
    """An organisation."""

    name = StringField(_("Nama instansi"), validators=[required(), at_most(120)])
    kind = choice_field(
        _("Jenis"),
        choices=[SelectChoice(kind.value, label) for kind, label in labels.KINDS.items()],
    )
    city = StringField(_("Kota atau kabupaten"), validators=[required(), at_most(80)])


class OtherNameForm(PageForm):
    """Another name of an organisation."""

    other = StringField(_("Nama lain"), validators=[required(), at_most(120)])
    name_kind = choice_field(
        _("Sebagai"),
        choices=[SelectChoice(kind.value, label) for kind, label in labels.NAME_KINDS.items()],
    )
    until = day_field(_("Dipakai sampai"), validators=[Optional()])


class OtherNameEndForm(PageForm):
    """Which other name goes: the hidden field of a button."""

    id = HiddenField(validators=[required(), at_most(40)])


class MergeForm(PageForm):
    """Into which organisation another is merged. Organisations are set by the page."""

    into = choice_field(_("Gabungkan ke"), validators=[Filled(_("Pilih instansinya."))])
    sure = BooleanField(
        _("Kedua catatan ini benar satu instansi. Penggabungan tidak dapat diurai.")
    )


class OfficerForm(PageForm):
    """Somebody with an account who is to ask in the name of an organisation, and who vouches."""

    email = email_field()
    vouched_by, letter, letter_on, note = _vouching().values()


class VouchForm(PageForm):
    """Who vouches for an officer who came by invitation. People are set by the page."""

    person = choice_field(_("Petugas"))
    vouched_by, letter, letter_on, note = _vouching("jamin-").values()


def vouching_of(form: InviteForm | OfficerForm | VouchForm) -> Vouching:
    """Return on whose word an officer is to stand, as typed."""
    return Vouching(
        by=form.vouched_by.data,
        letter=form.letter.data,
        letter_on=form.letter_on.data,
        note=form.note.data,
    )


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
    """The data of a class, and what stands on its certificates. The page sets `last_day`."""

    last_day = 0
    """The last day its timetable uses already."""
    title = StringField(_("Nama kelas"), validators=[required(), at_most(80)])
    host = choice_field(_("Instansi penyelenggara"))
    city = StringField(_("Kota atau kabupaten"), validators=[required(), at_most(80)])
    zone = choice_field(_("Zona waktu"), choices=[SelectChoice(zone) for zone in ZONES])
    starts_on = day_field(_("Hari pertama"), validators=[required()])
    ends_on = day_field(_("Hari terakhir"), validators=[required()])
    place = StringField(_("Tempat tatap muka"), validators=[required(), at_most(120)])
    address = TextAreaField(_("Alamat dan cara ke sana"), validators=[at_most(400)])
    contact_name = StringField(_("Narahubung"), validators=[at_most(80)])
    contact_phone = StringField(
        _("Telepon narahubung"),
        validators=[
            Optional(),
            Regexp(
                r"^\+?[0-9][0-9 ()./-]{4,28}$",
                message=_("Tulis nomor telepon dengan angka, misalnya 0812 3456 7890."),
            ),
        ],
    )
    contact_email = StringField(
        _("E-mail narahubung"),
        validators=[
            Optional(),
            at_most(254),
            Regexp(EMAIL, message=_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id.")),
        ],
    )
    bring = LinesField(_("Yang dibawa peserta"), validators=[at_most(600)])
    letterhead = LinesField(_("Kop sertifikat"), validators=[required(), at_most(400)])
    signatory_title = StringField(_("Jabatan penanda tangan"), validators=[required(), at_most(90)])
    signatory_name = StringField(_("Nama penanda tangan"), validators=[required(), at_most(90)])
    signatory_number = StringField(_("NIP penanda tangan"), validators=[at_most(30)])

    def validate_ends_on(self, field: Any) -> None:
        """Refuse days that make no class, or too few for the timetable that is there."""
        if field.data is None or self.starts_on.data is None:
            return
        messages = {
            "order": _("Hari terakhir tidak boleh sebelum hari pertama."),
            "long": _("Kelas paling lama 31 hari dari hari pertama. Periksa tanggalnya."),
            "days": _(
                "Jadwal memuat acara sampai hari ke-%(day)s. Pindahkan atau hapus dulu acaranya.",
                day=self.last_day,
            ),
        }
        try:
            check_dates(self.starts_on.data, field.data, self.last_day)
        except BadDates as error:
            raise ValidationError(messages[str(error)]) from None

    def validate_contact_name(self, field: Any) -> None:
        """Ask for a way to reach somebody who is named."""
        if field.data and not (self.contact_phone.data or self.contact_email.data):
            raise ValidationError(_("Tulis juga telepon atau e-mail narahubung."))

    def validate_letterhead(self, field: Any) -> None:
        """Refuse what would not fit the paper."""
        if len(field.lines) > 4 or any(len(line) > LONGEST_LINE for line in field.lines):
            raise ValidationError(_("Paling banyak 4 baris, masing-masing paling banyak 80 huruf."))

    def read(self, host_id: int) -> ClassData:
        """Return what was typed. `host_id` is the organisation chosen as host."""
        typed: dict[str, Any] = {
            field.name: self[field.name].data for field in fields(ClassData) if field.name in self
        }
        typed["letterhead"] = self.letterhead.lines
        typed["bring"] = "\n".join(self.bring.lines)
        return ClassData(host_id=host_id, **typed)


def typed_before(cohort: Cohort) -> dict[str, Any]:
    """Return what the form of a class shows before anything is typed, except the host."""
    known = {field.name: getattr(cohort, field.name) for field in fields(ClassData)}
    return known | {"letterhead": "\n".join(cohort.letterhead)}


class NewClassForm(ClassForm):
    """A class with its address."""

    slug = StringField(_("Alamat kelas"), validators=[required(), at_most(rules.LONGEST_SLUG)])

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


class CurriculaForm(PageForm):
    """Which curricula a class covers. The page sets what there is."""

    curricula = BoxesField(_("Kurikulum"))
    renew = BooleanField(_("Pakai isi yang berlaku sekarang untuk semua kurikulum yang dipilih"))


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
