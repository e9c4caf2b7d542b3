"""The base of every form: CSRF, and messages that say what to do."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from lms.core.i18n import lazy_gettext as _


class PageForm(FlaskForm):
    """A form of a page. Text is stripped; a field left out is an empty text, never None."""

    class Meta(FlaskForm.Meta):
        """Strip what people type around their answer."""

        def bind_field(self, form: Any, unbound: Any, options: dict[str, Any]) -> Field:
            """Add the stripping filter to text fields."""
            filters: Iterable[Any] = unbound.kwargs.get("filters", ())
            if issubclass(unbound.field_class, StringField):
                unbound.kwargs["filters"] = [*filters, strip] if strip not in filters else filters
            return unbound.bind(form=form, **options)


class LinesField(TextAreaField):
    """A text area read as a list of lines; empty lines are dropped."""

    @property
    def lines(self) -> list[str]:
        """Return what was typed, one entry a line."""
        return [line.strip() for line in (self.data or "").splitlines() if line.strip()]


def strip(value: str | None) -> str:
    """Take blanks off both ends; nothing at all becomes an empty text."""
    return (value or "").strip().replace("\x00", "")


def required() -> InputRequired:
    """Ask for an answer."""
    return InputRequired(_("Bagian ini perlu diisi."))


def at_most(length: int) -> Length:
    """Bound the length of a text, in characters."""
    return Length(max=length, message=_("Paling banyak %(max)d huruf."))


def one_of(values: Iterable[str]) -> Any:
    """Refuse anything but `values`."""
    allowed = frozenset(values)

    def check(_form: object, field: Field) -> None:
        if field.data not in allowed:
            raise ValidationError(_("Pilih salah satu yang tersedia."))

    return check
