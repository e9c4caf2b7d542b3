"""What pages cost: queries, bytes, and how the database finds its rows. Nothing is timed.

Queries are counted over the whole request, finding who is signed in among them, in a class of 25
and in one of 250 people.
"""

import json
import pickle
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from lms.accounts.models import Person
from lms.app import create_app
from lms.cohorts.models import Cohort
from lms.config import Config
from lms.core.db import db
from lms.core.ids import public_id
from lms.reports import services as reports
from tests import crowd, factories
from tests.conftest import SqliteHome, made_once
from tests.crowd import Crowd
from tests.measure import ROOT, unmeasured
from tests.queries import Sent, watched

pytestmark = pytest.mark.walk
KIB = 1024
FEW, MANY = 25, 250
Page = tuple[str | None, str, int]
"""Who opens it (see tests/crowd.py; None is a stranger), its address, how many queries it costs."""

PAGES: list[Page] = [
    (None, "/static/css/suluh.css", 0),
    (None, "/healthz", 1),
    (None, "/readyz", 1),
    (None, "/metrics", 0),
    (None, "/masuk", 1),
    (None, "/masuk/kedua", 0),
    (None, "/masuk/lupa", 0),
    (None, "/masuk/kode", 0),
    (None, "/masuk/baru/{key}", 1),
    (None, "/masuk/lembaga", 0),
    (None, "/masuk/lembaga/kembali", 0),
    (None, "/mulai", 1),
    (None, "/bantuan", 0),
    (None, "/aman", 0),
    (None, "/privasi", 0),
    (None, "/c", 0),
    (None, "/C", 0),
    (None, "/c?kode={code}", 2),
    (None, "/c/{code}", 2),
    (None, "/C/{code}", 2),
    (None, "/c/{revoked}", 2),
    (None, "/c/{unknown}", 1),
    (None, "/c/bukan-kode", 1),
    (None, "/undangan/{token}", 3),
    (None, "/undangan/batal", 0),
    ("learner", "/undangan/{token}", 4),
    ("learner", "/", 6),
    ("beginner", "/", 6),
    ("holder", "/", 6),
    ("trainer", "/", 9),
    ("assessor", "/", 7),
    ("speaker", "/", 2),
    ("agency", "/", 19),
    ("author", "/", 10),
    ("reviewer", "/", 10),
    ("admin", "/", 5),
    ("learner", "/akun", 8),
    ("learner", "/pemberitahuan", 3),
    ("learner", "/akun/kedua", 4),
    ("learner", "/akun/surel/{key}", 2),
    ("learner", "/akun/data", 3),
    (None, "/privasi/data", 1),
    (None, "/privasi/pemberitahuan", 0),
    (None, "/privasi/urung/{key}", 1),
    ("learner", "/privasi/persetujuan", 1),
    ("learner", "/pelajaran", 3),
    ("trainer", "/pelajaran", 3),
    ("learner", "/modul/k1/6", 5),
    ("learner", "/modul/k1/11", 6),
    ("trainer", "/modul/k1/11", 6),
    ("learner", "/istilah", 1),
    ("learner", "/istilah?cari=visum", 1),
    ("learner", "/latihan/bahan", 2),
    ("trainer", "/latihan/bahan", 2),
    ("trainer", "/latihan/bahan/{drill}", 4),
    ("trainer", "/latihan/bahan/{drill}/kartu", 2),
    ("author", "/laporan/cakupan-kurikulum", 2),
    ("trainer", "/laporan/cakupan-kurikulum?hanya=kurang", 2),
    ("admin", "/laporan/cakupan-kurikulum.csv", 2),
    ("trainer", "/laporan/butir", 4),
    ("author", "/laporan/butir?tanda=sulit&urut=p", 4),
    ("trainer", "/laporan/butir/K1-0321-1/1", 2),
    ("trainer", "/angkatan/{slug}/kuis", 3),
    ("trainer", "/angkatan/{slug}/kuis/baru", 5),
    ("trainer", "/angkatan/{slug}/kuis/baru?koleksi={questions}&dari={before}", 9),
    ("trainer", "/angkatan/{slug}/kuis/{before}/ubah", 3),
    ("trainer", "/angkatan/{slug}/kuis/{before}/hasil", 8),
    ("trainer", "/angkatan/{slug}/kuis/{before}/hasil.csv", 8),
    ("trainer", "/angkatan/{slug}/kuis/pasangan/{pair}", 10),
    ("trainer", "/angkatan/{slug}/kuis/pasangan/{pair}.csv", 10),
    ("beginner", "/angkatan/{slug}/kuis-saya", 4),
    ("learner", "/angkatan/{slug}/kuis-saya/{before}", 4),
    ("learner", "/angkatan/{slug}/kuis-saya/{before}/hasil/{sat_before}", 8),
    ("trainer", "/soal/koleksi", 4),
    ("trainer", "/soal/koleksi/baru", 2),
    ("trainer", "/soal/koleksi/{questions}", 10),
    ("trainer", "/soal/koleksi/{questions}?jenis=single&label=kuk:02.1.1&hal=2", 10),
    ("trainer", "/soal/koleksi/{questions}/ubah", 4),
    ("trainer", "/soal/koleksi/{questions}/impor", 3),
    ("trainer", "/soal/koleksi/{questions}/ekspor/gift", 5),
    ("trainer", "/soal/koleksi/{questions}/unduh/xlsx?impor={brought}", 8),
    ("trainer", "/soal/impor/{brought}", 6),
    ("trainer", "/soal/impor/{read}", 6),
    ("trainer", "/soal/contoh/csv", 1),
    ("learner", "/soal/gambar/{image}", 2),
    ("beginner", "/kuis/k1", 5),
    ("learner", "/kuis/k1", 5),
    ("learner", "/kuis/k1/{running}", 6),
    ("learner", "/kuis/k1/{running}/periksa", 4),
    ("learner", "/kuis/k1/{closed}/hasil", 11),
    ("learner", "/latihan/s1", 11),
    ("author", "/latihan/s1", 11),
    ("learner", "/latihan/putaran/{graded}", 3),
    ("learner", "/latihan/putaran/{graded}/1", 4),
    ("learner", "/latihan/putaran/{practice}", 3),
    ("learner", "/latihan/putaran/{finished}", 9),
    ("reader", "/studi-kasus/sk1", 7),
    ("waiter", "/studi-kasus/sk1", 9),
    ("learner", "/studi-kasus/sk1", 15),
    ("learner", "/studi-kasus/sk1/tulis", 13),
    ("learner", "/studi-kasus/sk1/periksa", 8),
    ("learner", "/kompetensi", 5),
    ("learner", "/sertifikat", 8),
    ("holder", "/sertifikat", 9),
    ("holder", "/sertifikat/{code}/berkas", 3),
    ("trainer", "/sertifikat/{code}/berkas", 4),
    ("holder", "/sertifikat/{code}/jejak", 5),
    ("trainer", "/sertifikat/{code}/jejak?unit=semua", 5),
    ("trainer", "/angkatan", 2),
    ("speaker", "/angkatan", 2),
    ("admin", "/angkatan", 2),
    ("trainer", "/angkatan/{slug}", 9),
    ("trainer", "/angkatan/{slug}?urut=nama&jenis=puskesmas", 9),
    ("admin", "/angkatan/{slug}?unit=03&urut=tercapai", 9),
    ("trainer", "/angkatan/{slug}/capaian.csv", 5),
    ("trainer", "/angkatan/{slug}/capaian.xlsx", 5),
    ("trainer", "/angkatan/{slug}/persiapan", 6),
    ("trainer", "/angkatan/{slug}/pesan", 7),
    ("trainer", "/angkatan/{slug}/pesan?alasan=quiet", 7),
    ("trainer", "/angkatan/{slug}/peserta/{learner}", 19),
    ("trainer", "/angkatan/{slug}/peserta/{learner}/waktu", 4),
    ("trainer", "/angkatan/{slug}/pleno", 15),
    ("assessor", "/angkatan/{slug}/pleno?skema=PENDAMPING&hal=1", 14),
    ("trainer", "/angkatan/{slug}/pleno/{learner}/K1", 19),
    ("trainer", "/angkatan/{slug}/pleno/tanda-tangan?siapa={learner}", 15),
    ("trainer", "/angkatan/{slug}/pleno/berita-acara", 10),
    ("trainer", "/angkatan/{slug}/penerbitan", 8),
    ("trainer", "/angkatan/{slug}/penerbitan/{job}", 9),
    ("trainer", "/angkatan/{slug}/penerbitan/{job}/berkas/1", 7),
    ("trainer", "/angkatan/{slug}/hadir", 10),
    ("trainer", "/angkatan/{slug}/hadir?bagian=1am", 10),
    ("trainer", "/angkatan/{slug}/hadir/di-tempat", 6),
    ("trainer", "/angkatan/{slug}/hadir/kode", 6),
    ("trainer", "/angkatan/{slug}/hadir/kode.svg?bagian=1am", 4),
    ("trainer", "/angkatan/{slug}/hadir/langsung", 6),
    ("trainer", "/angkatan/{slug}/hadir/lembar", 10),
    ("trainer", "/angkatan/{slug}/hadir/lembar.pdf", 4),
    ("learner", "/hadir", 5),
    ("learner", "/hadir/{slug}/ABCDEF", 2),
    (None, "/hadir/{slug}/ABCDEF", 0),
    ("trainer", "/angkatan/{slug}/rekap", 21),
    ("admin", "/angkatan/{slug}/rekap.csv", 13),
    ("admin", "/angkatan/{slug}/rekap.xlsx", 13),
    ("admin", "/angkatan/{slug}/rekap.pdf", 22),
    ("admin", "/laporan/rekap", 7),
    ("trainer", "/laporan/rekap?tahun=2026&jenis=polsek", 7),
    ("admin", "/laporan/rekap.csv", 7),
    ("admin", "/laporan/rekap.xlsx", 7),
    ("trainer", "/angkatan/{slug}/undangan", 4),
    ("trainer", "/angkatan/{slug}/kursi", 12),
    ("trainer", "/angkatan/kelas-0/kursi", 14),
    ("trainer", "/angkatan/kelas-0/kursi?hal=2", 14),
    ("admin", "/angkatan/kelas-0/kursi/atur", 6),
    ("trainer", "/angkatan/kelas-0/kursi/catatan", 5),
    ("trainer", "/angkatan/kelas-0/kursi/catatan?periksa=1", 6),
    ("trainer", "/angkatan/kelas-0/kursi/daftar.csv", 8),
    ("agency", "/instansi/calon", 14),
    ("agency", "/instansi/calon/kelas-0", 18),
    ("agency", "/instansi/kalender", 14),
    ("agency", "/instansi/laporan", 15),
    ("agency", "/instansi/laporan?tahun=2020&hal=1", 15),
    ("agency", "/instansi/laporan.csv", 15),
    ("agency", "/instansi/laporan.xlsx", 15),
    ("agency", "/instansi/laporan.pdf", 15),
    ("learner", "/angkatan/{slug}/masukan", 3),
    ("trainer", "/angkatan/{slug}/hasil-masukan", 4),
    ("admin", "/angkatan/{slug}/hasil-masukan.csv", 4),
    ("learner", "/angkatan/{slug}/rencana", 7),
    (None, "/tinjau/{look}", 3),
    ("trainer", "/angkatan/{slug}/rencana-kelas", 7),
    ("trainer", "/angkatan/{slug}/rencana-kelas.csv", 6),
    ("agency", "/instansi/rencana", 5),
    ("trainer", "/silsilah", 8),
    ("admin", "/silsilah", 3),
    ("trainer", "/angkatan/{slug}/silsilah", 9),
    ("admin", "/silsilah/orang/{learner}", 6),
    ("admin", "/silsilah/versi?versi=K1%7Cv1", 6),
    ("admin", "/silsilah/versi.csv?versi=K1%7Cv1", 4),
    ("assessor", "/angkatan/{slug}/observasi", 9),
    ("assessor", "/angkatan/{slug}/observasi/ST1", 17),
    ("assessor", "/angkatan/{slug}/observasi/ST1?siapa={learner}&siapa={waiter}", 17),
    ("assessor", "/angkatan/{slug}/observasi/ST1/peserta/{learner}", 14),
    ("assessor", "/menilai", 5),
    ("trainer", "/menilai/esai", 3),
    ("admin", "/menilai/esai?setelah={written}", 4),
    ("assessor", "/menilai/esai/{written}/1", 7),
    ("trainer", "/moderasi", 9),
    ("admin", "/laporan/kesepakatan", 3),
    ("trainer", "/laporan/kesepakatan.csv", 2),
    ("trainer", "/moderasi/beda/{dispute}", 11),
    ("trainer", "/moderasi/banding/{appeal}", 12),
    ("trainer", "/angkatan/{slug}/penilai", 9),
    ("learner", "/banding", 7),
    ("learner", "/banding/baru", 7),
    ("assessor", "/menilai/{waiting}", 11),
    ("assessor", "/menilai/{decided}", 12),
    ("agency", "/instansi", 5),
    ("agency", "/instansi?hal=2", 5),
    ("agency", "/instansi?tingkat=K1&status=soon", 5),
    ("agency", "/instansi/periksa", 2),
    ("agency", "/instansi/periksa/daftar", 2),
    ("agency", "/instansi/piket", 4),
    ("agency", "/instansi/piket/atur", 8),
    ("agency", "/instansi/cakupan", 11),
    ("agency", "/instansi/cakupan.csv", 9),
    ("agency", "/instansi/pengaduan", 8),
    ("agency", "/instansi/pengaduan/baru", 3),
    ("agency", "/instansi/pengaduan/aduan0", 8),
    ("agency", "/instansi/cakupan/orang/{learner}", 7),
    ("holder", "/sertifikat/pertanyaan", 7),
    ("admin", "/admin/pengaduan", 6),
    ("admin", "/admin/pengaduan/aduan0", 7),
    ("admin", "/admin/kuis", 3),
    ("admin", "/admin/orang", 4),
    ("admin", "/admin/orang?peran=trainee&cari=peserta&setelah=a", 4),
    ("admin", "/admin/orang/{learner}", 6),
    ("admin", "/admin/angkatan", 2),
    ("admin", "/admin/angkatan/baru", 2),
    ("admin", "/admin/angkatan/{slug}", 10),
    ("admin", "/admin/angkatan/{slug}/ubah", 4),
    ("admin", "/admin/angkatan/{slug}/kurikulum", 5),
    ("admin", "/admin/angkatan/{slug}/jadwal", 5),
    ("admin", "/admin/angkatan/{slug}/jadwal/baru?hari=2", 3),
    ("admin", "/admin/angkatan/{slug}/jadwal/3", 4),
    ("admin", "/admin/angkatan/draf/periksa", 8),
    ("admin", "/admin/angkatan/{slug}/narasumber", 8),
    ("speaker", "/angkatan/{slug}/narasumber", 6),
    ("learner", "/angkatan/{slug}/agenda", 9),
    ("trainer", "/angkatan/{slug}/agenda", 9),
    ("learner", "/angkatan/{slug}/agenda.ics", 3),
    ("learner", "/angkatan/{slug}/materi/{file}", 6),
    ("learner", "/akun/kalender", 2),
    (None, "/kalender/{calendar_learner}.ics", 2),
    (None, "/kalender/{calendar_trainer}.ics", 3),
    ("admin", "/admin/instansi", 3),
    ("admin", "/admin/instansi?jaminan=belum", 3),
    ("admin", "/admin/instansi?cari=kenanga", 4),
    ("admin", "/admin/instansi/{sender}", 6),
    ("admin", "/admin/instansi/{sender}/gabung", 7),
    ("trainer", "/angkatan/{slug}/peserta/impor", 4),
    ("agency", "/instansi/calon/impor", 16),
    ("trainer", "/impor/contoh/csv", 1),
    ("trainer", "/impor/{sheet}", 14),
    ("trainer", "/impor/{sheet}?hal=2", 14),
    ("trainer", "/impor/{sheet}/baris/2", 15),
    ("trainer", "/impor/{sheet}/masalah", 13),
    ("trainer", "/impor/{sent}", 7),
    ("trainer", "/impor/{sent}/masalah", 7),
    ("admin", "/admin/undangan", 3),
    ("admin", "/admin/undangan?sebelum=20", 3),
    ("admin", "/admin/sertifikat", 3),
    ("admin", "/admin/sertifikat?cari=holder", 3),
    ("admin", "/admin/sertifikat/{code}", 10),
    ("admin", "/admin/sistem", 5),
    ("admin", "/admin/penelaah", 5),
    ("admin", "/admin/standar", 4),
    ("reviewer", "/telaah", 11),
    ("trainer", "/telaah?kurikulum=K1&jenis=soal&keadaan=belum&hal=2", 11),
    ("reviewer", "/telaah/pelajaran/K1.1", 16),
    ("trainer", "/telaah/soal/K1-0321-1?tempat=B", 13),
    ("reviewer", "/telaah/soal/{corrected}/kunci", 2),
    ("reviewer", "/telaah/soal/{corrected}/kunci/2", 4),
    ("reviewer", "/laporan/koreksi", 3),
    ("trainer", "/laporan/koreksi/{correction}", 9),
    ("admin", "/laporan/koreksi/{correction}?sesudah=1", 8),
    ("admin", "/admin/tinjau-sertifikat", 4),
    ("admin", "/admin/tinjau-sertifikat?keadaan=selesai&koreksi={correction}", 4),
    ("admin", "/admin/tinjau-sertifikat/{recheck}", 4),
    ("admin", "/telaah/kasus/SK1", 13),
    ("author", "/telaah/simulasi/S1-A", 13),
    ("reviewer", "/telaah/stasiun/ST1", 15),
    ("admin", "/panel", 5),
    ("reviewer", "/panel", 3),
    ("admin", "/panel/baru", 2),
    ("admin", "/panel/{panel}", 8),
    ("trainer", "/panel/{panel}", 5),
    ("reviewer", "/panel/{panel}/butir/2", 9),
    ("trainer", "/panel/{panel}/sebaran", 8),
    ("trainer", "/panel/{panel_done}/hasil", 10),
    ("admin", "/panel/{panel_done}/hasil", 9),
    ("trainer", "/panel/{panel_done}/berita-acara.pdf", 7),
    ("reviewer", "/panel/{panel_done}/penilaian.csv", 12),
    ("admin", "/admin/hukum", 5),
    ("admin", "/admin/hukum?tampil=dipakai", 5),
    ("admin", "/admin/hukum/uu-21-2007/54", 9),
    ("admin", "/admin/hukum/uu-23-2004/16", 8),
    ("admin", "/admin/hukum/uu-23-2004/16/orang.csv", 4),
    ("admin", "/bacaan/{delta}", 2),
    ("admin", "/admin/privasi", 12),
    ("admin", "/admin/insiden", 2),
    ("admin", "/admin/insiden/{incident}", 3),
    ("admin", "/admin/insiden/{incident}/surat/people", 2),
    ("admin", "/admin/insiden/{incident}/orang.csv", 3),
    ("admin", "/admin/orang/{learner}/hapus", 3),
    ("admin", "/admin/surat", 2),
    ("admin", "/admin/surat?sebelum=20", 2),
    ("admin", "/admin/catatan", 4),
    ("admin", "/admin/catatan?sebelum=60&tindakan=cohorts.", 4),
    ("admin", "/admin/catatan.csv?tindakan=tidak.ada", 2),
]
"""Every page of the URL map, in each of its shapes; none is excepted."""
REDIRECTS = {"/mulai", "/telaah/soal/{corrected}/kunci"}
"""Pages that lead on: one is closed as soon as there is anybody, one to the newest wording."""
CLOSED = {"/metrics", "/masuk/lembaga", "/masuk/lembaga/kembali"}
"""Pages that are not there in this installation: it names no provider of sign-in."""


