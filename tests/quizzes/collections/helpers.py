"""Files of questions, and how a browser sends them."""

import base64
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.quizzes.collections import services
from lms.quizzes.collections.models import QuestionCollection, QuestionImport
from tests.factories import NOW

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIFT = """// [tag:kuk:02.1.1] [tag:law:UU 23/2004 ps 16]
::S1::Siapa yang memutuskan? {=Penyintas#Ya, keputusan ada padanya. ~Pelatih ~Ketua RT ~Kader}

// [tag:kuk:02.1.1]
::S2::Nomor SAPA {=129}

::S3::Korban boleh menolak visum. {T}

Soal tanpa jawaban {

::S4::Pasangkan. {=a -> 1 =b -> 2 =c -> 3}

::S5::Berapa jam? {#24:0}
"""
SVG = base64.b64encode(b"<svg onload='x()'/>").decode()
MOODLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<quiz>
<question type="multichoice">
 <name><text>Gambar</text></name>
 <questiontext format="html">
  <text><![CDATA[<p onclick="alert(1)">Apa ini?<script>alert(2)</script></p>
  <img src="@@PLUGINFILE@@/peta.png" alt="peta"><img src="@@PLUGINFILE@@/jahat.svg">]]></text>
  <file name="peta.png" encoding="base64">{base64.b64encode(PNG).decode()}</file>
  <file name="jahat.svg" encoding="base64">{SVG}</file>
 </questiontext>
 <answer fraction="100" format="html"><text>Peta</text></answer>
 <answer fraction="0" format="html"><text>Foto</text></answer>
 <single>true</single>
 <tags><tag><text>kuk:03.1.1</text></tag></tags>
</question>
</quiz>
"""


def viewer_of(person: Any, *roles: str) -> Viewer:
    """The person as pages know them."""
    return Viewer(person.id, person.public_id, person.name, frozenset(roles), "id", "t")


def collection(person: Any, *roles: str, title: str = "Koleksi", **values: Any) -> str:
    """Make a collection; return its public id."""
    viewer = viewer_of(person, *(roles or ("trainer",)))
    values = {"organisation_id": None, "shared": False} | values
    with unit_of_work():
        return services.create_collection(title, viewer=viewer, now=NOW, **values).public_id


def bring(person: Any, public_id: str, data: str | bytes = GIFT, format_: str = "gift") -> str:
    """Read a file into a collection and confirm it; return the public id of the file."""
    made = preview(person, public_id, data, format_)
    with unit_of_work():
        services.confirm(made, viewer_of(person, "admin"), now=NOW)
    return made


def preview(person: Any, public_id: str, data: str | bytes = GIFT, format_: str = "gift") -> str:
    """Read a file into a collection as a preview; return its public id."""
    raw = data.encode() if isinstance(data, str) else data
    batch = services.read(raw, format_)
    person_id = person.id
    with unit_of_work():
        found = db.session.scalars(
            select(QuestionCollection).where(QuestionCollection.public_id == public_id)
        ).one()
        return services.keep(
            batch, found.id, source=f"soal.{format_}", format_=format_, actor_id=person_id, now=NOW
        ).public_id


def send(browser: FlaskClient, public_id: str, data: bytes, name: str, format_: str = ""):
    """Send a file as a browser does."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="format"\r\n\r\n{format_}\r\n'.encode(),
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode(),
    ]
    return browser.post(
        f"/soal/koleksi/{public_id}/impor",
        data=b"".join(parts) + data + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )


def file_of(public_id: str) -> QuestionImport:
    """The file as it is stored now."""
    db.session.rollback()
    return db.session.scalars(
        select(QuestionImport).where(QuestionImport.public_id == public_id)
    ).one()
