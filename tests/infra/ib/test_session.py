"""The session over real sockets: what a link may do, and how each way of losing it is told."""

import asyncio
import random

import ib_async
import pytest

from tests.infra.ib.desk import Ear
from tests.infra.ib.peer import frame
from tests.practice.fake_exchange import FakeExchange
from tests.practice.hostile import TOKENS
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Opened
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings


def book(make):
    return {"make": make, "priority": Priority.BOOK, "timeout_s": 5.0}


async def test_a_session_tells_whose_gateway_it_is_and_fetches_nothing_by_itself(
    peer, session_to, until
):
    session = session_to(peer.port)

    opened = await session.open(1)
    await until(lambda: peer.heard)

    assert opened == Opened(server_version=178, accounts=("DU1234567",))
    assert [fields[0] for fields in peer.heard] == ["71"]


async def test_a_taken_client_id_is_known_at_once_and_by_its_code(gateway, session_to):
    gateway.faults.play("client-id-taken", {"client_id": 17})
    session = session_to(gateway.port, connect_timeout_s=600.0)

    trouble = await asyncio.wait_for(session.open(1), timeout=60)

    assert trouble.kind is LinkTrouble.CLIENT_ID_TAKEN


async def test_a_refused_port_a_mute_peer_and_a_leaving_one_are_told_apart(peer, session_to, until):
    session = session_to(peer.port, connect_timeout_s=0.3)
    nobody = session_to(1)
    peer.greeting = b""

    refused = await nobody.open(1)
    mute = await session.open(1)
    leaving = asyncio.ensure_future(session_to(peer.port).open(1))
    await until(lambda: peer.links == 2)
    peer.writer.close()
    left = await leaving

    assert refused.kind is LinkTrouble.UNREACHABLE
    assert mute.kind is LinkTrouble.SILENT
    assert left.kind is LinkTrouble.CLOSED_BY_PEER


@pytest.mark.parametrize("version", [100, 156])
async def test_a_gateway_too_old_to_speak_with_is_named_as_such(gateway, session_to, version):
    gateway.faults.play("N14", {"version": version})

    trouble = await session_to(gateway.port).open(1)

    assert trouble.kind is LinkTrouble.WRONG_VERSION


async def test_whoever_waits_learns_at_once_that_the_link_is_gone(peer, session_to, until):
    session = session_to(peer.port)
    await session.open(1)
    waiting = asyncio.ensure_future(session.ask(**book(lambda ib: ib.reqPositionsAsync())))
    await until(lambda: peer.asked(61))

    peer.writer.transport.abort()

    assert (await waiting).why is Failure.LINK_LOST
    assert session.notes.ended == [(1, LinkTrouble.CLOSED_BY_PEER)]
    assert not session.is_open


async def test_closing_tells_those_who_wait_and_says_so_once(peer, session_to, until):
    session = session_to(peer.port)
    await session.open(1)
    waiting = asyncio.ensure_future(session.ask(**book(lambda ib: ib.reqPositionsAsync())))
    await until(lambda: peer.asked(61))

    session.close("enough")
    session.close("again")

    assert (await waiting).why is Failure.LINK_LOST
    assert session.notes.ended == [(1, LinkTrouble.CLOSED_BY_US)]


async def test_a_link_given_up_by_us_is_left_in_good_order(peer, session_to):
    session = session_to(peer.port)
    await session.open(1)

    session.close("enough")
    await asyncio.wait_for(peer.gone.wait(), 20)

    assert peer.broken is None


async def test_a_link_in_doubt_is_reset_without_a_word(peer, session_to):
    session = session_to(peer.port)
    await session.open(1)
    peer.writer.write(b"\xff" * 8)

    await asyncio.wait_for(peer.gone.wait(), 20)

    assert session.notes.ended == [(1, LinkTrouble.GARBLED)]


async def test_a_new_epoch_is_a_new_client_with_nothing_left_of_the_old(gateway, session_to):
    session = session_to(gateway.port)
    await session.open(1)
    old = session._ib
    await session.open(2)

    assert session._ib is not old
    assert session.notes.opened == [1, 2]
    assert old.wrapper.tickers == {}
    assert not old.client.isConnected()


async def test_nothing_is_asked_of_a_link_that_is_not_there(session_to):
    session = session_to(1)

    answer = await session.ask(**book(lambda ib: ib.reqPositionsAsync()))
    sent = await session.send(lambda ib: ib.reqIds(), priority=Priority.ORDER)

    assert answer == Failed(why=Failure.NO_LINK)
    assert sent == Failed(why=Failure.NO_LINK)


async def test_a_refusal_keeps_its_code_and_no_foreign_exception_comes_out(gateway, session_to):
    session = session_to(gateway.port)
    await session.open(1)

    unknown = await session.ask(
        **book(lambda ib: ib.reqContractDetailsAsync(ib_async.Stock("NOPE", "SMART", "USD")))
    )
    broken = await session.ask(**book(lambda ib: ib.no_such_thing()))

    assert unknown.why is Failure.REFUSED
    assert unknown.code == 200
    assert broken.why is Failure.BROKEN


async def test_n12_our_pace_stays_below_the_wall_of_a_genuine_gateway(session_to):
    server = Server(exchange=FakeExchange(), settings=Settings(push_interval_s=0.01))
    session = session_to(await server.start())
    await session.open(1)

    def details(ib):
        return ib.reqContractDetailsAsync(ib_async.Stock("NOPE", "SMART", "USD"))

    data = [asyncio.ensure_future(session.ask(**book(details))) for _ in range(90)]
    await asyncio.sleep(0)
    cancels = [
        asyncio.ensure_future(
            session.send(lambda ib: ib.client.cancelOrder(9999), priority=Priority.CANCEL)
        )
        for _ in range(10)
    ]
    await asyncio.wait({*data, *cancels})

    assert {one.result().code for one in data} == {200}
    assert {code for _, code, _ in session.notes.errors} & {0, 100} == set()
    assert session._ib.throttled == 0
    await server.stop()


@pytest.mark.parametrize("seed", range(8))
async def test_n05_no_messages_however_bent_raise_out_of_the_link_or_fill_its_memory(
    peer, session_to, until, seed
):
    chance = random.Random(seed)
    escaped = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told: escaped.append(told))
    session, ear = session_to(peer.port), Ear()
    handler = BookHandler(session, ear, clock=WallClock(), account="", timeout_s=5.0)
    session.listeners.append(handler.listener)
    await session.open(1)

    for _ in range(150):
        kind = chance.choice([*range(1, 22), *range(45, 108), 0, 999])
        fields = [chance.choice(TOKENS) for _ in range(chance.randrange(40))]
        data = bytearray(frame(kind, *fields))
        if chance.random() < 0.1:
            data[chance.randrange(len(data))] = chance.randrange(256)
        if not session.is_open:
            await session.open(session.epoch + 1)
        peer.writer.write(bytes(data))
        await asyncio.sleep(0)
    peer.writer.write(b"\xff" * 8)
    await until(lambda: not session.is_open or session._ib.gate.waiting_bytes < 1 << 24)
    session.close("enough")
    await session.open(session.epoch + 1)
    await until(lambda: session.is_open)

    assert escaped == []
