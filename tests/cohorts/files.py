"""Small files of every kind guests may hand out."""

import io
import zipfile
from collections.abc import Iterable

from lms.cohorts.guests.rules import ODP, OFFICE


def zipped(ending: str, extra: Iterable[str] = ()) -> bytes:
    """Return an office file with these further parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        if ending == "odp":
            archive.writestr("mimetype", ODP)
            archive.writestr("content.xml", "<x/>", zipfile.ZIP_DEFLATED)
        else:
            archive.writestr("[Content_Types].xml", "<x/>", zipfile.ZIP_DEFLATED)
            archive.writestr(OFFICE[ending], "<x/>", zipfile.ZIP_DEFLATED)
        for name in extra:
            archive.writestr(name, "x")
    return packed.getvalue()


GOOD = {
    "pdf": b"%PDF-1.7\n%%EOF\n",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(8),
    "jpg": b"\xff\xd8\xff\xe0" + bytes(8),
    "pptx": zipped("pptx"),
    "docx": zipped("docx"),
    "odp": zipped("odp"),
}
