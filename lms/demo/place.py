"""Where the classes of Kota Contoh meet, and what their guest hands out. All invented."""

ADDRESS = """Jalan Contoh Raya 12, lantai 2
Angkot 04 berhenti di depan; parkir di sisi timur. Ruang menyusui di lantai 1."""
CONTACT = ("Sekretariat pelatihan", "0541 000 000", "pelatihan@contoh.test")
BRING = """Surat tugas
Alat tulis
Obat pribadi"""
BIO = """Bertahun-tahun mengurus rujukan antarlembaga di Kota Contoh.
Senang bila peserta bertanya di tengah sesi."""


def handout() -> bytes:
    """Return a PDF of one line: the smallest sheet a reader opens."""
    drawn = "BT /F 18 Tf 72 760 Td (Peta layanan Kota Contoh, rekaan) Tj ET"
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        f"/Resources<</Font<</F {font}>>>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
    ]
    body, starts = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        starts.append(len(body))
        body += f"{number} 0 obj{one}endobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF\n".encode()
