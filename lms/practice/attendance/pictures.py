"""The QR code on the screen, as one path."""

from flask import current_app, url_for

QUIET = 4
"""Blank modules around a code; readers need them."""


def address(slug: str, code: str) -> str:
    """Return what is in the QR code; without a code, where it can be typed."""
    path = (
        url_for("attendance.scanned", slug=slug, code=code) if code else url_for("attendance.mine")
    )
    base: str = current_app.extensions["suluh"].base_url
    return base + path


def qr(text: str) -> str:
    """Draw a QR code as an SVG of its own: black on white, also where the page is dark."""
    import segno

    rows = [list(row) for row in segno.make_qr(text, error="m", boost_error=False).matrix]
    runs = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                runs.append(f"M{x + QUIET} {y + QUIET}h{length}v1h-{length}z")
            x += length or 1
    size = len(rows) + 2 * QUIET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path d="{"".join(runs)}"/></svg>'
    )