SAME = ("secret_key", "testing", "second_factor", "consent", "argon2_memory_kib", "argon2_rounds")
"""Settings an application needs to answer like another one."""
LEAN = {"accounts", "notices", "lineage"}
"""Features whose pages need little of what others have."""


class Seen(NamedTuple):
    """One visit of a page."""

    status: int
    sent: list[Sent]


Walked = tuple[Page, Seen, Seen]
"""A page as the class of 25 and the one of 250 answered."""


@pytest.fixture(scope="module")
def small(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """A class of 25 people."""
    kept = crowd.kept(sqlite_home, tmp_path_factory, FEW)
    found = crowd.reopen(kept, tmp_path_factory.mktemp("crowd") / "small.db")
    yield found
    _close(found.app)


@pytest.fixture(scope="module")
def large(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """The same class with 250 people; the people and things of PAGES are the same ones."""
    original = crowd.kept(sqlite_home, tmp_path_factory, FEW)

    def make(path: Path) -> None:
        grown = crowd.reopen(original, path)
        crowd.grow(grown, MANY)
        crowd.keep(grown, path)

    kept = made_once(tmp_path_factory, f"crowd-{MANY}.sqlite3", make)
    found = crowd.reopen(kept, tmp_path_factory.mktemp("crowd") / "large.db")
    yield found
    _close(found.app)


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def engine_of(here: Crowd) -> Engine:
    with here.app.app_context():
        return db.engine


class Visits:
    """Opens pages of a class, each person in one browser."""

    def __init__(self, here: Crowd) -> None:
        self.here, self.engine = here, engine_of(here)
        self.browsers: dict[str | None, FlaskClient] = {}

    def open(self, who: str | None, address: str) -> Seen:
        """Return how a page answers, and what it asks of the tables."""
        if who not in self.browsers:
            self.browsers[who] = self.here.browser(who)
        with watched(self.engine) as sent:
            answer = self.browsers[who].get(address.format(**self.here.names))
            answer.get_data()  # a file that is streamed asks while it is read
            drawn = len(sent)
            answer.close()  # who took a file is noted once it was sent
        noted = {one.text.split()[1] for one in sent[drawn:] if not reads(one.text)}
        assert noted <= {"INTO", "audit_event", "audit_head"}, address
        del sent[drawn:]
        # The page of the system also reads the catalog, many times for each table there is.
        asked = [one for one in sent if not re.match("PRAGMA|.* FROM sqlite_", one.text)]
        return Seen(answer.status_code, asked)


def walk(small: Crowd, large: Crowd, pages: Iterable[Page] = PAGES) -> list[Walked]:
    """Open every page in both classes."""
    few, many = Visits(small), Visits(large)
    for who, address, _queries in pages:
        few.open(who, address)  # texts that never change are read once per process
    many.open("learner", "/")  # and the outlines once per database
    return [(page, few.open(page[0], page[1]), many.open(page[0], page[1])) for page in pages]


@pytest.fixture(scope="module")
def walked(small: Crowd, large: Crowd, tmp_path_factory: pytest.TempPathFactory) -> list[Walked]:
    """Every page as both classes answered; one worker walks for all."""

    def make(path: Path) -> None:
        path.write_bytes(pickle.dumps(walk(small, large)))

    found: list[Walked] = pickle.loads(  # noqa: S301  # written above
        made_once(tmp_path_factory, "walked.pickle", make).read_bytes()
    )
    return found


def test_copies_stand_where_those_they_copy_stand(large: Crowd):
    """What all that follows rests on: people of every stage, and no row that leads nowhere."""
    with large.app.app_context():
        assert db.session.execute(text("PRAGMA foreign_key_check")).all() == []
        cohort = db.session.get_one(Cohort, large.ids["class"])
        pages = [reports.View(page=n, order="nama") for n in range(1, MANY // reports.PAGE + 1)]
        seen = [reports.matrix(cohort, page, now=large.now) for page in pages]
    lines = [line for page in seen for line in page.lines]
    found = defaultdict(set)
    for line in lines:
        stands = (tuple(line.standing.units.items()), line.stuck, line.last_seen)
        found[line.seat.name.split("-")[0]].add(stands)
    assert len(lines) == MANY
    assert {len(stages) for stages in found.values()} == {1}
    assert len(set().union(*found.values())) == len(crowd.WALKERS)


# Queries


def misses(walked: Iterable[Walked]) -> list[str]:
    """Return each page that answers badly, writes, or costs something else than it says."""
    found = []
    for (who, address, queries), few, many in walked:
        wanted = 302 if address in REDIRECTS else 404 if address in CLOSED else 200
        if (few.status, many.status) != (wanted, wanted):
            found.append(f"{who} {address}: {few.status}, {many.status}")
        elif (len(few.sent), len(many.sent)) != (queries, queries):
            costs = f"{len(few.sent)} and {len(many.sent)} sent"
            found.append(f"{who} {address}: {queries} queries listed, {costs}")
        written = [one.text for one in few.sent + many.sent if not reads(one.text)]
        found += [f"{who} {address} writes: {statement}" for statement in written]
    return found


def reads(statement: str) -> bool:
    return statement.lstrip().startswith(("SELECT", "WITH"))


def test_every_page_costs_what_it_says_in_a_class_of_any_size(walked: list[Walked]):
    found = misses(walked)
    assert found == [], "\n".join(found)


def test_every_page_is_listed(small: Crowd):
    adapter = small.app.url_map.bind("localhost")
    listed = {
        adapter.match(address.format(**small.names).split("?")[0], "GET", return_rule=True)[0].rule
        for _who, address, _queries in PAGES
    }
    there = {rule.rule for rule in small.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert there - listed == set(), "add them to PAGES"


def test_a_query_for_each_person_is_seen(
    small: Crowd, large: Crowd, monkeypatch: pytest.MonkeyPatch
):
    """The positive control of the walk over all pages."""
    matrix = reports.matrix

    def slow(cohort: Cohort, view: reports.View, **values: object) -> reports.Matrix:
        found = matrix(cohort, view, **values)
        for line in found.lines:
            db.session.get_one(Person, line.seat.person_id)
        return found

    monkeypatch.setattr(reports, "matrix", slow)
    [found] = misses(walk(small, large, [("trainer", "/angkatan/{slug}", 9)]))
    assert found.endswith(f": 9 queries listed, {9 + FEW} and {9 + reports.PAGE} sent")


MAIN = [
    *(("learner", f"/modul/k1/{number}", 5 if number < 11 else 6) for number in range(1, 12)),
    ("learner", "/", 6),
    ("trainer", "/angkatan/{slug}", 9),
    ("trainer", "/angkatan/{slug}?unit=03", 9),
    (None, "/c/{code}", 2),
    (None, "/c/{revoked}", 2),
    (None, "/c/{unknown}", 2),
]


def test_main_pages_keep_their_budgets(small: Crowd, large: Crowd):
    found = {page: (few, many) for page, few, many in walk(small, large, MAIN)}
    assert len(found) == len(MAIN)
    for (_who, address, most), seen in found.items():
        assert [one.status for one in seen] == [200, 200]
        assert max(len(one.sent) for one in seen) <= most, address


def test_saving_an_answer_costs_three_queries(small: Crowd):
    save = open_quiz(small)
    with watched(engine_of(small)) as sent:
        assert save()["saved"]
    assert any(one.text.startswith("INSERT INTO answer_event") for one in sent)
    assert len(sent) <= 3


def open_quiz(here: Crowd) -> Callable[[], dict[str, object]]:
    """Open a question; return a function that saves an option as the page's script does."""
    browser, address = here.browser("learner"), f"/kuis/k1/{here.names['running']}"
    token = re.findall(r'name="csrf-token" content="([^"]+)"', browser.get(address).text)[0]
    form = {"soal": 2, "seq": 1000, "field": "choice", "choice": 3, "zone": "WIB"}

    def save() -> dict[str, object]:
        sent = form | {"client_key": public_id()}
        return browser.post(f"{address}/simpan", data=sent, headers={"X-CSRFToken": token}).json

    return save


# How rows are found

GROWING = {"evidence", "answer_event", "attempt", "certificate", "login_session", "lesson_done"}
"""Tables that grow with everything people do."""
SCANNING = {
    "/admin/sertifikat": "the newest fifty, by the primary key backwards",
    "/admin/privasi": "counts the sessions that are due, once an hour cleared; administrators only",
    "/admin/sertifikat?cari=holder": "part of a name may stand anywhere in it; administrators only",
}


def scans(engine: Engine, statement: Sent) -> set[str]:
    """Return the growing tables a statement reads from end to end, be it along an index."""
    with engine.connect() as connection:
        asked = f"EXPLAIN QUERY PLAN {statement.text}"
        plan = [row.detail for row in connection.exec_driver_sql(asked, statement.values)]
    scanned = [
        found[1] for found in (re.match(r"SCAN (?:TABLE )?(\w+)", step) for step in plan) if found
    ]
    return {re.sub(r"_\d+$", "", name) for name in scanned} & GROWING


def test_no_page_reads_a_growing_table_from_end_to_end(large: Crowd, walked: list[Walked]):
    engine, found = engine_of(large), {}
    for (_who, address, _queries), _few, many in walked:
        for statement in many.sent:
            if scanned := scans(engine, statement):
                found[address] = scanned
    assert found == {
        address: {"login_session" if address == "/admin/privasi" else "certificate"}
        for address in SCANNING
    }


def test_saving_and_signing_in_read_no_growing_table_from_end_to_end(large: Crowd):
    engine = engine_of(large)
    with large.app.app_context():
        factories.person("trainee", email="masuk@contoh.test")
    save, browser = open_quiz(large), large.browser(None)
    page = browser.get("/masuk").text
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0]
    form = {"email": "masuk@contoh.test", "password": factories.PASSWORD, "csrf_token": token}
    with watched(engine) as sent:
        assert save()["saved"]
        assert browser.post("/masuk", data=form).status_code == 302
    texts = " ".join(one.text for one in sent)
    assert "INSERT INTO answer_event" in texts
    assert "INSERT INTO login_session" in texts
    assert {name for one in sent for name in scans(engine, one)} == set()


def test_a_scan_is_seen(large: Crowd):
    """The positive control: the ledger of a class, asked for so that no index fits."""
    visits = Visits(large)
    matrix = visits.open("trainer", "/angkatan/{slug}?unit=03").sent
    [asked] = [one for one in matrix if "FROM evidence " in one.text]
    assert scans(visits.engine, asked) == set()
    blind = asked.text.replace("evidence.person_id IN", "+evidence.person_id IN")
    assert scans(visits.engine, Sent(blind, asked.values)) == {"evidence"}
    renamed = "SELECT 1 FROM answer_event AS answer_event_1 WHERE seq = ?"
    assert scans(visits.engine, Sent(renamed, (1,))) == {"answer_event"}


# Bytes


class Parts(HTMLParser):
    """Collects the files a browser loads with a page."""

    LOADED: ClassVar = {
        "link": "href",
        "script": "src",
        "use": "href",
        "img": "src",
        "source": "srcset",
    }

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag loads; a part of a sprite is the whole sprite."""
        address = dict(attrs).get(self.LOADED.get(tag, ""))
        if address and not address.startswith(("#", "data:")):
            self.addresses.add(address.split("#")[0])


def fetch(browser: FlaskClient, address: str) -> tuple[TestResponse, int]:
    """Return an answer and what it weighs on the line, its head included."""
    answer = browser.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200, address
    return answer, len(str(answer.headers)) + len(answer.data)


def weigh(browser: FlaskClient, address: str) -> tuple[int, int, int]:
    """Return the bytes of a page when its files are known, when not, and the requests then."""
    answer, warm = fetch(browser, address)
    assert answer.headers["Content-Encoding"] == "gzip"
    cold, parts = warm, Parts(browser.get(address).text).addresses
    assert {part.rpartition(".")[2].split("?")[0] for part in parts} >= {"css", "js", "svg"}
    for part in parts:
        file, weight = fetch(browser, part)
        assert "immutable" in file.headers["Cache-Control"], part  # so it is not asked for again
        assert not re.search(rb"@import|url\((?!['\"]?data:)|^import ", browser.get(part).data)
        cold += weight
    return warm, cold, 1 + len(parts)


LIGHT = [
    *(("learner", f"/modul/k1/{number}") for number in range(1, 12)),
    ("trainer", "/modul/k1/11"),
    ("learner", "/"),
    ("trainer", "/"),
    ("learner", "/kuis/k1"),
    ("learner", "/kuis/k1/{running}"),
    ("learner", "/kuis/k1/{running}/periksa"),
]


def test_lessons_home_and_quiz_are_light(small: Crowd):
    for who, address in LIGHT:
        warm, cold, requests = weigh(small.browser(who), address.format(**small.names))
        assert warm <= 12 * KIB, address
        assert cold <= 60 * KIB, address
        assert requests <= 8, address


def test_a_certificate_is_light(small: Crowd):
    browser = small.browser("holder")
    answer, weight = fetch(browser, f"/sertifikat/{small.names['code']}/berkas")
    assert answer.data.startswith(b"%PDF")
    assert weight <= 60 * KIB


def by_feature(here: Crowd, pages: Iterable[Page]) -> dict[str, list[Page]]:
    """Return pages by the feature their addresses belong to."""
    adapter = here.app.url_map.bind("localhost")
    found: dict[str, list[Page]] = {}
    for page in pages:
        address = page[1].format(**here.names).partition("?")[0]
        endpoint, _values = adapter.match(address)
        found.setdefault(endpoint.rpartition(".")[0], []).append(page)
    return found


def test_a_page_that_is_asked_for_first_loads_all_it_needs(
    small: Crowd, walked: list[Walked], tmp_path: Path
):
    """Each feature's pages where no other feature is loaded, then all at once in one process."""
    wanted = {page: seen.status for page, seen, _many in walked}
    features = by_feature(small, wanted)
    assert set(features) - {""} == set(small.app.blueprints)
    settings = {
        "folder": str(tmp_path),
        "database_url": small.app.config["SQLALCHEMY_DATABASE_URI"],
    }
    settings |= {name: getattr(small.app.extensions["suluh"], name) for name in SAME}
    remembering = create_app(
        Config(**(settings | {"folder": tmp_path})),  # type: ignore[arg-type]
        when_asked=True,
    )
    assert remembering.waiting is None
    cookies = {
        who: cookie.value if (cookie := small.browser(who).get_cookie("suluh")) else None
        for who, _address, _queries in wanted
    }
    lists = [
        [(cookies[who], address.format(**small.names)) for who, address, _queries in pages]
        for pages in features.values()
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.late_pages"],
        cwd=ROOT,
        env=unmeasured(),
        input=json.dumps([settings, lists]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    asked = {name: [wanted[page] for page in pages] for name, pages in features.items()}
    assert {name: one[0] for name, one in zip(features, found["alone"], strict=True)} == asked
    assert dict(zip(features, found["at_once"], strict=True)) == asked
    loaded = {name: one[1] for name, one in zip(features, found["alone"], strict=True)}
    assert found["ours"] < 80
    assert all(loaded[name] < 150 < loaded["reports"] for name in LEAN), loaded
