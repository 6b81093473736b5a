"""I14 while the world goes on: what is sold and known of is not without exits for long, untold."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tests.sim.test_i14_sizes import PROFIT, STOP, approved, page, sold, works
from tests.sim.test_invariants import HALTED, NOW, PUT, intent, submit
from thetawarden.domain.broker.orders import BrokerOrder, BrokerOrderState, Execution
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.restart import Ending
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported
from thetawarden.messages.lifecycle import ActorEnded, DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.orders import ProtectionChanged
from thetawarden.messages.trading import TradingHalted, TradingResumed

LOOK = VitalsTaken(vitals=Vitals(actors=(), log_lag_ns=0, disk_free_bytes=0))
READY = LinkChanged(epoch=1, state=LinkState.READY, entries=True, why="")
SHORT_S, DOUBTED_S, LONG_S = 12, 22, 30
"""A little less than it may take, with the five seconds of `protect_s`; ten more; and more."""
FILL = Execution(
    execution_id="x.1.01",
    instrument=PUT,
    quantity=Decimal(-2),
    price_usd=Decimal("1.50"),
    at_ns=UnixNs(NOW),
    perm_id=1,
    order_id=1,
    client_id=17,
    order_ref="t.open.1.1",
    account="DU1",
)
FILLED = ExecutionReported(epoch=1, execution=FILL)


def order(one, *, left=2, state=BrokerOrderState.WORKING):
    return BrokerOrder(
        perm_id=2,
        order_id=2,
        client_id=17,
        order_ref=one.order_ref,
        instrument=PUT,
        state=state,
        quantity=Decimal(2),
        filled=Decimal(2 - left),
        order_type="LMT",
    )


def reported(one, **more):
    return OrderReported(epoch=1, order=order(one, **more))


def book(*, missing=(), orders=(), executions=(FILL,)):
    return BookFetched(
        epoch=1,
        round=1,
        missing=missing,
        orders=orders,
        completed=(),
        executions=executions,
        commissions=(),
        positions=(),
        values=None,
    )


def go_on(case, seconds):
    """Let so much time of the machine pass, with a look at the vitals each second."""
    for _ in range(seconds):
        case.say(LOOK)
        case.world.mono_ns += NS_PER_SECOND
    return case.say(LOOK)


def naked(*told):
    """A trade that has sold two, has no exits, and of which the desk was told so much."""
    case = sold().say(READY)
    for one in told or (FILLED,):
        case.say(one)
    return case


def test_i14_what_is_known_to_be_without_exits_for_long_is_found():
    assert go_on(naked(), SHORT_S).holds
    assert not go_on(naked(), LONG_S).holds


def test_i14_the_time_begins_anew_once_exits_worked():
    case = go_on(naked(), SHORT_S)
    works(case, (PROFIT, 2), (STOP, 2))
    go_on(case, LONG_S)
    case.world.open_orders = ()

    assert go_on(case, SHORT_S).holds
    assert not go_on(case, LONG_S).holds


def test_i14_a_closing_order_at_work_stands_for_exits():
    assert go_on(works(naked(), (intent("t.close.1.1", role=OrderRole.EXIT), 2)), LONG_S).holds


def test_i14_what_became_of_a_closing_order_takes_a_while_to_find_out():
    close = intent("t.close.1.1", role=OrderRole.EXIT)
    doubted, known = naked().say(submit(close)), naked().say(submit(close))
    known.say(reported(close)).say(reported(close, state=BrokerOrderState.CANCELLED))

    assert not go_on(known, DOUBTED_S).holds
    assert go_on(doubted, DOUBTED_S).holds
    assert not go_on(doubted, LONG_S).holds


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ((reported(PROFIT), reported(STOP), FILLED), True),
        ((reported(PROFIT), FILLED), False),
        ((reported(PROFIT), reported(STOP, left=1), FILLED), False),
        (
            (
                *(reported(PROFIT), reported(STOP), FILLED),
                reported(STOP, state=BrokerOrderState.CANCELLED),
            ),
            False,
        ),
        ((reported(PROFIT), reported(STOP), book()), False),
        ((reported(PROFIT), reported(STOP), book(orders=(order(PROFIT), order(STOP)))), True),
        ((reported(PROFIT), reported(STOP), book(missing=("orders",))), True),
        ((LOOK,), True),
    ],
)
def test_i14_nobody_can_repair_what_he_was_not_told_of(told, holds):
    case = naked(LOOK)
    works(case, (PROFIT, 2), (STOP, 2))
    case.world.open_orders = ()
    for one in told:
        case.say(one)

    assert go_on(case, LONG_S).holds is holds


def test_i14_a_fill_that_the_desk_was_told_is_busted_needs_no_exit_in_its_eyes():
    busted = msgspec.structs.replace(FILL, execution_id="x.1.02", price_usd=Decimal(0))

    assert go_on(naked(FILLED, ExecutionReported(epoch=1, execution=busted)), LONG_S).holds
    assert go_on(naked(ExecutionReported(epoch=1, execution=busted), FILLED), LONG_S).holds


@pytest.mark.parametrize(
    "excuse",
    [
        TradingHalted(halt=HALTED),
        page(),
        LinkChanged(epoch=1, state=LinkState.CUT_OFF, entries=False, why=""),
        DeskStarted(config_fingerprint="f", software="s", resumed=True),
    ],
    ids=lambda one: type(one).__name__,
)
def test_i14_a_halt_a_page_and_a_lost_link_excuse(excuse):
    assert go_on(naked().say(excuse), LONG_S).holds


def test_i14_a_flag_excuses_before_anybody_says_that_trading_is_halted():
    case = naked()
    case.world.flagged = HALTED

    assert go_on(case, LONG_S).holds


@pytest.mark.parametrize(
    "events",
    [
        (TradingHalted(halt=HALTED), LOOK, TradingResumed(epoch=1, reason="r", by="p")),
        (page(), LOOK, ProtectionChanged(trade="t", complete=True, since_ns=NOW, words="")),
        (LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why=""), READY),
        (
            ActorEnded(
                actor="executor", incarnation=1, ending=Ending.CRASHED, error="", message_seq=1
            ),
        ),
        (approved(intent(), approval="A2", purpose=Purpose.CLOSE),),
    ],
    ids=lambda events: type(events[0]).__name__,
)
def test_i14_what_excuses_for_a_while_lets_the_time_begin_anew(events):
    case = go_on(naked(), SHORT_S)
    for one in events:
        case.say(one)

    assert go_on(case, SHORT_S).holds
    assert not go_on(case, LONG_S).holds


def test_i14_what_is_not_traded_any_more_needs_no_exit():
    case = naked()
    after_ns = new_york_ns(PUT.expiry, dt.time(18))
    case.world.clock.now_ns = lambda: after_ns

    assert go_on(case, LONG_S).holds
