"""Small material for practising, right in every way, and a folder it can stand in."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from lms.config import CONTENT

FOLDER = "k1-asesmen-risiko"
CARD: dict[str, Any] = {
    "minute": 0,
    "to": ["polsek"],
    "kind": "pesan",
    "text": "Ibu T.: “Saya takut.”",
    "expects": "Bertanya apakah aman.",
    "never": "Menelepon balik.",
    "act": "H8",
    "kuk": ["03.1.1"],
}
RUBRIC: dict[str, Any] = {
    "kuk": "03.1.1",
    "levels": {"0": ["Tidak bertanya."], "1": ["Bertanya sebagian."], "2": ["Bertanya semua."]},
}
HEAD: dict[str, Any] = {
    "code": "K1.T",
    "title": "Satu malam",
    "title_en": "One night",
    "lesson": "K1.T",
    "content_note": "Menyebut ancaman, tanpa rincian.",
    "review": {"status": "unreviewed"},
}
DRILL: dict[str, Any] = HEAD | {
    "stop_word": "Jeda",
    "seats": [
        {
            "id": seat,
            "name": seat.title(),
            "name_en": f"{seat} office",
            "task": f"Tugas {seat}.",
            "private": f"Yang hanya diketahui {seat}.",
        }
        for seat in ("polsek", "dinsos")
    ],
    "rounds": [
        {
            "id": "r1",
            "title": "Malam",
            "title_en": "Night",
            "minutes": 10,
            "situation": "Pukul sepuluh.",
            "goal": "Bertanya dulu.",
            "playing": ["polsek", "dinsos"],
            "injects": [CARD, CARD | {"minute": 5, "to": ["dinsos", "polsek"], "act": None}],
            "debrief": ["Apa yang menolong?"],
        }
    ],
    "rubric": [RUBRIC],
}
ROLES: dict[str, Any] = HEAD | {
    "code": "K1.11",
    "case": "Semua orang rekaan.\n\nIbu T. meminta bantuan.\n",
    "agenda": [{"minute": 0, "text": "Pembukaan."}, {"minute": 20, "text": "Penutup."}],
    "ground_rules": ["Sebut kode kasus."],
    "roles": [
        {
            "id": role,
            "name": role.title(),
            "name_en": f"{role} office",
            "mandate": f"Mandat {role}.",
            "law": ["UU 23/2004 ps 16"],
            "knows": f"Pengetahuan {role}.",
            "may_offer": ["Jadwal."],
            "must_not": ["Membuka lokasi."],
            "trap": "Bercerita semua.",
        }
        for role in ("polres", "lpsk")
    ],
    "debrief": ["Apa yang berubah?"],
    "rubric": [RUBRIC],
}


def field(name: str, kind: str, *, required: bool = True, **more: object) -> dict[str, Any]:
    """Return one field of the form."""
    label = f"Isian {name}"
    return {
        "id": name,
        "label": label,
        "label_en": label,
        "kind": kind,
        "required": required,
    } | more


def entry(name: str, value: object) -> dict[str, Any]:
    """Return one right entry."""
    return {"field": name, "value": value, "why": f"Sebab {name}.", "trap": ""}


RECORD: dict[str, Any] = HEAD | {
    "code": "K1.10",
    "lesson": "K1.10",
    "fields": [
        field("kode", "text", help="Bukan nama."),
        field("tanggal", "date", required=False),
        field("risiko", "choice", choices=["Tinggi", "Belum jelas"], sensitive=True),
        field("anak", "number"),
        field("setuju", "yesno"),
    ],
    "cases": [
        {
            "id": "satu",
            "title": "Telepon sore",
            "story": "Ibu R. menelepon.",
            "entries": [
                entry("kode", "KC-01"),
                entry("risiko", "Tinggi"),
                entry("anak", 2),
                entry("setuju", True),
            ],
        }
    ],
    "rules": ["Catat fakta dan sumbernya."],
}
FILES: dict[str, dict[str, Any]] = {
    "drills/k1t.yaml": DRILL,
    "roles/k111.yaml": ROLES,
    "records/k110.yaml": RECORD,
}


def copy(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which no part is shared: YAML would write it as an alias."""
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


def folder(path: Path) -> Path:
    """Put lessons of K1 and one file of each kind into a folder."""
    home = path / FOLDER
    home.mkdir(parents=True)
    for name in ("curriculum.yaml", "10-digital-dan-jejak.md", "11-lokakarya.md"):
        shutil.copy(CONTENT / FOLDER / name, home / name)
    for name, document in FILES.items():
        write(path, name, document)
    return path


def write(path: Path, name: str, document: dict[str, Any]) -> Path:
    """Write one file of material, each value on lines of its own."""
    target = path / FOLDER / name
    target.parent.mkdir(exist_ok=True)
    text = yaml.safe_dump(copy(document), allow_unicode=True, sort_keys=False, width=1000)
    target.write_text(text, encoding="utf-8")
    return target
