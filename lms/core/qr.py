"""Square codes on screens: one path, black on white, also where the page is dark."""

from itertools import groupby

QUIET = 4
"""Blank modules around a code; readers need them."""


def draw(text: str) -> str:
    """Return an SVG of the code. It holds numbers only, so it may be put into a page as it is."""
    import segno

    rows = segno.make_qr(text, error="m", boost_error=False).matrix
    runs, size = [], len(rows) + 2 * QUIET
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" '
        f'shape-rendering="crispEdges" aria-hidden="true">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path fill="#000" d="{"".join(runs)}"/></svg>'
    )
