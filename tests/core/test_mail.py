"""The outbox against a real mail server: sent, refused, put off, never in a circle."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from flask import Flask

from lms import rounds
from lms.core import clock, mail
from lms.core.db import db, unit_of_work
from lms.core.models import Mail, Throttle
from tests.factories import NOW

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Self-signed, with its key; it opens nothing but the server of these tests."""
SENDER = "suluh@dinas.test"


class Postbox:
    """A mail server that keeps what it is given, and knows no `tak-ada@…`."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.senders: list[str | None] = []
        self.pause = threading.Event()
        self.pause.set()

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address.startswith("tak-ada@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.pause.wait(10)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.senders.append(envelope.mail_from)
        return "250 OK"


class Server(Controller):
    """Listens at a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


Start = Callable[..., int]


def is_sending() -> bool:
    return "rounds" in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def start(postbox: Postbox) -> Iterator[Start]:
    """Start the postbox's server and return its port."""
    running: list[Server] = []

    def begin(**options: object) -> int:
        server = Server(postbox, hostname="127.0.0.1", port=0, **options)
        server.start()
        running.append(server)
        return server.port

    yield begin
    postbox.pause.set()
    for server in running:
        server.stop()


def put(to: str = "ani@contoh.test", subject: str = "Undangan") -> int:
    with unit_of_work():
        return mail.put(to, subject, "Halo Ani,\n\nBuka tautan ini: é\n", now=NOW).id


def send(mail_id: int, url: str, now=NOW) -> Mail:
    """What `server.send_due` does with one message, at a given time."""
    with unit_of_work():
        letter = mail.claim(mail_id, now=now)
    assert letter is not None
    error = mail.deliver(letter, url, SENDER, now=now)
    with unit_of_work():
        mail.note(mail_id, error, now=now)
    return db.session.get_one(Mail, mail_id)


def test_a_message_arrives_as_it_was_written(app: Flask, start: Start, postbox: Postbox):
    row = send(put(), f"smtp://127.0.0.1:{start()}")
    assert (row.sent_at, row.last_error, row.tries) == (NOW, None, 1)
    (message,) = postbox.received
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        "ani@contoh.test",
        "Undangan",
    )
    assert message["Date"].datetime == NOW
    assert message["Message-ID"].endswith("@dinas.test>")
    assert message.get_content() == "Halo Ani,\r\n\r\nBuka tautan ini: é\r\n"
    assert postbox.senders == [SENDER]


def test_what_was_sent_is_not_due_again(app: Flask, start: Start, postbox: Postbox):
    mail_id = put()
    assert mail.list_due(NOW) == [mail_id]
    send(mail_id, f"smtp://127.0.0.1:{start()}")
    assert mail.list_due(NOW + timedelta(days=30)) == []
    assert mail.claim(mail_id, now=NOW + timedelta(days=30)) is None


def test_a_refused_recipient_is_tried_again_later_and_then_given_up(app: Flask, start: Start):
    url, at, waits = f"smtp://127.0.0.1:{start()}", NOW, []
    mail_id = put("tak-ada@contoh.test")
    assert mail.count_unsent() == mail.Counts(waiting=1, stuck=0)
    while due := mail.list_due(at):
        assert due == [mail_id]
        row = send(mail_id, url, at)
        assert row.sent_at is None
        assert "no such mailbox" in (row.last_error or "")
        waits.append((row.due_at - at) / timedelta(minutes=1))
        assert mail.list_due(row.due_at - timedelta(seconds=1)) == []
        at = row.due_at
    assert waits == [2**n for n in range(1, mail.RETRIES + 1)]
    assert mail.count_unsent() == mail.Counts(waiting=0, stuck=1)


def test_a_server_that_is_down_costs_one_try(app: Flask, start: Start, postbox: Postbox):
    mail_id = put()
    row = send(mail_id, "smtp://127.0.0.1:1")
    assert "ConnectionRefusedError" in (row.last_error or "")
    row = send(mail_id, f"smtp://127.0.0.1:{start()}", row.due_at)
    assert (row.tries, row.last_error) == (2, None)
    assert len(postbox.received) == 1


def test_a_message_that_cannot_be_written_does_not_hold_up_the_others(
    make_app, start: Start, postbox: Postbox
):
    app = make_app(smtp_url=f"smtp://127.0.0.1:{start()}", mail_from=SENDER)
    with app.app_context():
        bad = put(subject="Dua\nbaris")
        good = put()
        assert rounds.send_mail(clock.now()) == 1
        assert "ValueError" in (db.session.get_one(Mail, bad).last_error or "")
        assert db.session.get_one(Mail, good).sent_at is not None
        assert rounds.send_mail(clock.now()) == 0
    assert len(postbox.received) == 1


