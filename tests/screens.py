"""Takes the pictures of the main pages: `python -m tests.screens [BASE DEMO_JSON] [--only WORD]`.

Builds the demonstration in a temporary folder unless a running one is named. Every page is
checked at 320 px and 1280 px for width, tap targets, the exit and axe; the pictures go to
docs/screens. Exits 1 when a page has a fault.
"""

import argparse
import io
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError

from tests.e2e.browser import LARGE, SMALL, faults, open_browser, sign_in, watch
from tests.measure import unmeasured

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "screens"

PUBLIC = {
    "masuk": "/masuk",
    "masuk-lupa": "/masuk/lupa",
    "masuk-kode": "/masuk/kode",
    "bantuan": "/bantuan",
    "aman": "/aman",
    "privasi": "/privasi",
    "privasi-pemberitahuan": "/privasi/pemberitahuan",
    "privasi-data": "/privasi/data",
    "undangan-batal": "/undangan/batal",
    "c": "/c",
}
"""Name of the picture to address; `go` reads the addresses."""
HELD, NEXT = "/angkatan/kota-contoh-2", "/angkatan/kota-contoh-3"
"""The class that was held, and the one that fills up."""
PAGES: dict[str, dict[str, str]] = {
    "trainee": {
        "beranda": "/",
        "pelajaran-daftar": "/pelajaran",
        "pelajaran": "/modul/k1/6",
        "kuis": "/kuis/k1",
        "kuis-saya": f"{HELD}/kuis-saya",
        "kuis-saya-satu": f"{HELD}/kuis-saya > /kuis-saya/",
        "simulasi": "/latihan/s1",
        "istilah": "/istilah",
        "studi-kasus": "/studi-kasus/sk1",
        "kompetensi": "/kompetensi",
        "banding": "/banding",
        "banding-baru": "/banding/baru",
        "sertifikat": "/sertifikat",
        "sertifikat-pertanyaan": "/sertifikat/pertanyaan",
        "agenda": f"{HELD}/agenda",
        "hadir": "/hadir",
        "masukan": f"{HELD}/masukan",
        "rencana": f"{HELD}/rencana",
        "pemberitahuan": "/pemberitahuan",
        "akun": "/akun",
        "akun-data": "/akun/data",
        "kalender": "/akun/kalender",
        "faktor-kedua": "/akun/kedua",
    },
    "trainer": {
        "pelatih-beranda": "/",
        "angkatan-daftar": "/angkatan",
        "angkatan": HELD,
        "angkatan-unit": f"{HELD}?unit=03",
        "peserta": f"{HELD}?urut=tercapai > table /peserta/",
        "jejak": f"{HELD}?urut=tercapai > table /peserta/ > /jejak",
        "waktu-tambahan": f"{HELD}?urut=tercapai > table /peserta/ > /waktu",
        "persiapan": f"{HELD}/persiapan",
        "pesan": f"{HELD}/pesan",
        "agenda-pelatih": f"{HELD}/agenda",
        "pleno": f"{HELD}/pleno",
        "keputusan": f"{HELD}/pleno > /K1",
        "berita-acara": f"{HELD}/pleno/berita-acara",
        "penerbitan": f"{HELD}/penerbitan",
        "kehadiran": f"{HELD}/hadir",
        "kehadiran-kode": f"{HELD}/hadir/kode",
        "kehadiran-di-tempat": f"{HELD}/hadir/di-tempat",
        "kehadiran-langsung": f"{HELD}/hadir/langsung",
        "kehadiran-lembar": f"{HELD}/hadir/lembar",
        "kursi": f"{NEXT}/kursi",
        "kursi-atur": f"{NEXT}/kursi/atur",
        "kursi-catatan": f"{NEXT}/kursi/catatan?periksa=1",
        "impor": f"{NEXT}/peserta/impor",
        "undangan-kelas": f"{NEXT}/undangan",
        "rekap": f"{HELD}/rekap",
        "rekap-semua": "/laporan/rekap",
        "hasil-masukan": f"{HELD}/hasil-masukan",
        "rencana-kelas": f"{HELD}/rencana-kelas",
        "silsilah": "/silsilah",
        "silsilah-kelas": f"{HELD}/silsilah",
        "moderasi": "/moderasi",
        "moderasi-beda": "/moderasi > /moderasi/beda/",
        "moderasi-banding": "/moderasi > /moderasi/banding/",
        "penilai": f"{HELD}/penilai",
        "kesepakatan": "/laporan/kesepakatan",
        "menilai": "/menilai",
        "menilai-satu": "/menilai > table /menilai/",
        "menilai-esai": "/menilai/esai",
        "menilai-esai-satu": "/menilai/esai > table /menilai/esai/",
        "lokakarya": "/modul/k1/11",
        "bahan-latihan": "/latihan/bahan",
        "statistik-butir": "/laporan/butir",
        "statistik-butir-satu": "/laporan/butir > table /laporan/butir/",
        "kuis-kelas": f"{HELD}/kuis",
        "kuis-kelas-hasil": f"{HELD}/kuis > table /hasil",
        "kuis-kelas-ubah": f"{HELD}/kuis > table /ubah",
        "kuis-kelas-selisih": f"{HELD}/kuis > table /pasangan/",
        "kuis-kelas-susun": f"{HELD}/kuis/baru",
        "koleksi": "/soal/koleksi",
        "koleksi-baru": "/soal/koleksi/baru",
        "koleksi-satu": "/soal/koleksi > table /soal/koleksi/",
        "koleksi-impor": "/soal/koleksi > table /soal/koleksi/ > /impor",
        "koleksi-berkas": "/soal/koleksi > table /soal/koleksi/ > /soal/impor/",
        "koleksi-ekspor": "/soal/koleksi > table /soal/koleksi/ > /ekspor/",
    },
    "assessor": {
        "observasi": f"{HELD}/observasi",
        "observasi-satu": f"{HELD}/observasi > /observasi/",
    },
    "speaker": {"narasumber": "/", "narasumber-kelas": f"{HELD}/narasumber"},
    "agency": {
        "instansi": "/instansi",
        "calon": "/instansi/calon",
        "calon-usul": "/instansi/calon > /instansi/calon/kota",
        "calon-impor": "/instansi/calon/impor",
        "instansi-rencana": "/instansi/rencana",
        "instansi-kalender": "/instansi/kalender",
        "instansi-laporan": "/instansi/laporan",
        "periksa": "/instansi/periksa",
        "periksa-daftar": "/instansi/periksa/daftar",
        "instansi-cakupan": "/instansi/cakupan",
        "instansi-cakupan-orang": "/instansi > table /instansi/cakupan/orang/",
        "piket": "/instansi/piket",
        "piket-atur": "/instansi/piket/atur",
        "pengaduan": "/instansi/pengaduan",
        "pengaduan-baru": "/instansi/pengaduan/baru",
    },
    "author": {"cakupan-kurikulum": "/laporan/cakupan-kurikulum", "penulis": "/"},
    "reviewer": {
        "penelaah": "/",
        "telaah": "/telaah",
        "telaah-pelajaran": "/telaah/pelajaran/K1.4",
        "telaah-soal": "/telaah?jenis=soal > table /telaah/soal/",
        "panel": "/panel",
        "panel-ruang": "/panel > table /panel/",
        "panel-butir": "/panel > table /panel/ > /butir/",
        "panel-sebaran": "/panel > table /panel/ > /sebaran",
        "panel-hasil": "/panel > /hasil",
        "kunci-soal": "/telaah/soal/K1-0321-1/kunci/1",
        "koreksi": "/laporan/koreksi",
    },
    "admin": {
        "waktu-kuis": "/admin/kuis",
        "admin-beranda": "/",
        "admin-orang": "/admin/orang",
        "admin-orang-satu": "/admin/orang > table /admin/orang/",
        "admin-angkatan": "/admin/angkatan",
        "admin-angkatan-satu": "/admin/angkatan > /admin/angkatan/kota",
        "admin-angkatan-baru": "/admin/angkatan/baru",
        "admin-angkatan-kurikulum": f"/admin{NEXT}/kurikulum",
        "admin-angkatan-jadwal": f"/admin{NEXT}/jadwal",
        "admin-angkatan-acara": f"/admin{NEXT}/jadwal/baru",
        "admin-angkatan-narasumber": f"/admin{NEXT}/narasumber",
        "admin-undangan": "/admin/undangan",
        "admin-instansi": "/admin/instansi",
        "admin-instansi-satu": "/admin/instansi > table /admin/instansi/",
        "admin-pengaduan": "/admin/pengaduan",
        "admin-sertifikat": "/admin/sertifikat",
        "admin-sertifikat-satu": "/admin/sertifikat > table /admin/sertifikat/",
        "admin-tinjau-sertifikat": "/admin/tinjau-sertifikat",
        "admin-sistem": "/admin/sistem",
        "admin-penelaah": "/admin/penelaah",
        "admin-panel": "/panel",
        "admin-panel-baru": "/panel/baru",
        "admin-panel-ruang": "/panel > table /panel/",
        "admin-standar": "/admin/standar",
        "admin-surat": "/admin/surat",
        "admin-catatan": "/admin/catatan",
        "admin-privasi": "/admin/privasi",
        "admin-insiden": "/admin/insiden",
        "admin-versi": "/silsilah/versi",
        "admin-hukum": "/admin/hukum",
        "admin-hukum-satu": "/admin/hukum/uu-23-2004/16",
    },
}


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def demo(port: int) -> Iterator[tuple[str, dict]]:  # type: ignore[type-arg]  # parsed JSON
    """Serve a fresh demonstration from a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "lms", "demo", "--port", str(port)],
            cwd=folder,
            env=unmeasured(),
            stdout=subprocess.DEVNULL,
        )
        base = f"http://127.0.0.1:{port}"
        try:
            wait(f"{base}/healthz", process)
            yield base, json.loads((Path(folder) / "instance/demo.json").read_text())
        finally:
            process.terminate()
            process.wait(20)


def wait(url: str, process: subprocess.Popen[bytes], seconds: int = 120) -> None:
    """Wait until the address answers."""
    for _ in range(seconds * 5):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own server
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"no answer from {url} within {seconds} s")


def keep(picture: bytes, target: Path) -> None:
    """Store a picture with 96 colours: a quarter of the bytes, the same to the eye."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(96, dither=Image.Dither.NONE).save(target, optimize=True)


