"""I19: what filled without its other legs is repaired, trading is halted, or a person was told."""

import datetime as dt
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_i14_meanwhile import FILL, READY, go_on
from tests.sim.test_i14_sizes import LONG, fills, page, positions
from tests.sim.test_invariants import HALTED, PUT, Case, intent, submit, ticket
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.restart import Ending
from thetawarden.messages.books import ExecutionReported
from thetawarden.messages.lifecycle import ActorEnded, DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.trading import TradingHalted

SPREAD = (OrderLeg(instrument=PUT, ratio=-1), OrderLeg(instrument=LONG, ratio=1))
ENTRY = intent(legs=SPREAD)
CLOSE = intent("t.close.1.1", role=OrderRole.EXIT, reducing=True, legs=SPREAD[:1])
SHORT_S, LONG_S = 24, 30
"""A little less than the fifteen seconds of `legs_s` and ten more; and more."""
DOWN = LinkChanged(epoch=1, state=LinkState.DOWN, entries=False, why="")
STARTED = DeskStarted(config_fingerprint="", software="", resumed=True)


def told(case, ref, contracts, conid, number):
    """A leg fills, and the desk is told."""
    fills(case, ref, contracts, exec_id=f"a.{number}.01", conid=conid)
    leg = msgspec.structs.replace(PUT, conid=conid)
    fill = msgspec.structs.replace(
        FILL, execution_id=f"a.{number}.01", instrument=leg, quantity=contracts, order_ref=ref
    )
    return case.say(ExecutionReported(epoch=1, execution=fill))


def alone():
    """A spread of which the short leg alone has filled, twice."""
    case = Case("I19").say(READY).say(submit(ENTRY))
    case.world.positions = positions(-2)
    return told(case, ENTRY.order_ref, -2, PUT.conid, 1)


def works(case, one):
    case.world.open_orders = (Fake(request=ticket(one), remaining=1),)
    return case


def test_i19_a_leg_that_stays_alone_is_found_in_time():
    assert go_on(alone(), SHORT_S).holds
    assert not go_on(alone(), LONG_S).holds
    assert not alone().end().holds


def test_i19_legs_that_fill_one_after_the_other_are_fine():
    case = go_on(alone(), SHORT_S)
    told(case, ENTRY.order_ref, 2, LONG.conid, 2)
    case.world.positions += positions(2, LONG.conid)

    assert go_on(case, LONG_S).end().holds


def test_i19_an_order_that_may_still_fill_is_no_trouble():
    assert go_on(works(alone(), ENTRY), LONG_S).holds


def test_i19_what_the_trade_has_bought_back_is_repaired():
    case = alone().say(submit(CLOSE))
    told(case, CLOSE.order_ref, 2, PUT.conid, 3)
    case.world.positions = ()

    assert go_on(case, LONG_S).end().holds


def test_i19_half_of_it_bought_back_is_not():
    case = alone().say(submit(CLOSE))
    told(case, CLOSE.order_ref, 1, PUT.conid, 3)
    case.world.positions = positions(-1)

    assert not go_on(case, LONG_S).holds


def test_i19_what_somebody_else_closed_is_gone():
    case = alone()
    case.world.positions = ()

    assert go_on(case, LONG_S).end().holds


def test_i19_a_closing_order_that_works_is_the_repair_but_exits_are_not():
    stop = intent("t.stop.1.1", role=OrderRole.STOP, reducing=True, legs=SPREAD[:1])
    closing, waiting = alone().say(submit(CLOSE)), alone().say(submit(stop))

    assert go_on(works(closing, CLOSE), LONG_S).holds
    assert not go_on(works(waiting, stop), LONG_S).holds


@pytest.mark.parametrize("again", [submit(CLOSE), READY, STARTED, "executor"])
def test_i19_the_time_begins_anew_with_each_attempt_link_and_executor(again):
    case = go_on(alone(), SHORT_S)
    ended = ActorEnded(
        actor="executor", incarnation=1, ending=Ending.CRASHED, error="", message_seq=1
    )
    case.say(ended if again == "executor" else again).say(READY)

    assert go_on(case, SHORT_S).holds
    assert not go_on(case, LONG_S).holds


@pytest.mark.parametrize("excuse", [TradingHalted(halt=HALTED), page(), page(ENTRY.order_ref)])
def test_i19_a_halt_and_a_page_excuse(excuse):
    assert go_on(alone().say(excuse), LONG_S).end().holds


def test_i19_a_flag_excuses_and_a_link_that_is_gone_for_as_long():
    flagged, gone = alone(), alone().say(DOWN)
    flagged.world.flagged = HALTED

    assert go_on(flagged, LONG_S).end().holds
    assert go_on(gone, LONG_S).holds
    assert not gone.end().holds


def test_i19_a_page_of_another_trade_or_one_that_was_lost_tells_nobody():
    other, lost = alone().say(page("u")), alone().say(page())
    lost.world.durable_seq = 1
    lost.say(STARTED).say(READY)

    assert not go_on(other, LONG_S).holds
    assert not go_on(lost, LONG_S).holds


def test_i19_nobody_can_repair_what_he_was_not_told_of():
    case = Case("I19").say(READY).say(submit(ENTRY))
    case.world.positions = positions(-2)
    fills(case, ENTRY.order_ref, -2)

    assert go_on(case, LONG_S).holds


def test_i19_what_is_not_traded_any_more_cannot_be_repaired():
    case = alone()
    after_ns = new_york_ns(PUT.expiry + dt.timedelta(days=1), dt.time(12))
    case.world.clock.now_ns = lambda: after_ns

    assert go_on(case, LONG_S).end().holds
