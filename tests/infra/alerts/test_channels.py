"""Channels by which alerts really leave: to a mail server and to a web server of our own."""

import contextlib
import http.server
import json
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from apprise.plugins.telegram import NotifyTelegram

from soak.processes import free_port
from thetawarden.config.problems import ConfigError
from thetawarden.config.secrets import Secret
from thetawarden.domain.alerts.matters import Urgency
from thetawarden.infra.alerts.adapter import AlertAdapter
from thetawarden.infra.alerts.channels import open_channels
from thetawarden.infra.redaction import Redactor
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import AlertDelivered, AlertFailed, DeliverAlert

CANARY = "canary-9f83b1c27d"


class Mailbox:
    """A mail server's handler that keeps what it is brought."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        self.letters.append(envelope.content.decode())
        return "250 kept"


@pytest.fixture
def mail():
    box = Mailbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


class Web:
    """A web server that answers with `code` and keeps what it was told."""

    def __init__(self):
        self.code, self.pause_s, self.told = 200, 0.0, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(web.pause_s)
                web.told.append((self.path, json.loads(body)))
                self.send_response(web.code)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def web():
    each = Web()
    yield each
    each.server.shutdown()
    each.server.server_close()


def channel(address, *, timeout_s=5.0):
    secrets = {"alert_it": Secret(address)}
    return open_channels(["it"], secrets=secrets, timeout_s=timeout_s)["it"]


def test_a_letter_arrives_with_its_urgency_and_words(mail):
    address = f"mailto://127.0.0.1:{mail.port}/you@example.org?from=desk@example.org&mode=insecure"

    taken = channel(address).send(urgency=Urgency.CRITICAL, text="Trading halted: stale")

    assert taken
    (letter,) = mail.letters
    assert "Subject: Thetawarden: critical" in letter
    assert "Trading halted: stale" in letter


def test_a_webhook_is_told_and_one_that_refuses_has_not_taken_it(web):
    hook = channel(f"json://127.0.0.1:{web.port}/hook")

    assert hook.send(urgency=Urgency.HIGH, text="assigned")
    web.code = 500
    assert not hook.send(urgency=Urgency.HIGH, text="assigned")

    path, body = web.told[0]
    assert path == "/hook"
    assert (body["title"], body["message"]) == ("Thetawarden: high", "assigned")


def test_a_server_that_hangs_or_is_not_there_has_not_taken_it(web):
    web.pause_s = 1.0

    assert not channel(f"json://127.0.0.1:{web.port}/", timeout_s=0.3).send(
        urgency=Urgency.LOW, text="x"
    )
    assert not channel("json://127.0.0.1:9/", timeout_s=0.3).send(urgency=Urgency.LOW, text="x")


def test_x08_telegram_gets_plain_text_whatever_the_broker_wrote(web, monkeypatch):
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{web.port}/bot")
    bot = channel("tgram://123456789:abcdefg_hijklmnopq/4711/")

    assert bot.send(urgency=Urgency.CRITICAL, text='<a href="http://evil">Reset & resume</a>')

    path, body = web.told[-1]
    assert path == "/bot123456789:abcdefg_hijklmnopq/sendMessage"
    assert body["chat_id"] == 4711
    assert "<a href" not in body["text"]


def test_x02_no_part_of_an_address_is_shown_and_no_secret_is_sent(web):
    Secret(CANARY)
    hook = channel(f"json://user:{CANARY}-password@127.0.0.1:{web.port}/{CANARY}-token")

    hook.send(urgency=Urgency.LOW, text=f"the token is {CANARY}")

    shown = Redactor().text(f"POST /{CANARY}-token by user:{CANARY}-password refused")
    assert CANARY not in shown
    assert CANARY not in web.told[0][1]["message"]


@pytest.mark.parametrize("address", [None, "nonsense://nobody-knows-this", "not an address at all"])
def test_c04_a_channel_without_a_usable_address_refuses_the_start_and_shows_nothing_of_it(address):
    secrets = {} if address is None else {"alert_sms": Secret(address)}

    with pytest.raises(ConfigError) as refusal:
        open_channels(["sms"], secrets=secrets, timeout_s=1)

    assert "THETAWARDEN_SECRET_ALERT_SMS" in str(refusal.value)
    assert address is None or address not in str(refusal.value)


class Desk:
    def __init__(self):
        self.heard = []
        self.any = threading.Semaphore(0)

    def say(self, message, cause_seq=None, /):
        self.heard.append(message)
        self.any.release()


class Sender:
    """Takes, refuses, raises or hangs, as its name says."""

    def __init__(self, does):
        self.does, self.go = does, threading.Event()

    def send(self, *, urgency, text):
        if self.does == "hangs":
            self.go.wait(20)
        if self.does == "raises":
            raise OSError("with a token in it")
        return self.does == "takes"


def test_a_channel_that_hangs_or_raises_holds_up_no_other_and_each_is_told_of():
    senders = {name: Sender(name) for name in ("hangs", "raises", "refuses", "takes")}
    adapter, desk = AlertAdapter(senders), Desk()
    adapter.start(desk)
    for number, name in enumerate((*senders, "unknown")):
        alert = DeliverAlert(number=number, urgency=Urgency.LOW, topic="t", text="x", channel=name)
        for answer in adapter.perform(Envelope(number, 0, "notifier", 1, None, alert)):
            desk.say(answer)

    for _ in range(4):
        assert desk.any.acquire(timeout=10)
    senders["hangs"].go.set()
    adapter.stop()

    assert {(type(one), one.channel) for one in desk.heard[:4]} == {
        (AlertFailed, "raises"),
        (AlertFailed, "refuses"),
        (AlertDelivered, "takes"),
        (AlertFailed, "unknown"),
    }
    assert "token" not in str(desk.heard)
