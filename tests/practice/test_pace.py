"""A client's pace is judged by its own clock on the wall, however fast or busy the market is."""

import asyncio
import socket
import struct
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async import Stock

from tests.practice.fake_exchange import FakeExchange
from tests.practice.fake_market import SPY, FakeMarket
from thetawarden.practice.gateway.rate import Pace, RateLimiter
from thetawarden.practice.stalls import Stalls

PACE_PER_S, FOR_S = 40, 4.0
BUSY_S = 0.8
SPEEDS = pytest.mark.parametrize("speed", [1.0, 60.0, None], ids=["1x", "60x", "flat out"])


class BusyMarket(FakeMarket):
    """Keeps the gateway from its sockets for most of a second, then leaves it alone as long."""

    rested_s = 0.0

    def advance(self, to_ns):
        super().advance(to_ns)
        if time.monotonic() > self.rested_s + BUSY_S:
            time.sleep(BUSY_S)
            self.rested_s = time.monotonic()


def frame(*fields):
    body = "".join(f"{one}\0" for one in fields).encode()
    return struct.pack(">I", len(body)) + body


class Raw:
    """A client that is nothing but a socket, in a thread of its own."""

    def __init__(self, port):
        self.wire = socket.create_connection(("127.0.0.1", port), timeout=20)
        hello = b"v100..178"
        self.wire.sendall(b"API\0" + struct.pack(">I", len(hello)) + hello)
        self.wire.recv(4096)
        self.wire.sendall(frame(71, 2, 1, ""))

    def pace(self):
        """Ask for the time at a steady forty a second; never two at once to catch up."""
        ends_s, sent = time.monotonic() + FOR_S, 0
        while time.monotonic() < ends_s:
            self.wire.sendall(frame(49, 1))
            sent += 1
            time.sleep(1.0 / PACE_PER_S)
        return sent, self.heard()

    def flood(self):
        self.wire.sendall(frame(49, 1) * 400)
        return self.heard()

    def heard(self):
        """Everything that came, until a quiet second; answers, and codes of errors."""
        self.wire.settimeout(1.5)
        data = bytearray()
        with self.wire, suppress(TimeoutError):
            while more := self.wire.recv(1 << 16):
                data += more
        answers, codes = 0, []
        while len(data) >= 4:
            (length,) = struct.unpack(">I", data[:4])
            fields = bytes(data[4 : 4 + length]).decode().split("\0")
            del data[: 4 + length]
            answers += fields[0] == "49"
            if fields[0] == "4":
                codes.append(int(fields[3]))
        return answers, codes


async def busy_server(start, speed):
    return await start(exchange=FakeExchange(BusyMarket()), speed=speed)


@SPEEDS
async def test_a_client_that_keeps_its_pace_is_never_refused(start, speed):
    server = await busy_server(start, speed)

    sent, (answers, codes) = await asyncio.to_thread(lambda: Raw(server.port).pace())

    assert 100 not in codes
    assert answers == sent


async def test_nor_is_it_when_the_whole_loop_stands_for_reasons_of_the_machine(start):
    server = await start(exchange=FakeExchange(FakeMarket()))
    loop = asyncio.get_running_loop()
    nap = None

    def stand():
        nonlocal nap
        time.sleep(BUSY_S)
        nap = loop.call_later(BUSY_S, stand)

    stand()
    sent, (answers, codes) = await asyncio.to_thread(lambda: Raw(server.port).pace())
    nap.cancel()

    assert 100 not in codes
    assert answers == sent


async def test_nor_is_it_when_the_loop_stands_in_the_very_turn_of_its_beat(start, monkeypatch):
    server = await start(exchange=FakeExchange(FakeMarket()))
    beat, stood_s = server.stalls.beat, time.monotonic()

    def stand_and_beat(_now_s):
        nonlocal stood_s
        if time.monotonic() > stood_s + BUSY_S:
            time.sleep(BUSY_S)
            stood_s = time.monotonic()
        beat(server.now_s())

    monkeypatch.setattr(server.stalls, "beat", stand_and_beat)
    sent, (answers, codes) = await asyncio.to_thread(lambda: Raw(server.port).pace())

    assert 100 not in codes
    assert answers == sent


