"""Pages of a room: what a phone without a script can do, and what nobody sees."""

import re
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.core.db import db, unit_of_work
from lms.panels import rating, services
from lms.panels.models import PanelRating
from lms.panels.rules import Stage
from tests import factories
from tests.panels.rooms import WORDS, hold
from tests.quizzes import typed

SignIn = Callable[[Person], FlaskClient]
NOW = factories.NOW


def text_of(page: str) -> str:
    """Return what people read on a page."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def test_a_room_from_first_to_last_by_plain_forms(app: Flask, sign_in: SignIn) -> None:
    chair = sign_in(factories.person("admin", name="Ketua Panel"))
    people = [factories.person("trainer", name=f"Ahli {n}") for n in range(2)]
    assert "Belum ada panel" in chair.get("/panel").text
    empty = chair.post("/panel/baru", data={"curriculum": "K4", "training": "1"})
    assert empty.status_code == 422
    assert "Uraikan dulu orangnya" in empty.text
    unknown = chair.post("/panel/baru", data={"curriculum": "K9", "training": "1", "person": WORDS})
    assert unknown.status_code == 422
    made = chair.post("/panel/baru", data={"curriculum": "K4", "training": "1", "person": WORDS})
    here = made.location
    twice = chair.post("/panel/baru", data={"curriculum": "K4", "training": "1", "person": WORDS})
    assert twice.status_code == 422
    assert "masih berjalan" in twice.text
    page = chair.get(here).text
    assert "Panel kecil: 0 anggota" in page
    assert chair.post(f"{here}/undang", data={}).status_code == 422
    sent = {"people": [one.public_id for one in people]}
    assert "2 orang diundang" in chair.post(f"{here}/undang", data=sent, follow_redirects=True).text
    again = chair.post(f"{here}/undang", data=sent, follow_redirects=True)
    assert "tidak dapat diundang lagi" in again.text

    def onward(stage: str) -> str:
        data = {"stage": stage}
        return chair.post(f"{here}/lanjut", data=data, follow_redirects=True).text

    experts = [sign_in(one) for one in people]
    assert "Putaran 1 belum dimulai" in experts[0].get(here).text
    early = experts[0].post(
        f"{here}/butir/1", data={"percent": "50", "seq": "0"}, follow_redirects=True
    )
    assert "putaran ini tidak sedang berjalan" in early.text
    assert "Panel sekarang: Putaran 1" in onward("inviting")
    assert "sudah berlanjut" in onward("inviting")
    assert "sudah berlanjut" in onward("entah")
    assert "sedikitnya dua anggota" in onward("first")
    total = int(re.findall(r"dari (\d+)</h1>", experts[0].get(f"{here}/butir/1").text)[0])
    assert experts[0].get(f"{here}/butir/2").location.endswith("/butir/1"), "training first"
    for n, expert in enumerate(experts):
        for position in range(1, total + 1):
            answer = expert.post(
                f"{here}/butir/{position}", data={"percent": str(60 + 10 * n), "seq": "0"}
            )
            assert answer.location.endswith(f"/butir/{position + 1}" if position < total else here)
        done = expert.post(f"{here}/selesai", follow_redirects=True)
        assert "Nilai masih dapat diubah" in done.text
    hidden = experts[0].get(f"{here}/sebaran", follow_redirects=True)
    assert "Sebaran terbuka setelah putaran 1 ditutup" in hidden.text
    assert "Sebaran putaran 1" not in experts[0].get(f"{here}/butir/1").text
    assert "Panel sekarang: Membahas" in onward("first")
    seen = text_of(experts[0].get(f"{here}/sebaran?urut=butir").text)
    assert "Butir 20" in seen
    assert "Butir 21" not in seen
    assert "Butir 21" in experts[0].get(f"{here}/sebaran?urut=butir&hal=2").text
    assert experts[0].get(f"{here}/sebaran?hal=9").status_code == 404
    assert "Butir 1" in seen
    assert "60" in seen
    assert "70" in seen
    long = experts[0].post(f"{here}/butir/1/catatan", data={"text": "x" * 501})
    assert long.status_code == 422
    said = experts[1].post(f"{here}/butir/1/catatan", data={"text": "Kata <b>selalu</b> menipu."})
    assert said.location.endswith("#catatan")
    note = experts[0].get(f"{here}/butir/1").text
    assert "&lt;b&gt;selalu" in note
    assert people[1].name not in note
    assert "Panel sekarang: Putaran 2" in onward("talk")
    second = experts[0].get(f"{here}/butir/2").text
    assert "Nilai Anda di putaran 1: 60" in second
    assert "checked" not in re.findall(r'<div class="scale">.*?</div>', second, re.S)[0]
    experts[0].post(f"{here}/butir/2", data={"percent": "80", "seq": "0", "ke": "jeda"})
    signing = onward("second")
    assert "Batas:" in signing
    assert "Belum ada lima sesi pertama" in signing
    early = onward("signing")
    assert "sedikitnya satu" in early
    page = experts[0].get(f"{here}/hasil").text
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', page)[0]
    assert "Hanya untuk Anda" in page
    assert "Hanya untuk Anda" not in signing
    bare = experts[0].post(f"{here}/tanda", data={"digest": digest, "choice": "signed"})
    assert bare.status_code == 422
    dumb = {"digest": digest, "choice": "abstained", "confirm": "y"}
    assert "Tulis alasannya" in experts[0].post(f"{here}/tanda", data=dumb).text
    yes = {"digest": digest, "choice": "signed", "confirm": "y"}
    assert "tercatat" in experts[0].post(f"{here}/tanda", data=yes, follow_redirects=True).text
    more = experts[0].post(f"{here}/tanda", data=yes, follow_redirects=True)
    assert "sudah tercatat" in more.text
    stale = yes | {"digest": "0" * 64}
    other = experts[1].post(f"{here}/tanda", data=stale, follow_redirects=True)
    assert "Baca lagi halamannya" in other.text
    page = chair.get(f"{here}/hasil").text
    member = re.findall(r'<option value="(\d+)">Ahli 1', page)
    assert len(member) == 1
    empty = chair.post(f"{here}/tanpa-jawaban", data={"digest": digest, "member": member[0]})
    assert empty.status_code == 422
    why = {"digest": digest, "member": member[0], "absence": "Sakit"}
    noted = chair.post(f"{here}/tanpa-jawaban", data=why, follow_redirects=True)
    assert "Tercatat: anggota itu tidak menjawab" in noted.text
    assert "Panel sekarang: Selesai" in onward("signing")
    final = chair.get(f"{here}/hasil").text
    assert "noncritical_pass_of:" in final
    assert re.search(r"K4: \[\d+, 8\]", final)
    assert chair.get(f"{here}/berita-acara.pdf").data.startswith(b"%PDF")
    table = experts[0].get(f"{here}/penilaian.csv").text
    assert "Anggota 1" in table
    assert "Ahli" not in table
    assert "Selesai" in chair.get("/panel").text
    late = chair.post(f"{here}/hentikan", data={"why": "terlambat"}, follow_redirects=True)
    assert "sudah berakhir" in late.text


def test_answers_of_the_script(app: Flask, sign_in: SignIn) -> None:
    held = hold(2, training=1)
    browser, here = sign_in(held.panel[0]), f"/panel/{held.public_id}"
    form = {"field": "percent", "percent": "55", "seq": "3", "client_key": "a-1"}
    headers = {"Accept": "application/json"}
    early = browser.post(f"{here}/butir/2/simpan", data=form, headers=headers)
    assert (early.status_code, early.json["saved"]) == (409, False)
    saved = browser.post(f"{here}/butir/1/simpan", data=form, headers=headers)
    assert saved.status_code == 200
    assert saved.json["label"].startswith("Tersimpan")
    late = form | {"seq": "2", "percent": "10"}
    answer = browser.post(f"{here}/butir/1/simpan", data=late, headers=headers)
    assert (answer.status_code, answer.json["saved"]) == (409, False)
    for wrong in ({"percent": "53"}, {"percent": "105"}, {"percent": ""}, {"seq": "x"}):
        answer = browser.post(f"{here}/butir/1/simpan", data=form | wrong, headers=headers)
        assert answer.status_code == 422
    plain = browser.post(f"{here}/butir/1", data={"percent": "53", "seq": "0"})
    assert plain.status_code == 422
    assert "Pilih satu angka" in plain.text
    forward = browser.post(
        f"{here}/butir/2", data={"percent": "50", "seq": "0"}, follow_redirects=True
    )
    assert forward.status_code == 200
    assert db.session.scalars(select(PanelRating.percent)).all() == [55, 50]


def test_training_first_also_without_a_script(app: Flask, sign_in: SignIn) -> None:
    held = hold(2, training=1)
    browser, here = sign_in(held.panel[0]), f"/panel/{held.public_id}"
    answer = browser.post(f"{here}/butir/2", data={"percent": "50", "seq": "0"})
    assert answer.location.endswith(here)
    browser.post(f"{here}/butir/1", data={"percent": "50", "seq": "0"})
    unfinished = browser.post(f"{here}/selesai", follow_redirects=True)
    assert "belum dinilai" in unfinished.text
    back = browser.post(f"{here}/butir/2", data={"percent": "5", "seq": "0", "ke": "kembali"})
    assert back.location.endswith("/butir/1")


def test_who_may_not_enter(app: Flask, sign_in: SignIn) -> None:
    held = hold(2, stage=Stage.SIGNING)
    here = f"/panel/{held.public_id}"
    pages = ("", "/butir/1", "/sebaran", "/hasil", "/berita-acara.pdf", "/penilaian.csv")
    for role in ("trainee", "assessor", "speaker", "agency", "author"):
        browser = sign_in(factories.person(role))
        assert {browser.get(here + page).status_code for page in pages} == {403}
    stranger = sign_in(factories.person("reviewer"))
    assert {stranger.get(here + page).status_code for page in pages} == {404}
    assert stranger.get("/panel/baru").status_code == 403
    assert stranger.post(f"{here}/lanjut", data={"stage": "signing"}).status_code == 403
    member = sign_in(held.panel[0])
    assert {member.get(here + page).status_code for page in pages} == {200}
    assert member.get(f"{here}/butir/99").status_code == 404
    chair = sign_in(held.chair)
    assert {chair.get(here + page).status_code for page in pages} == {200}


def test_a_panellist_who_begins_to_learn_finds_the_door_closed(app: Flask, sign_in: SignIn) -> None:
    held = hold(2)
    browser, here = sign_in(held.panel[0]), f"/panel/{held.public_id}"
    assert (
        "Kunci" in browser.get(f"{here}/butir/1").text
        or "kunci" in browser.get(f"{here}/butir/1").text
    )
    with unit_of_work():
        accounts.add_roles(held.panel[0].id, ["trainee"])
    for page in ("", "/butir/1"):
        answer = browser.get(here + page)
        assert answer.status_code == 403
        assert "masih menempuh kuis" in answer.text
        assert "answer-best" not in answer.text


def test_the_chair_lets_go_and_stops(app: Flask, sign_in: SignIn) -> None:
    held = hold(3)
    chair, here = sign_in(held.chair), f"/panel/{held.public_id}"
    room = held.room(held.panel[0])
    gone = chair.post(f"{here}/lepas", data={"member": room.member_id}, follow_redirects=True)
    assert "Anggota dilepas" in gone.text
    again = chair.post(f"{here}/lepas", data={"member": room.member_id}, follow_redirects=True)
    assert "tidak dapat dilepas" in again.text
    learner = factories.person("trainer", "trainee", name="Masih Belajar")
    assert "Masih Belajar" in chair.get(here).text
    refused = chair.post(
        f"{here}/undang", data={"people": [learner.public_id]}, follow_redirects=True
    )
    assert "masih menempuh kuis" in refused.text
    assert chair.post(f"{here}/hentikan", data={"why": ""}).status_code == 422
    done = chair.post(f"{here}/hentikan", data={"why": "Anggota kurang"}, follow_redirects=True)
    assert "Anggota kurang" in done.text
    late = chair.post(
        f"{here}/undang", data={"people": [held.panel[0].public_id]}, follow_redirects=True
    )
    assert "Putaran 1 sudah ditutup" in late.text
    note = {"text": "Terlambat"}
    said = chair.post(f"{here}/butir/1/catatan", data=note, follow_redirects=True)
    assert "hanya dapat ditulis" in said.text
    finished = chair.post(f"{here}/selesai", follow_redirects=True)
    assert "tidak sedang berjalan" in finished.text
    assert chair.get(f"{here}/hasil").status_code == 404


def test_a_standard_below_a_signed_cut_is_said_to_the_administrator(
    app: Flask, sign_in: SignIn
) -> None:
    held = hold(2, training=0)
    for one in held.panel:
        held.rate(one, [95])
    for _stage in (Stage.TALK, Stage.SECOND, Stage.SIGNING):
        held.advance()
    for one in held.panel:
        held.sign(one)
    held.advance()
    said = "Standar meminta lebih sedikit"
    assert said in sign_in(held.chair).get("/panel").text
    assert said not in sign_in(held.panel[0]).get("/panel").text
    assert rating.get_sheet(held.room()).rated == 0


def test_the_list_names_the_panel_that_waits(app: Flask, sign_in: SignIn) -> None:
    held = hold(2)
    expert, chair = sign_in(held.panel[0]), sign_in(held.chair)
    words = "Nilai atau periksa lagi butirnya, lalu nyatakan selesai dengan putaran ini."
    page = expert.get("/panel").text
    assert "Menunggu Anda" in page
    assert words in page
    assert f'class="button" href="/panel/{held.public_id}"' in page
    assert "Tidak ada panel yang menunggu Anda sekarang." in chair.get("/panel").text
    held.rate(held.panel[0], [60, 70])
    expert.post(f"/panel/{held.public_id}/selesai")
    assert words not in expert.get("/panel").text
    ready = hold(2, curriculum="K5", chair=held.chair, panel=held.panel, stage=Stage.SIGNING)
    page = expert.get("/panel").text
    assert "Hasilnya menunggu pernyataan Anda." in page
    assert f'class="button" href="/panel/{ready.public_id}/hasil"' in page


def test_a_room_nobody_is_invited_to_asks_for_its_panel(app: Flask, sign_in: SignIn) -> None:
    chair = sign_in(factories.person("admin", name="Ketua Panel"))
    made = chair.post("/panel/baru", data={"curriculum": "K4", "training": "1", "person": WORDS})
    fresh = text_of(chair.get("/panel").text)
    assert "Undang anggota, lalu mulai putaran 1." in fresh
    assert "Tidak ada anggota yang ditunggu" not in fresh
    assert f'class="button" href="{made.location}"' in chair.get("/panel").text


def test_the_key_stands_beside_each_line_of_an_item(
    app: Flask, sign_in: SignIn, tmp_path: Path
) -> None:
    typed.load(tmp_path)
    held = hold(2, curriculum="K1", training=0)
    expert = sign_in(held.panel[0])
    wordings = {one.slug: one.position for one in services.list_items(held.room())}
    shown = {
        kind: text_of(expert.get(f"/panel/{held.public_id}/butir/{position}").text)
        for kind, kuk in typed.KUK.items()
        for position in [wordings.get(f"K1-{kuk.replace('.', '')[:4]}-91")]
        if position
    }
    card, folded = shown["matching"].split("Alasan tiap pilihan dan sumber")
    assert "Takut pulang ke rumah Jawaban: Rumah aman" in card
    assert "Lebam di lengan dan kepala pusing Jawaban: Puskesmas" in card
    assert "Pedoman dan umpan balik Luka diperiksa tenaga kesehatan" in card
    assert "Rumah aman" not in folded
    assert "Baris 1" not in folded
    card, _folded = shown["ordering"].split("Alasan tiap pilihan dan sumber")
    assert "Tanyakan apa yang paling mendesak Jawaban: 2" in card
    assert "Jawaban:" not in shown["multiple"]


def test_a_remark_about_an_item_that_is_not_on_the_list_is_not_found(
    app: Flask, sign_in: SignIn
) -> None:
    held = hold(2, stage=Stage.TALK)
    expert = sign_in(held.panel[0])
    here = f"/panel/{held.public_id}/butir"
    assert expert.post(f"{here}/99/catatan", data={"text": "Sulit."}).status_code == 404
    kept = expert.post(f"{here}/2/catatan", data={"text": "Sulit."}, follow_redirects=True)
    assert "Catatan tersimpan, tanpa nama." in kept.text
