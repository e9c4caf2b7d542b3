"""The picture of a pair: each person a line from the first quiz to the second. It prints."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 320, 240
LEFT, RIGHT, TOP, BOTTOM = 60, 260, 20, 210


def slopes(
    pairs: Sequence[tuple[float, float]], means: tuple[float, float], words: tuple[str, str, str]
) -> Markup:
    """Draw the two scores of each person and of the class; `words`: alternative, before, after."""
    alternative, before, after = words
    lines = [
        f'<line class="{"other" if b < a else "one"}" x1="{LEFT}" y1="{_y(a)}" '
        f'x2="{RIGHT}" y2="{_y(b)}"/>'
        for a, b in pairs
    ]
    mean = f'<line class="line" x1="{LEFT}" y1="{_y(means[0])}" x2="{RIGHT}" y2="{_y(means[1])}"/>'
    axis = "".join(
        f'<line class="grid" x1="{LEFT}" y1="{_y(share)}" x2="{RIGHT}" y2="{_y(share)}"/>'
        f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share * 100:.0f}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    feet = (
        f'<text x="{LEFT}" y="{HEIGHT - 8}" text-anchor="middle">{escape(before)}</text>'
        f'<text x="{RIGHT}" y="{HEIGHT - 8}" text-anchor="middle">{escape(after)}</text>'
    )
    return Markup(  # noqa: S704  # numbers of ours, words escaped
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(alternative)}">{axis}{"".join(lines)}{mean}{feet}</svg>'
    )


def _y(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)