def go(page: Page, base: str, path: str) -> None:
    """Open an address; ` > part` follows the first link in main that holds the part.

    ` > table part` looks in tables only.
    """
    first, *links = path.split(" > ")
    page.goto(base + first)
    for part in links:
        scope, _blank, part = part.rpartition(" ")
        link = page.locator(f"main {scope} a[href*='{part}']").first
        page.goto(base + str(link.get_attribute("href", timeout=3000)))


def shoot(
    browser: Browser, base: str, account: dict[str, str] | None, pages: dict[str, str]
) -> list[str]:
    """Take and check every page at both widths; return the faults."""
    found = []
    for size, width in ((SMALL, 320), (LARGE, 1280)):
        context = browser.new_context(viewport=size, locale="id-ID")  # type: ignore[arg-type]
        page = context.new_page()
        complaints = watch(page)
        if account:
            sign_in(page, base, account["email"], account["password"])
        for name, path in pages.items():
            try:
                go(page, base, path)
            except TimeoutError as error:
                found.append(f"{name}: {error}")
                continue
            title = page.title()
            wrong = faults(page)
            wrong += [f"console: {line}" for line in complaints]
            complaints.clear()
            if re.search("KDRT|kekerasan", title, re.IGNORECASE):
                wrong.append(f"title {title}")
            found += [f"{name} {width}: {text}" for text in wrong]
            keep(page.screenshot(full_page=True), TARGET / f"{name}-{width}.png")
        context.close()
    return found


