"""How long a guest may look in, and whether a file is what its name says: no Flask, no database."""

import io
import zipfile
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.cohorts.guests.rules import (
    ENDINGS,
    LARGEST_FILE,
    LONGEST_NAME,
    ODP,
    BadFile,
    access_ends_on,
    check_file,
    file_name,
    has_access,
)
from tests.cohorts import files

ENDS = date(2026, 12, 10)


def check(name: str, body: bytes, size: int | None = None) -> tuple[str, str]:
    found = check_file(
        name, len(body) if size is None else size, lambda at, length: body[at : at + length]
    )
    return found.name, found.kind


def test_access_lasts_two_weeks_after_the_class_unless_another_day_is_chosen():
    assert access_ends_on(None, ENDS) == ENDS + timedelta(days=14)
    assert access_ends_on(ENDS, ENDS) == ENDS
    assert has_access(ENDS, ENDS)
    assert not has_access(ENDS + timedelta(days=1), ENDS)


def test_every_kind_is_accepted_when_it_is_what_it_says():
    """The positive control of all that follows."""
    assert set(files.GOOD) == set(ENDINGS)
    for ending, body in files.GOOD.items():
        assert check(f"Materi.{ending.upper()}", body) == (f"Materi.{ending}", ending)
    assert check("foto.jpeg", files.GOOD["jpg"]) == ("foto.jpg", "jpg")


@pytest.mark.parametrize("ending", ENDINGS)
def test_other_content_under_a_good_name_is_refused(ending: str):
    for body in (b"<html><script>1</script>", b"<svg xmlns='x'/>", b"MZ\x90", b"PK\x03\x04rest"):
        with pytest.raises(BadFile, match="content"):
            check(f"a.{ending}", body)
    for other, body in files.GOOD.items():
        if other != ending:
            with pytest.raises(BadFile, match="content"):
                check(f"a.{ending}", body)


@pytest.mark.parametrize(
    "name", ["a.html", "a.svg", "a.exe", "a.pptm", "a.pdf.html", "a", "", ".", "a.", "a.pdf\x00.js"]
)
def test_other_endings_are_refused(name: str):
    with pytest.raises(BadFile, match="kind"):
        check(name, files.GOOD["pdf"])


def test_size_is_bounded_and_nothing_is_read_before():
    def read(_at: int, _length: int) -> bytes:
        raise AssertionError("read")

    body = files.GOOD["pdf"]
    assert check("a.pdf", body, LARGEST_FILE) == ("a.pdf", "pdf")
    with pytest.raises(BadFile, match="large"):
        check_file("a.pdf", LARGEST_FILE + 1, read)
    with pytest.raises(BadFile, match="empty"):
        check_file("a.pdf", 0, read)


@pytest.mark.parametrize(
    ("ending", "part"),
    [("pptx", "ppt/vbaProject.bin"), ("docx", "word/VBAPROJECT.BIN"), ("odp", "Basic/Standard/M")],
)
def test_programs_are_refused(ending: str, part: str):
    body = files.zipped(ending, extra=[part])
    with pytest.raises(BadFile, match="macro"):
        check(f"a.{ending}", body)
    assert check(f"a.{ending}", files.zipped(ending, extra=["thumbnail.jpeg"]))


def test_a_malformed_zip_is_refused_without_reading_it_all():
    body = files.GOOD["pptx"]
    end = body.rindex(b"PK\x05\x06")
    huge = body[: end + 12] + (2**31).to_bytes(4, "little") + body[end + 16 :]
    beyond = body[: end + 16] + (2**31).to_bytes(4, "little") + body[end + 20 :]
    for bad in (huge, beyond, body + b"x", body[:-1], body[:10]):
        with pytest.raises(BadFile, match="content"):
            check("a.pptx", bad)


def test_a_presentation_says_first_what_it_is():
    """A zip that only holds the type somewhere is not one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("content.xml", "<x/>")
        archive.writestr("mimetype", ODP)
    with pytest.raises(BadFile, match="content"):
        check("a.odp", packed.getvalue())


@given(st.binary(max_size=200), st.sampled_from(ENDINGS))
def test_no_bytes_make_the_check_stumble(body: bytes, ending: str):
    for rest in (b"", files.GOOD["pptx"][-60:]):
        with suppress(BadFile):
            check(f"a.{ending}", b"PK\x03\x04" + body + rest)


@given(st.text(max_size=300))
def test_names_are_plain_and_short(name: str):
    clean = file_name(name)
    assert len(clean) <= LONGEST_NAME
    assert clean.isprintable()
    assert not set(clean) & set('/\\<>:"|?*')
    whole = file_name(f"{name}.pdf")
    assert len(whole) <= LONGEST_NAME
    assert whole.endswith(".pdf")
    assert file_name(whole) == whole


def test_names_lose_folders_and_keep_their_words():
    assert file_name("C:\\Data\\Materi  K5 (final).PDF") == "Materi K5 (final).pdf"
    assert file_name("../../etc/materi.pdf") == "materi.pdf"
    assert file_name(".pdf") == "materi.pdf"
    assert file_name("x" * 300 + ".pptx") == "x" * (LONGEST_NAME - 5) + ".pptx"