def test_two_senders_do_not_send_a_message_twice(app: Flask):
    mail_id = put()
    with unit_of_work():
        assert mail.claim(mail_id, now=NOW) is not None
    with unit_of_work():
        assert mail.claim(mail_id, now=NOW) is None
    assert mail.list_due(NOW) == []


def test_a_message_somebody_else_just_took_is_left_to_them(
    make_app, postbox: Postbox, start: Start, monkeypatch: pytest.MonkeyPatch
):
    app = make_app(smtp_url=f"smtp://127.0.0.1:{start()}")
    with app.app_context():
        mail_id = put()
        due = mail.list_due(clock.now())
        with unit_of_work():
            mail.claim(mail_id, now=clock.now())
        monkeypatch.setattr(mail, "list_due", lambda _now: due)
        assert rounds.send_mail(clock.now()) == 0
    assert postbox.received == []


def test_nobodys_answer_waits_for_a_slow_mail_server(make_app, start: Start, postbox: Postbox):
    """SQLite has one writer: it must not be the one that waits for the network."""
    app = make_app(smtp_url=f"smtp://127.0.0.1:{start()}", mail_from=SENDER)
    with app.app_context():
        put()
        put()
    postbox.pause.clear()

    def work() -> None:
        with app.app_context():
            rounds.send_mail(clock.now())

    sender = threading.Thread(target=work)
    sender.start()
    with app.app_context():
        while mail.count_unsent().waiting and len(mail.list_due(clock.now())) == 2:
            db.session.rollback()
            time.sleep(0.01)
        began = time.monotonic()
        with unit_of_work():
            db.session.add(Throttle(key="an answer", failures=1, last_at=NOW))
        assert time.monotonic() - began < 5
        assert postbox.received == []  # the positive control: it was still waiting
        db.session.remove()
    postbox.pause.set()
    sender.join(10)
    assert len(postbox.received) == 2


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rounds hurry, and only the mail go round."""
    monkeypatch.setattr(rounds, "TICK", 0.01)
    monkeypatch.setattr(
        rounds, "ROUNDS", (rounds.Round("mail", 0.01, rounds.mail_due, rounds.send_mail),)
    )


def test_the_sender_works_in_the_background_and_stops(
    make_app, start: Start, postbox: Postbox, quickly: None
):
    app = make_app(smtp_url=f"smtp://127.0.0.1:{start()}")
    with app.app_context():
        put()
    with rounds.working(app):
        assert is_sending()
        deadline = time.monotonic() + 10
        while not postbox.received and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(postbox.received) == 1
    assert not is_sending()


def test_the_sender_survives_an_error(make_app, quickly: None, caplog: pytest.LogCaptureFixture):
    """The table is not there for a moment, for example while a backup is restored."""
    app = make_app(smtp_url="smtp://127.0.0.1:1")
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE mail RENAME TO gone")
    with rounds.working(app):
        deadline = time.monotonic() + 10
        while len(caplog.records) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [record.message for record in caplog.records][:2] == ["round mail", "round mail"]


def test_without_a_mail_server_nothing_is_sent(app: Flask):
    put()
    assert rounds.send_mail(clock.now()) == 0
    assert mail.count_unsent().waiting == 1


def test_the_outbox_is_read_newest_first(app: Flask):
    first, second, third = put(), put(), put()
    assert [row.id for row in mail.list_outbox(limit=2)] == [third, second]
    assert [row.id for row in mail.list_outbox(before=second)] == [first]


def checked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_an_encrypted_server_must_prove_who_it_is(
    app: Flask, start: Start, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    ports = {"smtps": start(ssl_context=checked()), "smtp+starttls": start(tls_context=checked())}
    for scheme, port in ports.items():
        row = send(put(), f"{scheme}://localhost:{port}")
        assert "certificate verify failed" in (row.last_error or "")
    assert postbox.received == []
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    for scheme, port in ports.items():
        assert send(put(), f"{scheme}://localhost:{port}").last_error is None
    assert len(postbox.received) == 2


def test_a_server_that_asks_for_a_password_gets_it_encrypted(
    app: Flask, start: Start, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def knows(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        fits = (data.login, data.password) == (b"suluh@dinas", b"a/b c")
        return AuthResult(success=fits, handled=False)

    port = start(
        tls_context=checked(), authenticator=knows, auth_required=True, auth_require_tls=True
    )
    row = send(put(), f"smtp+starttls://suluh%40dinas:salah@localhost:{port}")
    assert "SMTPAuthenticationError" in (row.last_error or "")
    row = send(put(), f"smtp+starttls://suluh%40dinas:a%2Fb%20c@localhost:{port}")
    assert row.last_error is None
    assert len(postbox.received) == 1