def main() -> int:
    """Take all pictures; print the faults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("running", nargs="*", help="BASE and DEMO_JSON of a running demonstration")
    parser.add_argument("--only", default="", help="only pictures whose name holds this word")
    chosen = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    if chosen.running:
        base, file = chosen.running
        return take(base, json.loads(Path(file).read_text()), chosen.only)
    with demo(free_port()) as (base, made):
        return take(base, made, chosen.only)


def public_pages(made: dict) -> dict[str, str]:  # type: ignore[type-arg]  # parsed JSON
    """Return the pages nobody has to sign in for, one verification of each status among them."""
    found = dict(PUBLIC)
    for certificate in made["certificates"]:
        found[f"verifikasi-{certificate['status']}"] = f"/c/{certificate['code']}"
    return found | {"verifikasi-tidak-ditemukan": "/c/7QK4M9TXHC2RWVB"}


def take(base: str, made: dict, only: str) -> int:  # type: ignore[type-arg]  # parsed JSON
    """Visit every page of every role."""
    accounts = {account["role"]: account for account in made["accounts"]}
    found = []
    with open_browser() as browser:
        for role, pages in {"": public_pages(made), **PAGES}.items():
            wanted = {name: path for name, path in pages.items() if only in name}
            if wanted:
                found += shoot(browser, base, accounts.get(role), wanted)
    for line in found:
        print(line)
    print(f"{len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
