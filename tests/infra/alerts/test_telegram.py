"""Commands by Telegram, over a Telegram of our own: who is heard, and what is answered."""

import http.server
import json
import logging
import threading
import time

import pytest

from tests.cli.shell import wait_for
from thetawarden.config.secrets import Secret
from thetawarden.errors import RefusedError
from thetawarden.infra.alerts.telegram import TelegramCommands
from thetawarden.messages.control import ActorCounts, Done, LinkView, Status

TOKEN = "123456:canary-token-0f1e2d"  # noqa: S105
BOSS, STRANGER = 4711, 666
STATUS = Status(
    mode="practice",
    trading_state="running",
    halt=None,
    link=LinkView(state="ready", epoch=1),
    reconciled=True,
    market_time="",
    speed=1.0,
    gateway=None,
    nlv_usd=100_000.0,
    positions=2,
    working_orders=None,
    actors=ActorCounts(running=9, restarting=0, failed=0),
    next_events=(),
    pid=1,
    started_at="",
    ailments=("the log is behind",),
)


class Telegram:
    """Telegram's side: a queue of updates, and what the bot said."""

    def __init__(self):
        self.updates, self.said, self.code, self.asked = [], [], 200, 0
        self.garbage = None
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                result = server.answer(self.path, asked)
                self.send_response(server.code)
                self.end_headers()
                self.wfile.write(json.dumps({"ok": True, "result": result}).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, asked):
        assert path.startswith(f"/bot{TOKEN}/")
        if path.endswith("sendMessage"):
            self.said.append((asked["chat_id"], asked["text"]))
            return {}
        self.asked += 1
        if self.garbage:
            return self.garbage
        if asked["offset"] < 0:
            return self.updates[-1:]
        time.sleep(0.02)
        return [each for each in self.updates if each["update_id"] >= asked["offset"]]

    def write(self, who, text):
        sender = {} if who is None else {"from": {"id": who}}
        message = {"chat": {"id": who}, "text": text} | sender
        self.updates.append({"update_id": len(self.updates) + 100, "message": message})


class Desk:
    def __init__(self):
        self.halts, self.refuses = [], False

    def status(self):
        if self.refuses:
            raise RefusedError("not now")
        return STATUS

    def halt(self, request, *, by):
        self.halts.append((request.reason, by))
        return Done(what="trading is halted")


@pytest.fixture
def telegram():
    each = Telegram()
    yield each
    each.server.shutdown()
    each.server.server_close()


@pytest.fixture
def listening(telegram):
    desk = Desk()

    def start():
        commands = TelegramCommands(
            desk,
            token=Secret(TOKEN),
            allowed_ids=(BOSS,),
            positions=lambda: "nothing held",
            api=telegram.address,
            poll_s=1.0,
        )
        commands.start()
        started.append(commands)
        wait_for(lambda: telegram.asked > 1)
        return desk

    started = []
    yield start
    for each in started:
        each.stop()


def answers(telegram, count):
    wait_for(lambda: len(telegram.said) >= count)
    return [text for _, text in telegram.said]


def test_the_listed_may_look_and_halt_and_are_answered(telegram, listening):
    desk = listening()
    for text in ("/status", "positions", "halt the news are bad", "/halt@desk_bot", "buy!"):
        telegram.write(BOSS, text)

    said = answers(telegram, 5)

    assert said[0].splitlines()[0] == "practice: running, link ready"
    assert "positions 2, working orders unknown" in said[0]
    assert "! the log is behind" in said[0]
    assert said[1:] == [
        "nothing held",
        "trading is halted",
        "trading is halted",
        "no such command; there are: status, positions, halt REASON",
    ]
    assert desk.halts == [
        ("the news are bad", "telegram 4711"),
        ("asked by Telegram, no reason given", "telegram 4711"),
    ]


def test_nobody_else_is_heard_or_answered_and_that_is_noted_once(telegram, listening, caplog):
    desk = listening()
    with caplog.at_level(logging.WARNING):
        for who in (STRANGER, STRANGER, None):
            telegram.write(who, "halt")
        telegram.updates.append({"update_id": 900, "message": "nonsense"})
        telegram.updates.append({"update_id": 901, "edited_message": {}})
        for nobody in ("a name", ["a", "list"], {"id": {"no": "number"}}):
            telegram.updates.append({"update_id": 901, "message": {"from": nobody, "text": "halt"}})
        telegram.write(BOSS, "positions")
        telegram.updates[-1]["update_id"] = 902
        answers(telegram, 1)

    assert telegram.said == [(BOSS, "nothing held")]
    assert desk.halts == []
    assert [one.user for one in caplog.records] == [STRANGER, 0]


def test_what_was_written_before_the_desk_began_is_passed_over(telegram, listening):
    telegram.write(BOSS, "halt yesterday's")
    desk = listening()
    telegram.write(BOSS, "positions")

    answers(telegram, 1)
    assert desk.halts == []


def test_there_is_no_resume_and_no_other_way_to_take_risk(telegram, listening):
    listening()
    for text in ("resume", "flatten", "stop", "accept"):
        telegram.write(BOSS, text)

    assert all(text.startswith("no such command") for text in answers(telegram, 4))


def test_x02_a_telegram_that_fails_ends_nothing_and_its_address_is_never_shown(
    telegram, listening, caplog
):
    desk = listening()
    with caplog.at_level(logging.DEBUG):
        telegram.code = 502
        telegram.write(BOSS, "status")
        wait_for(lambda: caplog.records)
        telegram.code, telegram.garbage = 200, "no list"
        seen = telegram.asked
        wait_for(lambda: telegram.asked > seen)
        telegram.garbage = None
        answers(telegram, 1)
        desk.refuses = True
        telegram.write(BOSS, "status")
        assert answers(telegram, 2)[1] == "not now"

    assert "canary" not in caplog.text
