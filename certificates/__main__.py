"""`python -m certificates sample OUT.pdf`: see the paper without the application."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from certificates.codes import check_character
from certificates.document import LANGUAGES, Certificate, Language, UnitLine


def sample(language: Language) -> Certificate:
    """Give a made-up certificate, marked as one."""
    body = "7QK4M9TXHC2RWV"
    code = body + check_character(body)
    titles = (
        "Menerapkan etika dan kerahasiaan dalam pendampingan korban",
        "Mengidentifikasi KDRT dan kebutuhan awal korban",
        "Melakukan asesmen risiko",
        "Melakukan penyelamatan awal dan menyusun rencana keselamatan",
        "Menerapkan komunikasi berbasis trauma",
    )
    return Certificate(
        number="800.2/0001/CONTOH/2026",
        code=code,
        verify_url=f"https://suluh.example/c/{code}",
        language=language,
        issuer_lines=("Pemerintah Kota Contoh", "Dinas Pemberdayaan Perempuan dan Anak"),
        holder_name="Nama Contoh, S.Psi.",
        scheme_title="Pendamping Korban KDRT",
        training_title="Pelatihan Pendamping Korban Kekerasan dalam Rumah Tangga",
        started_on=date(2026, 11, 2),
        ended_on=date(2026, 11, 19),
        jp=30,
        issued_on=date(2026, 11, 20),
        valid_until=date(2029, 11, 20),
        place="Kota Contoh",
        signatory_title="Kepala Dinas",
        signatory_name="Nama Pejabat Contoh, M.Si.",
        signatory_number="00000000 000000 0 000",
        units=tuple(
            UnitLine(
                code=f"SLH.PKDRT.{number:03}.01",
                title=title,
                jp=6,
                mark=str(80 + number),
                achieved=True,
            )
            for number, title in enumerate(titles, 1)
        ),
        standard_version="0.2-rancangan",
        standard_is_draft=True,
        law_checked_on=date(2026, 11, 1),
        trainers=("Pengajar Contoh Satu, M.Psi.", "Pengajar Contoh Dua, S.H."),
        sample=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Gives the exit status: 0, or 1 if the file cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m certificates", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sample", help="write a certificate with made-up data")
    command.add_argument("out", type=Path, help="the PDF to write")
    command.add_argument("--language", choices=LANGUAGES, default="id")
    options = parser.parse_args(arguments)

    from certificates.layout import render  # loads reportlab: not for --help

    try:
        options.out.write_bytes(render(sample(options.language)))
    except OSError as error:
        sys.stderr.write(f"{options.out} was not written: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":  # pragma: no cover - main() is tested, this line only calls it
    sys.exit(main())