@SPEEDS
async def test_a_client_that_floods_is_refused(start, speed):
    server = await busy_server(start, speed)

    answers, codes = await asyncio.to_thread(lambda: Raw(server.port).flood())

    assert codes.count(100) > 200
    assert answers < 150


async def test_historys_pacing_goes_by_the_wall_at_sixty_times(start, connect, until):
    server = await start(speed=60.0)
    client = await connect(server)
    spy = Stock("SPY", "SMART", "USD", conId=SPY)
    refused = []
    client.errorEvent += lambda _id, code, text, _contract: refused.append((code, text))

    def ask():
        return client.reqHistoricalDataAsync(spy, "", "1800 S", "30 secs", "TRADES", True)

    assert await ask()
    asked_ns = server.gateway.now_ns
    await until(lambda: server.gateway.now_ns > asked_ns + 60 * 10**9)
    assert not await ask()

    assert [code for code, text in refused if "pacing violation" in text] == [162]


def turned(stalls, queue):
    """One turn of the loop: what was due runs, in order."""
    due, queue[:] = list(queue), []
    for one in due:
        one()


def test_what_arrives_during_work_may_have_come_since_it_began():
    queue = []
    stalls = Stalls(queue.append)
    assert stalls.unread_since_s(5.0) == 5.0

    stalls.note_work(5.0)
    stalls.note_work(5.2)
    assert stalls.unread_since_s(5.4) == 5.4

    turned(stalls, queue)
    assert stalls.unread_since_s(5.5) == 5.0
    stalls.note_work(5.5)

    turned(stalls, queue)
    assert stalls.unread_since_s(5.9) == 5.5

    turned(stalls, queue)
    assert stalls.unread_since_s(9.0) == 9.0
    assert queue == []


def test_what_is_read_after_the_loop_stood_may_have_come_while_it_stood():
    """The processor was elsewhere: nobody noted work, but the last beat is long ago."""
    queue = []
    stalls = Stalls(queue.append)
    stalls.beat(7.0)
    turned(stalls, queue)
    turned(stalls, queue)

    assert stalls.unread_since_s(7.03) == 7.0
    assert stalls.unread_since_s(8.5) == 7.0

    stalls.beat(8.5)
    turned(stalls, queue)
    assert stalls.unread_since_s(8.51) == 7.0, "it stood in the very turn of this beat"

    turned(stalls, queue)
    assert stalls.unread_since_s(8.52) == 8.5


@given(
    looks=st.lists(st.floats(min_value=0.0, max_value=0.9), min_size=1, max_size=30),
    bursts=st.lists(
        st.tuples(st.integers(1, 40), st.floats(min_value=0.0, max_value=0.3)), max_size=60
    ),
)
def test_whoever_keeps_the_limit_is_not_refused_however_rarely_he_is_looked_at(looks, bursts):
    """Forty in a second, as they like: also all at once at one end of it and of the next."""
    rate = RateLimiter(per_s_max=50, per_s_warn=44, violations_max=3)
    sent, at_s = [], 0.0
    for count, pause_s in bursts:
        at_s += pause_s
        room = 40 - sum(at_s - one < 1.0 for one in sent)
        sent += [at_s] * min(count, room)

    since_s = 0.0
    for look_s in (*looks, 1000.0):
        now_s = since_s + look_s
        for _came in [one for one in sent if since_s <= one < now_s]:
            assert rate.judge(now_s, since_s=since_s) is Pace.FINE
        since_s = now_s


@given(st.integers(51, 400), st.floats(min_value=0.0, max_value=5.0))
def test_more_than_any_pace_can_have_brought_in_that_time_is_refused(count, wait_s):
    rate, now_s = RateLimiter(per_s_max=50, per_s_warn=44, violations_max=1000), 7.0 + wait_s

    verdicts = [rate.judge(now_s, since_s=7.0) for _ in range(count)]

    fits = 50 * (int(now_s - 7.0) + 1)
    assert len(verdicts) - verdicts.count(Pace.REFUSE) == min(count, fits)
