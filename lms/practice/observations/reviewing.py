"""The stations of the observation test as texts that can be reviewed."""

from lms.competency import services as competency
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.core.reviewing import Listed, Passage, Piece
from lms.practice.observations.texts import get_station, list_stations

KIND = "station"


def list_texts() -> list[Listed]:
    """Return every station in use. One query."""
    return [
        Listed(
            kind=KIND,
            code=station.code,
            digest=station.digest,
            curriculum=station.curriculum,
            title=station.title,
            title_en=station.title_en,
            reviewed=station.reviewed,
        )
        for station in list_stations()
    ]


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return a station with both stories and every sign. Two queries. Raises NotFound."""
    station = get_station(listed.code)
    standard = competency.current().standard
    words = (_("Belum aman"), _("Aman dengan bimbingan"), _("Aman mandiri"))
    stories = (
        Passage(
            f"story-{one.code}",
            _("Cerita %(code)s", code=one.code),
            (Piece(one.scenario), Piece(one.role_card, _("Kartu lawan bicara"))),
        )
        for one in station.variants.values()
    )
    signs = (
        Passage(
            f"rubric-{code}",
            f"{code} {pick(kuk.text, kuk.text_en)}" if (kuk := standard.kuk.get(code)) else code,
            tuple(
                Piece("\n".join(levels[str(level)]), word)
                for level, word in enumerate(words)
                if str(level) in levels
            ),
        )
        for code, levels in station.indicators.items()
    )
    acts = "\n".join(
        f"{code} {standard.harmful_acts.get(code, '')}" for code in station.harmful_acts
    )
    return (*stories, *signs, Passage("acts", _("Tindakan bahaya"), (Piece(acts),)))
