"""Malformed and truncated frames: bounded memory, nothing escapes, others never notice.

A longer campaign: THETAWARDEN_FUZZ_FRAMES=100000 pytest tests/practice/test_fuzz.py
"""

import asyncio
import contextlib
import os
import resource

import pytest
import structlog
from ib_async import LimitOrder, Stock

from tests.practice.fake_exchange import FakeExchange
from tests.practice.fake_market import SPY
from tests.practice.hostile import Plausible, attack
from thetawarden.practice.clock import MarketClock
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.gateway.core import Gateway
from thetawarden.practice.gateway.handlers.table import HANDLERS
from thetawarden.practice.gateway.session import Session
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.settings import Settings
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.reader import MalformedError
from thetawarden.practice.wire.requests.order import place_order
from thetawarden.practice.wire.requests.table import DECODERS

FRAMES = int(os.environ.get("THETAWARDEN_FUZZ_FRAMES", "3000"))
GROWTH_KB_MAX = 60_000


def _resident_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_hostile_clients_harm_nobody(start, connect, until):
    server = await start(speed=60.0, messages_per_s_max=0)
    healthy = await connect(server, client_id=1)
    ticker = healthy.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))
    await until(ticker.hasBidAsk)
    escaped = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    await attack(server.port, count=300, seed=0, client_id=66)
    before_kb = _resident_kb()

    with structlog.testing.capture_logs() as logged:
        await attack(server.port, count=FRAMES, seed=1, client_id=66)
    await until(lambda: set(server.gateway.sessions) == {1})

    assert escaped == []
    assert [entry for entry in logged if entry["event"] == "request_failed"] == []
    assert _resident_kb() - before_kb < GROWTH_KB_MAX
    bid = ticker.bid
    await until(lambda: ticker.bid != bid, what="the healthy client's next quote")
    trade = healthy.placeOrder(ticker.contract, LimitOrder("BUY", 1, 1.0))
    await until(lambda: trade.orderStatus.status == "Submitted")
    assert await healthy.reqAllOpenOrdersAsync()


class _Nowhere:
    def write(self, data):
        pass

    def backlog_bytes(self):
        return 0

    def close(self, *, abort):
        pass


def _real_exchange():
    start_ns = 1_772_463_600 * 10**9
    return PracticeExchange(PracticeMarket(Terms(seed=1, start_ns=start_ns)))


@pytest.mark.parametrize("exchange", [FakeExchange, _real_exchange])
def test_no_content_of_any_request_breaks_what_carries_it_out(exchange):
    settings = Settings(messages_per_s_max=0)
    gateway = Gateway(exchange=exchange(), settings=settings, clock=MarketClock(speed=60.0))
    session = Session(gateway=gateway, sink=_Nowhere(), version=178, client_id=1)
    gateway.join(session)
    fields = Plausible(seed=7)

    for number in range(FRAMES // 30):
        for incoming, read in DECODERS.items():
            HANDLERS[incoming](session, read(fields))
        with contextlib.suppress(MalformedError):
            order = place_order(fields, client_id=1, version=178)
            HANDLERS[Incoming.PLACE_ORDER](session, order)
        gateway.step(now_s=number / 10)

    assert gateway.sessions == {1: session}


async def test_a_client_that_never_reads_is_cut_off_and_others_go_on(start, connect, until):
    server = await start(
        speed=3600.0, outbox_soft_bytes=20_000, outbox_hard_bytes=200_000, messages_per_s_max=0
    )
    healthy = await connect(server, client_id=1)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**10)
    writer.transport.pause_reading()
    writer.write(b"API\0" + _framed(b"v157..178") + _framed(b"71\x002\x005\0\0"))
    await until(lambda: 5 in server.gateway.sessions)

    for number in range(200):
        writer.write(_framed(_history_request(number)))
        await asyncio.sleep(0.001)
        if 5 not in server.gateway.sessions:
            break
    await until(lambda: 5 not in server.gateway.sessions, what="the deaf client's end")

    writer.close()
    ticker = healthy.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))
    await until(ticker.hasBidAsk)


async def test_a_frame_that_never_ends_has_a_deadline(start, until):
    server = await start(frame_deadline_s=0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"API\0" + _framed(b"v157..178") + _framed(b"71\x002\x005\0\0"))
    await until(lambda: 5 in server.gateway.sessions)

    writer.write(b"\0\0\0")

    await until(lambda: 5 not in server.gateway.sessions)
    writer.close()


async def test_a_silent_peer_has_a_deadline(start, until):
    server = await start(handshake_deadline_s=0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await until(server.connections)

    await until(lambda: not server.connections())

    writer.close()


async def test_another_protocol_is_dropped_at_once(start, until):
    server = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(b"GET / HTTP/1.1\r\n\r\n")

    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    await until(lambda: not server.connections())


def _history_request(number):
    contract = (SPY, "SPY", "STK", "", 0, "", "", "SMART", "", "USD", "SPY", "SPY")
    asked = (0, "", "1 min", "5 D", 1, "TRADES", 1, 0, "")
    return "".join(f"{value}\0" for value in (20, number, *contract, *asked)).encode()


def _framed(payload):
    return len(payload).to_bytes(4, "big") + payload
