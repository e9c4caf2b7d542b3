"""The tabs of each role: at most four, the most used first."""

from dataclasses import dataclass
from functools import cache

from flask import request, url_for

from lms.core.i18n import gettext as _
from lms.core.login import Viewer


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: where it leads and whether the reader is there."""

    label: str
    url: str
    icon: str
    current: bool


def tabs(viewer: Viewer) -> list[Tab]:
    """Return the tabs of a viewer, by the first of their roles that has its own."""
    role = next((role for role in ORDER if role in viewer.roles), None)
    if role is None:
        return []
    here = _current(role, request.endpoint or "")
    return [
        Tab(_(label), url_for(endpoint), icon, endpoint in here)
        for label, endpoint, icon, _belongs in ROLE_TABS[role]
    ]


@cache
def _current(role: str, here: str) -> frozenset[str]:
    """Return which tabs of a role, by endpoint, a page belongs to: the longest name wins."""
    near = {
        endpoint: max(
            (len(name) for name in (endpoint, *belongs) if here.startswith(name)), default=0
        )
        for _label, endpoint, _icon, belongs in ROLE_TABS[role]
    }
    longest = max(near.values())
    return frozenset(endpoint for endpoint, found in near.items() if 0 < longest == found)


def N_(text: str) -> str:  # gettext's own name for "mark, do not translate yet"
    """Mark a text for translation."""
    return text


Entry = tuple[str, str, str, tuple[str, ...]]
"""Label, endpoint, icon, beginnings of the endpoints that belong to the tab."""

HOME: Entry = (N_("Beranda"), "pages.home", "home", ("pages.home",))
LESSONS: Entry = (
    N_("Pelajaran"),
    "modules.curricula",
    "book",
    (
        "modules.",
        "quizzes.",
        "class_quizzes.mine",
        "class_quizzes.start",
        "class_quizzes.result",
        "simulations.",
        "exercises.",
        "cases.write",
        "cases.case",
        "reports.curriculum_coverage",
        "statistics.",
        "collections.",
    ),
)
ORDER = ("trainee", "trainer", "assessor", "agency", "admin", "author", "reviewer", "speaker")
ROLE_TABS: dict[str, list[Entry]] = {
    "trainee": [
        HOME,
        LESSONS,
        (N_("Kompetensi"), "competency.mine", "tree", ("competency.", "moderation.")),
        (N_("Sertifikat"), "credentials.mine", "award", ("credentials.",)),
    ],
    "trainer": [
        HOME,
        (
            N_("Angkatan"),
            "reports.index",
            "people",
            (
                "reports.",
                "attendance.",
                "observations.",
                "credentials.",
                "cohorts.class",
                "cohorts.agenda",
                "nominations.seats",
                "roster.",
                "evaluations.",
                "lineage.",
                "moderation.plan",
                "class_quizzes.",
                "class_results.",
            ),
        ),
        (
            N_("Menilai"),
            "cases.queue",
            "check",
            ("cases.", "essays.", "panels.", "moderation.", "statistics.agreement"),
        ),
        LESSONS,
    ],
    "agency": [
        HOME,
        (
            N_("Pendamping"),
            "agencies.people",
            "people",
            (
                "agencies.people",
                "agencies.duty",
                "agencies.coverage",
                "agencies.complaint",
                "reports.agency",
            ),
        ),
        (
            N_("Usulan"),
            "nominations.desk",
            "calendar",
            ("nominations.desk", "nominations.nominate", "nominations.calendar", "roster."),
        ),
        (N_("Periksa"), "agencies.check", "search", ("agencies.check",)),
    ],
    "admin": [
        HOME,
        (N_("Orang"), "accounts.people", "people", ("accounts.pe", "cohorts.invitations")),
        (
            N_("Angkatan"),
            "cohorts.manage",
            "calendar",
            (
                "cohorts.manage",
                "cohorts.class",
                "cohorts.agenda",
                "cohorts.organ",
                "nominations.seats",
                "roster.",
            ),
        ),
        (
            N_("Sistem"),
            "pages.system",
            "gear",
            (
                "pages.system",
                "pages.outbox",
                "pages.audit",
                "credentials.",
                "agencies.complaint",
                "reviews.",
                "panels.",
                "quizzes.limits",
                "essays.",
            ),
        ),
    ],
    "author": [HOME, LESSONS, (N_("Telaah"), "reviews.queue", "check", ("reviews.", "panels."))],
    "speaker": [HOME, LESSONS],
}
ROLE_TABS["assessor"] = ROLE_TABS["trainer"]
ROLE_TABS["reviewer"] = ROLE_TABS["author"]


CLASS_MENU: list[tuple[str, str, str, tuple[str, ...]]] = [
    (N_("Peta capaian"), "reports.matrix", "chart", ("trainer", "assessor", "admin")),
    (N_("Siapkan"), "reports.preparation", "flag", ("trainer",)),
    (N_("Sapa"), "reports.message", "talk", ("trainer",)),
    (N_("Agenda"), "cohorts.agenda", "calendar", ("trainer", "assessor", "admin")),
    (N_("Kehadiran"), "attendance.sheet", "check", ("trainer",)),
    (N_("Uji observasi"), "observations.board", "clipboard", ("trainer", "assessor")),
    (N_("Penilai"), "moderation.plan", "people", ("trainer", "admin")),
    (N_("Kursi"), "nominations.seats_page", "people", ("trainer", "admin")),
    (N_("Pleno"), "credentials.meet", "award", ("trainer", "assessor")),
    (N_("Kuis kelas"), "class_quizzes.index", "list", ("trainer", "admin")),
    (N_("Rekap"), "reports.class_recap", "list", ("trainer", "admin")),
    (N_("Masukan"), "evaluations.results", "talk", ("trainer", "admin")),
    (N_("Rencana"), "evaluations.overview", "list", ("trainer", "admin")),
    (N_("Silsilah"), "lineage.of_class", "people", ("trainer", "admin")),
    (N_("Undang peserta"), "cohorts.class_invitations", "mail", ("trainer", "admin")),
    (N_("Impor peserta"), "roster.class_start", "upload", ("trainer", "admin")),
    (N_("Narasumber"), "cohorts.class_guests", "talk", ("admin",)),
    (N_("Kelola kelas"), "cohorts.class_page", "gear", ("admin",)),
]
"""Label, endpoint (it takes `slug`), icon and roles of each page of one class, as work goes."""


def class_menu(slug: str, viewer: Viewer) -> list[Tab]:
    """Return the pages of one class that a viewer may open."""
    return [
        Tab(_(label), url_for(endpoint, slug=slug), icon, request.endpoint == endpoint)
        for label, endpoint, icon, roles in CLASS_MENU
        if viewer.is_any(*roles)
    ]
