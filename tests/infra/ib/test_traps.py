"""Each trap of ib_async, sprung for real: what the bare library does, and what our client does.

The numbers are those of the table in docs/link.md.
"""

import asyncio
import gc
import logging
import math
import re
import threading
from decimal import Decimal
from pathlib import Path

import ib_async
import pytest
from ib_async import Contract, LimitOrder, MarketOrder, Stock

from tests.infra.ib.desk import Ear
from tests.infra.ib.peer import frame
from tests.practice.fake_market import EXPIRIES, SPY, option_con_id
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.translate import (
    greeks_of,
    initial_margin_of,
    money,
    order_of,
    position_of,
    said,
)

PUT = Contract(conId=option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P"), exchange="SMART")
UNSET = "1.7976931348623157E308"
SHORT_S = 0.2


@pytest.fixture
async def bare_to():
    """Unguarded clients, to show that the trap is really there."""
    clients = []

    async def connect(port, client_id=90, **options):
        ib = ib_async.IB()
        clients.append(ib)
        await ib.client.connectAsync("127.0.0.1", port, client_id, 20)
        ib.wrapper.clientId = client_id
        return ib

    yield connect
    for ib in clients:
        ib.disconnect()
    await asyncio.sleep(0)


async def opened(session, epoch=1):
    await session.open(epoch)
    return session._ib


def asking(session, make, timeout_s=20.0):
    return session.ask(make, priority=Priority.BOOK, timeout_s=timeout_s)


def details(ib):
    return ib.reqContractDetailsAsync(Stock("SPY", "SMART", "USD"))


def refuse(peer, code, *, id_field, words="no"):
    def answer(fields):
        peer.send(4, 2, fields[id_field], code, words, "")

    return answer


async def test_7_1_1_a_request_that_fails_validation_ends_at_once(peer, session_to, bare_to):
    peer.answers["9"] = refuse(peer, 321, id_field=2, words="Error validating request")
    bare = await bare_to(peer.port)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(details(bare), SHORT_S)

    session = session_to(peer.port)
    await opened(session)
    answer = await asking(session, details, timeout_s=600.0)

    assert (answer.why, answer.code) == (Failure.REFUSED, 321)


@pytest.mark.parametrize("code", [399, 2174, 10167])
async def test_7_1_1_an_answer_that_is_only_a_warning_ends_with_its_time(peer, session_to, code):
    peer.answers["9"] = refuse(peer, code, id_field=2)
    session = session_to(peer.port)
    await opened(session)

    answer = await asking(session, details, timeout_s=SHORT_S)

    assert answer.why is Failure.UNANSWERED


def what_if(ib):
    return ib.whatIfOrderAsync(PUT, LimitOrder("SELL", 1, 5.0))


@pytest.mark.parametrize("kind", ["refused", "unset", "hang"])
async def test_7_1_2_a_what_if_without_numbers_is_a_margin_unknown(gateway, session_to, kind):
    gateway.faults.play("what-if", {"kind": kind})
    session = session_to(gateway.port)
    await opened(session)

    answer = await asking(session, what_if, timeout_s=SHORT_S)

    assert initial_margin_of(answer) is None
    assert isinstance(answer, Failed)


async def test_7_1_2_a_refused_what_if_is_no_empty_list(gateway, session_to, bare_to):
    gateway.faults.play("what-if", {"kind": "refused"})
    bare = await bare_to(gateway.port)
    assert await asyncio.wait_for(what_if(bare), 20) == []

    session = session_to(gateway.port)
    await opened(session)

    assert (await asking(session, what_if)).code == 201


async def test_7_1_2_a_what_if_with_numbers_is_a_margin(gateway, session_to):
    session = session_to(gateway.port)
    await opened(session)

    assert initial_margin_of(await asking(session, what_if)) > 0


@pytest.mark.parametrize("margin", ["", "1.7976931348623157E308", "inf", "nan", "-"])
def test_7_1_2_no_figure_that_is_none_becomes_a_margin(margin):
    assert initial_margin_of(ib_async.OrderState(initMarginChange=margin)) is None
    assert initial_margin_of([]) is None
    assert initial_margin_of(None) is None


async def filled(gateway, client, until):
    trade = client.placeOrder(PUT, MarketOrder("BUY", 1))
    await until(lambda: trade.orderStatus.status == "Filled")
    return trade


@pytest.mark.parametrize("code", [399, 2109, 105])
async def test_7_1_3_a_late_warning_does_not_bring_a_filled_order_back(
    gateway, session_to, bare_to, until, code
):
    bare = await bare_to(gateway.port)
    revived = await filled(gateway, bare, until)
    gateway.gateway.sessions[90].error(revived.order.orderId, code, "late")
    await until(lambda: revived.orderStatus.status == "ValidationError")

    session = session_to(gateway.port)
    trade = await filled(gateway, await opened(session), until)
    gateway.gateway.sessions[17].error(trade.order.orderId, code, "late")
    await until(lambda: session.notes.refusals)

    assert trade.orderStatus.status == "Filled"
    assert order_of(trade).state is BrokerOrderState.FILLED


@pytest.mark.parametrize("code", [10349, 103, 161, 10148, 435])
async def test_7_1_4_no_error_code_cancels_a_working_order(
    gateway, session_to, bare_to, until, code
):
    bare = await bare_to(gateway.port)
    wronged = bare.placeOrder(PUT, LimitOrder("BUY", 1, 0.05))
    await until(lambda: wronged.orderStatus.status == "Submitted")
    gateway.gateway.sessions[90].error(wronged.order.orderId, code, "not really")
    await until(lambda: wronged.orderStatus.status == "Cancelled")

    session = session_to(gateway.port)
    ib = await opened(session)
    trade = ib.placeOrder(PUT, LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")
    gateway.gateway.sessions[17].error(trade.order.orderId, code, "not really")
    await until(lambda: session.notes.refusals)

    assert trade.orderStatus.status == "Submitted"
    assert "Cancelled" not in {status for _, status in session.notes.orders}
    assert session.notes.refusals[-1] == (trade.order.orderId, code, "not really")


async def test_7_1_4_a_cancellation_the_broker_tells_is_believed(gateway, session_to, until):
    session = session_to(gateway.port)
    ib = await opened(session)
    trade = ib.placeOrder(PUT, LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")

    ib.cancelOrder(trade.order)

    await until(lambda: trade.orderStatus.status == "Cancelled")
    assert order_of(trade).state is BrokerOrderState.CANCELLED


async def test_7_1_5_a_second_stream_of_one_contract_is_refused(peer, session_to, bare_to, until):
    spy = Contract(secType="STK", conId=SPY, symbol="SPY", exchange="SMART", currency="USD")
    bare = await bare_to(peer.port)
    bare.reqMktData(spy)
    bare.reqMktData(spy)
    bare.cancelMktData(spy)
    await until(lambda: peer.asked(2))
    assert (len(peer.asked(1)), len(peer.asked(2))) == (2, 1)

    session = session_to(peer.port)
    await opened(session)
    first = await session.send(lambda ib: ib.reqMktData(spy), priority=Priority.LINES)
    second = await session.send(lambda ib: ib.reqMktData(spy), priority=Priority.LINES)

    assert first.contract.conId == SPY
    assert second.why is Failure.ALREADY_ASKED
    await until(lambda: peer.asked(1))
    assert len(peer.asked(1)) == 1


async def test_7_1_5_late_ticks_of_a_line_given_back_change_nothing(peer, session_to, until):
    session = session_to(peer.port)
    ib = await opened(session)
    ticker = ib.reqMktData(PUT)
    await until(lambda: peer.asked(1))
    number = peer.asked(1)[0][2]
    peer.send(1, 6, number, 1, "5.0", "10", 0)
    await until(lambda: ticker.bid == 5.0)

    ib.cancelMktData(PUT)
    peer.send(1, 6, number, 1, "99.0", "10", 0)
    peer.send(49, 1, 1_700_000_000)
    await until(lambda: session.idle_ns() < 10**9 and ib.client._data == b"")
    await asyncio.sleep(0.05)

    assert ticker.bid == 5.0


async def test_7_1_6_two_questions_of_a_kind_without_a_number_are_never_open_together(
    peer, session_to, bare_to
):
    bare = await bare_to(peer.port)
    first = asyncio.ensure_future(bare.reqPositionsAsync())
    second = asyncio.ensure_future(bare.reqPositionsAsync())
    peer.send(62, 1)
    await asyncio.wait({second}, timeout=20)
    assert not first.done()
    first.cancel()

    peer.answers["61"] = lambda _fields: peer.send(62, 1)
    session = session_to(peer.port)
    await opened(session)
    answers = await asyncio.gather(
        *(asking(session, lambda ib: ib.reqPositionsAsync()) for _ in range(3))
    )

    assert answers[0] == []
    assert [one.why for one in answers[1:]] == [Failure.ALREADY_ASKED] * 2
    assert await asking(session, lambda ib: ib.reqPositionsAsync()) == []


async def test_7_1_6_a_question_nobody_waits_for_any_more_blocks_its_kind_until_answered(
    peer, session_to, until
):
    session = session_to(peer.port)
    await opened(session)

    late = await asking(session, lambda ib: ib.reqPositionsAsync(), timeout_s=0.05)
    again = await asking(session, lambda ib: ib.reqPositionsAsync(), timeout_s=0.05)
    peer.send(62, 1)
    await until(lambda: "positions" not in session._ib.wrapper._futures)
    peer.answers["61"] = lambda _fields: peer.send(62, 1)

    assert late.why is Failure.UNANSWERED
    assert again.why is Failure.ALREADY_ASKED
    assert await asking(session, lambda ib: ib.reqPositionsAsync()) == []


async def test_7_1_7_greeks_that_were_not_computed_are_unknown(peer, session_to, until):
    session = session_to(peer.port)
    ib = await opened(session)
    ticker = ib.reqMktData(PUT)
    await until(lambda: peer.asked(1))
    number = peer.asked(1)[0][2]

    peer.send(21, number, 13, 0, "0.2", "-0.3", "-1", "-1", "0.01", "-2", "-2", "500.0")
    await until(lambda: ticker.modelGreeks)

    assert (ticker.modelGreeks.vega, ticker.modelGreeks.theta) == (-2.0, -2.0)
    greeks = greeks_of(ticker.modelGreeks)
    assert greeks.vega_usd_per_vol_point is greeks.theta_usd_per_day is None
    assert greeks.delta_per_share == -0.3
    assert greeks.iv_annual == 0.2


async def test_7_1_8_a_restored_link_asks_for_no_further_summary(peer, session_to, bare_to, until):
    bare = await bare_to(peer.port)
    peer.send(4, 2, -1, 1102, "restored - data maintained", "")
    await until(lambda: peer.asked(62), what="the library's own request")
    del bare

    session = session_to(peer.port)
    await opened(session)
    peer.send(4, 2, -1, 1102, "restored - data maintained", "")
    await until(lambda: session.notes.errors)
    peer.answers["49"] = lambda _fields: peer.send(49, 1, 1_700_000_000)
    await session.prove_alive(idle_ns_max=0, timeout_s=20)

    assert peer.asked(62) == []


def test_7_1_9_what_was_not_said_is_unknown_and_never_a_number():
    assert money(float(UNSET)) is None
    assert money(math.nan) is None
    assert money(math.inf) is None
    assert money(-5.05) == Decimal("-5.05")
    assert said(-1.0) is None
    assert said(float(UNSET)) is None


def test_7_1_9_a_holding_of_unknown_size_is_no_holding_of_nothing():
    held = ib_async.Position("DU1", ib_async.Stock(conId=1), float(UNSET), 5.0)

    with pytest.raises(ValueError, match="quantity"):
        position_of(held)


@pytest.mark.parametrize("size", [UNSET, "nan", "inf"])
async def test_7_1_9_a_holding_whose_size_cannot_be_read_is_told_as_unreadable(
    peer, session_to, until, size
):
    session = session_to(peer.port)
    handler = BookHandler(session, Ear(), clock=WallClock(), account="DU1234567", timeout_s=5.0)
    session.listeners.append(handler.listener)
    await opened(session)

    peer.send(61, 3, "DU1234567", 1, "SPY", "STK", "", 0, "", "", "", "USD", "SPY", "SPY", size, 5)

    await until(lambda: session.notes.nonsense)


async def test_7_1_10_a_hundred_questions_from_other_threads_all_arrive(peer, session_to, until):
    peer.answers["9"] = refuse(peer, 200, id_field=2)
    loops = LoopThread()
    loops.start()
    session = session_to(peer.port)
    done = loops.submit(session.open(1))
    await until(done.done)

    def ask_ten():
        for _ in range(10):
            loops.submit(asking(session, details))

    threads = [threading.Thread(target=ask_ten) for _ in range(10)]
    for thread in threads:
        thread.start()
    await until(lambda: len(peer.asked(9)) == 100, what="a hundred requests")

    fullest = max(
        sum(1 for later in peer.heard_at if at <= later <= at + 1) for at in peer.heard_at
    )
    assert fullest < 45
    assert session._ib.throttled == 0
    assert session.pacer.unplanned == 2  # the first words of every link
    loops.call(lambda: session.close("done"))
    await until(lambda: not session.is_open)
    loops.stop()


async def test_7_1_10_the_library_throttles_when_nobody_paces_it(peer, bare_to):
    bare = await bare_to(peer.port)
    throttled = []
    bare.client.throttleStart += lambda: throttled.append(True)

    for _ in range(60):
        bare.client.reqIds(1)

    assert throttled
    assert len(bare.client._msgQ) > 0


async def test_7_1_11_collecting_a_client_on_any_thread_touches_no_link(peer, session_to, bare_to):
    bare = await bare_to(peer.port)
    bare.__del__()
    assert not bare.isConnected()

    session = session_to(peer.port)
    ib = await opened(session)
    ib.__del__()
    collecting = threading.Thread(target=gc.collect)
    collecting.start()
    collecting.join()

    assert type(ib) is GuardedIB
    assert ib.isConnected()


async def test_7_1_12_a_peer_that_closes_before_the_session_is_known_at_once(
    peer, session_to, until
):
    peer.welcome = b""
    session = session_to(peer.port, connect_timeout_s=600.0)
    opening = asyncio.ensure_future(session.open(1))
    await until(lambda: peer.heard)

    peer.writer.close()

    assert (await asyncio.wait_for(opening, 60)).kind == "closed_by_peer"


@pytest.mark.parametrize(
    "fields",
    [
        (250, 1, "from the future"),
        (1, 6, 3, 1999, "5.0", "1", 0),
        (2, 6, 3, 1999, "5.0"),
        (45, 6, 3, 1999, "5.0"),
    ],
)
async def test_7_1_13_what_the_library_has_no_place_for_ends_nothing(
    peer, session_to, until, fields
):
    session = session_to(peer.port)
    ib = await opened(session)
    ib.wrapper.startTicker(3, PUT, "mktData")

    for _ in range(5):
        peer.send(*fields)
    await until(lambda: ib.unplaced == 5)

    assert session.notes.nonsense == []
    assert session.is_open


async def test_7_1_14_a_mute_peer_is_connected_for_the_library_and_not_for_us(gateway, session_to):
    session = session_to(gateway.port)
    ib = await opened(session)
    gateway.faults.play("mute")

    alive = await session.prove_alive(idle_ns_max=0, timeout_s=SHORT_S)

    assert ib.isConnected()
    assert alive.why is Failure.UNANSWERED


async def test_7_1_15_an_order_nobody_acknowledged_is_pending_and_nameless(peer, session_to):
    session = session_to(peer.port)
    ib = await opened(session)

    order = order_of(ib.placeOrder(PUT, LimitOrder("SELL", 2, 5.05, orderRef="ours.1")))

    assert order.state is BrokerOrderState.PENDING
    assert order.perm_id == 0
    assert (order.order_ref, order.quantity, order.filled) == ("ours.1", Decimal(-2), Decimal())


async def test_7_1_16_after_a_reconnect_what_is_filled_comes_from_the_listing(
    gateway, session_to, until
):
    session = session_to(gateway.port)
    ib = await opened(session)
    trade = ib.placeOrder(PUT, LimitOrder("BUY", 3, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")
    gateway.gateway.exchange.fill(perm_id=trade.order.permId, quantity=1, price=0.05)
    await until(lambda: trade.orderStatus.filled == 1)

    await opened(session, epoch=2)
    (listed,) = await asking(session, lambda ib: ib.reqAllOpenOrdersAsync())

    assert listed is not trade
    order = order_of(listed)
    assert (order.quantity, order.filled) == (Decimal(3), Decimal(1))
    assert order.state is BrokerOrderState.WORKING


async def test_7_1_17_a_refused_stream_is_heard_by_its_number(gateway, session_to, until):
    gateway.faults.play("not-subscribed")
    session = session_to(gateway.port)
    ib = await opened(session)

    ticker = ib.reqMktData(PUT)
    await until(lambda: session.notes.refusals)

    number = ib.wrapper.ticker2ReqId["mktData"][ticker]
    assert session.notes.refusals[0][:2] == (number, 354)


async def test_a_length_that_cannot_be_is_dropped_before_the_library_waits_for_it(
    peer, session_to, bare_to, until
):
    bare = await bare_to(peer.port)
    peer.writer.write(b"\xff\xff\xff\xff" + b"1" * 5000)
    await until(lambda: len(bare.client._data) > 5000)
    assert bare.isConnected()

    session = session_to(peer.port)
    ib = await opened(session)
    peer.writer.write(b"\xff\xff\xff\xff" + b"1" * 5000)
    await until(lambda: session.notes.ended)

    assert session.notes.ended == [(1, "garbled")]
    assert ib.client._data == b""


async def test_a_message_that_cannot_be_read_is_told_and_not_only_logged(
    peer, session_to, bare_to, until, caplog
):
    broken = (11, -1, 7, "no conid", "SPY")
    bare = await bare_to(peer.port)
    with caplog.at_level(logging.ERROR, "ib_async.Decoder"):
        peer.send(*broken)
        await until(lambda: caplog.records)
    assert bare.isConnected()

    session = session_to(peer.port)
    await opened(session)
    peer.send(*broken)
    await until(lambda: session.notes.nonsense)

    assert session.is_open
    peer.send(*broken)
    await until(lambda: session.notes.ended)
    assert session.notes.ended == [(1, "garbled")]


async def test_what_is_said_of_an_unreadable_message_names_no_account(peer, session_to, until):
    session = session_to(peer.port)
    await opened(session)

    peer.send(61, 3, "DU1234567", "no conid", "SPY")
    await until(lambda: session.notes.nonsense)

    assert "1234567" not in session.notes.nonsense[0]
    assert "61" in session.notes.nonsense[0]


async def test_a_loss_forgets_everything_in_the_library_and_nothing_was_kept_there(
    gateway, session_to, until
):
    session = session_to(gateway.port)
    ib = await opened(session)
    await filled(gateway, ib, until)
    told = list(session.notes.executions)

    gateway.faults.play("reset")
    await until(lambda: session.notes.ended)

    assert ib.fills() == []
    assert session.notes.executions == told != []


async def test_fills_that_were_missed_come_with_the_listing_though_no_event_tells_of_them(
    gateway, session_to, until
):
    session = session_to(gateway.port)
    ib = await opened(session)
    await filled(gateway, ib, until)
    session.notes.executions.clear()

    await opened(session, epoch=2)
    fills = await asking(session, lambda ib: ib.reqExecutionsAsync())

    assert len(fills) == 1
    assert session.notes.executions == []


async def test_a_fill_of_an_order_nobody_here_knows_is_heard(peer, session_to, until):
    session = session_to(peer.port)
    ib = await opened(session)
    events = []
    ib.execDetailsEvent += lambda *told: events.append(told)

    peer.writer.write(execution("0001.01.01"))
    await until(lambda: session.notes.executions)

    assert session.notes.executions == ["0001.01.01"]
    assert events == []


def execution(exec_id, price="1.05"):
    return frame(
        11, -1, 9, 756733, "SPY", "STK", "", "0", "", "", "SMART", "USD", "SPY", "SPY", exec_id,
        "20260302 10:00:00 US/Eastern", "DU1234567", "ARCA", "BOT", "1", price, 77, 5, 0, "1",
        price, "manual", "", "", "", 1, 0,
    )  # fmt: skip


async def test_an_order_nobody_here_knows_is_news(peer, session_to, bare_to, until, caplog):
    status = (3, 9, "Submitted", "0", "1", "0", 77, 0, "0", 5, "", "0")
    await bare_to(peer.port)
    with caplog.at_level(logging.ERROR, "ib_async.wrapper"):
        peer.send(*status)
        await until(lambda: caplog.records)
    assert "No order found" in caplog.text

    session = session_to(peer.port)
    await opened(session)
    peer.send(*status)
    await until(lambda: session.notes.strays)

    assert session.notes.strays == [(77, "Submitted")]


async def test_a_completed_order_nobody_asked_for_is_news_and_no_error(gateway, session_to, until):
    session = session_to(gateway.port)
    ib = await opened(session)
    trade = await filled(gateway, ib, until)
    assert "completedOrders" not in ib.wrapper._results

    ib.wrapper.completedOrder(PUT, trade.order, ib_async.OrderState(status="Filled"))

    assert session.notes.strays == [(trade.order.permId, "Filled")]


async def test_the_time_is_asked_for_at_most_once_a_second_however_many_want_to_know(
    peer, session_to
):
    peer.answers["49"] = lambda _fields: peer.send(49, 1, 1_700_000_000)
    session = session_to(peer.port)
    await opened(session)

    for _ in range(2):
        answers = await asyncio.gather(
            *(session.prove_alive(idle_ns_max=0, timeout_s=20) for _ in range(20))
        )
        assert not any(isinstance(one, Failed) for one in answers)

    asked_at = [
        at for at, fields in zip(peer.heard_at, peer.heard, strict=True) if fields[0] == "49"
    ]
    assert len(asked_at) == 2
    assert asked_at[1] - asked_at[0] > 0.9


async def test_a_sign_of_life_young_enough_needs_no_question(peer, session_to):
    session = session_to(peer.port)
    await opened(session)

    took = await session.prove_alive(idle_ns_max=3600 * 10**9, timeout_s=20)

    assert took == 0
    assert peer.asked(49) == []


class JumpingClock(WallClock):
    """A machine whose clock on the wall is set back and forth."""

    def __init__(self):
        self.steps = 0

    def now_ns(self):
        self.steps += 1
        return WallClock.now_ns() + (3600 * 10**9) * (-1) ** self.steps


async def test_idleness_is_measured_by_the_monotonic_clock_alone(peer, session_to):
    session = session_to(peer.port)
    session._clock = JumpingClock()
    await opened(session)

    assert 0 <= session.idle_ns() < 60 * 10**9
    assert session._clock.steps == 0


def test_every_test_the_page_about_the_link_names_is_there():
    root = Path(__file__).parents[3]
    named = set(re.findall(r"`(test_\w+)`", (root / "docs/link.md").read_text()))
    sources = "".join(path.read_text() for path in (root / "tests").rglob("test_*.py"))

    assert len(named) > 25
    assert [name for name in sorted(named) if f"def {name}(" not in sources] == []
