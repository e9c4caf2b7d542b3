"""The base of every form: CSRF, and messages that say what to do."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import (
    DateField,
    Field,
    FileField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.i18n import lazy_gettext as _


class PageForm(FlaskForm):
    """A form of a page. Text is stripped; a field left out is an empty text, never None."""

    class Meta(FlaskForm.Meta):
        """Strip what people type around their answer; read nothing but what a form can send."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Return what was sent: texts, and files only where the form asks for one.

            Flask-WTF would also read a JSON body, whose values may be of any type and depth.
            """
            if isinstance(formdata, MultiDict) or formdata is None:
                return formdata
            if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
                return None
            asked = {field.name for field in form if isinstance(field, FileField)}
            files = MultiDict(pair for pair in request.files.items(multi=True) if pair[0] in asked)
            return CombinedMultiDict((files, request.form)) if files else request.form or None

        def bind_field(self, form: Any, unbound: Any, options: dict[str, Any]) -> Field:
            """Add the stripping filter to text fields."""
            filters: Iterable[Any] = unbound.kwargs.get("filters", ())
            if issubclass(unbound.field_class, StringField):
                many = issubclass(unbound.field_class, TextAreaField | PasswordField)
                clean = strip if many else one_line
                unbound.kwargs["filters"] = [*filters, clean] if clean not in filters else filters
            return unbound.bind(form=form, **options)


class LinesField(TextAreaField):
    """A text area read as a list of lines; empty lines are dropped."""

    @property
    def lines(self) -> list[str]:
        """Return what was typed, one entry a line."""
        return [line.strip() for line in (self.data or "").splitlines() if line.strip()]


class BoxesField(SelectMultipleField):
    """Boxes to tick, any number of them."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def day_field(label: str, **options: Any) -> DateField:
    """Return the field of a day; what cannot be read is answered with a sentence of ours."""
    message = _("Tulis tanggal lengkap, misalnya 2026-12-09.")
    return DateField(label, invalid_value_message=message, **options)


def count_field(label: str, **options: Any) -> IntegerField:
    """Return the field of a whole number."""
    message = _("Tulis bilangan bulat, misalnya 2.")
    return IntegerField(label, invalid_value_message=message, **options)


def choice_field(label: str, **options: Any) -> SelectField:
    """Return a list to choose one from."""
    message = _("Pilih salah satu yang tersedia.")
    return SelectField(label, invalid_choice_message=message, **options)


def strip(value: str | None) -> str:
    """Take blanks off both ends; nothing at all becomes an empty text."""
    return (value or "").replace("\x00", "").strip()


def one_line(value: str | None) -> str:
    """Make a name one plain line: it stands in letters and lists, where a break could forge one.

    Control characters and marks that turn the direction of writing disappear. However a letter
    was put together, it is stored one way (NFC): equal names are equal texts.
    """
    kept = value or ""
    if not kept.isprintable():  # else none of those is in it, and nothing is looked at by letter
        kept = "".join(
            letter
            for letter in kept
            if letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
        )
    return " ".join(unicodedata.normalize("NFC", kept).split())


class Filled(InputRequired):
    """Ask for an answer; blanks are none."""

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse what was left out, and a text that is empty once it is stripped."""
        super().__call__(form, field)
        if field.data == "":
            raise StopValidation(self.message)


def required() -> InputRequired:
    """Ask for an answer."""
    return Filled(_("Bagian ini perlu diisi."))


def at_most(length: int) -> Length:
    """Bound the length of a text, in characters."""
    return Length(max=length, message=_("Paling banyak %(max)d huruf."))


def one_of(values: Iterable[str | int]) -> Any:
    """Refuse anything but `values`."""
    allowed = frozenset(values)

    def check(_form: object, field: Field) -> None:
        if field.data not in allowed:
            raise ValidationError(_("Pilih salah satu yang tersedia."))

    return check
