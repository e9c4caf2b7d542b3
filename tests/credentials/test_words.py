"""What is missing, said in plain sentences."""

from flask import Flask

from lms.competency.rules import EvidenceKind, Missing, MissingKind, State
from lms.core.i18n import gettext
from lms.credentials.models import Method
from lms.credentials.rules import Reason
from lms.credentials.words import kind_name, method_name, missing_in_words, reason_name
from tests.ledgers import STANDARD

Q, SK, SIM, OBS, REF, HDR = EvidenceKind


def say(kind: MissingKind, code: str, **states: State) -> str:
    entry = Missing(kind=kind, code=code, states={EvidenceKind(k): s for k, s in states.items()})
    [sentence] = missing_in_words([entry], STANDARD, {"PENDAMPING": "Pendamping"})
    return sentence


def test_a_criterion_names_only_the_evidence_that_is_open(app: Flask):
    text = STANDARD.find("03.1.1").text.rstrip(".")
    sentence = say(
        MissingKind.KUK, "03.1.1", Q=State.PASS, SK=State.FAIL, SIM=State.NONE, OBS=State.NONE
    )
    assert sentence == (
        f"KUK 03.1.1 ({text}): studi kasus belum tercapai; simulasi, observasi belum ada."
    )
    assert say(MissingKind.KUK, "03.1.1", Q=State.FAIL).endswith(": kuis belum tercapai.")
    assert say(MissingKind.KUK, "03.1.1", HDR=State.NONE).endswith(": kehadiran belum ada.")


def test_every_other_gate_has_its_sentence(app: Flask):
    assert "Kuis K1: paling sedikit 4 dari 5 soal" in say(MissingKind.ITEMS, "K1")
    assert say(MissingKind.CASE, "SK1") == "Studi kasus SK1 belum memenuhi semua kriterianya."
    assert "K1.T belum tercatat" in say(MissingKind.ATTENDANCE, "K1.T")
    assert say(MissingKind.HOLDS, "PENDAMPING") == "Sertifikat Pendamping yang berlaku belum ada."
    assert "Sertifikat K9 yang" in say(MissingKind.HOLDS, "K9")


def test_no_sentence_shames(app: Flask):
    sentences = [say(kind, "03.1.1", Q=State.FAIL) for kind in MissingKind]
    assert not any(word in s.lower() for s in sentences for word in ("gagal", "tidak lulus"))


def test_every_kind_reason_and_method_has_a_name(app: Flask):
    for names in (
        [kind_name(kind) for kind in EvidenceKind],
        [reason_name(reason) for reason in Reason],
        [method_name(method) for method in Method],
    ):
        assert len(set(names)) == len(names)
        assert all(gettext(name) == name for name in names)
