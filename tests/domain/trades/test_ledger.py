"""Trades hold what is booked for them: exact, once, and split among all who hold."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.managing.market import NOW, Market, part, trade
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.trades.changes import (
    ADJUSTED,
    CLOSED,
    OPENED,
    change_of,
    is_waiting_for_shares,
    premium_by_day,
    protection_by_day,
)
from thetawarden.domain.trades.ledger import (
    Ledger,
    OrderSeen,
    differences,
    with_change,
    with_fill,
    with_order,
    with_trade,
)
from thetawarden.domain.trades.results import result_usd, wheel_cycle
from thetawarden.domain.trades.trade import TradeStage, TradeState

SPY = Market(underlying="SPY", trading_class="SPY")
PUT, LOWER = SPY.option(500), SPY.option(495)
CALL = SPY.option(505, Right.CALL)
STOCK = SPY.stock()
MANUAL = f"manual-{PUT.conid}"


def ledger(*names):
    found = Ledger()
    for at, name in enumerate(names):
        opened = trade(name=name, opened_ns=NOW + at, state=TradeState.OPENING)
        found = with_trade(found, opened)
        for role in OrderRole:
            seen = OrderSeen(trade=name, role=role, proposal_key=f"{name}/{role}")
            found = with_order(found, f"{name}.{role}", seen)
    return found


def fill(instrument, quantity, price, *, of=None, role=OrderRole.ENTRY, **changes):
    ref = "" if of is None else f"{of}.{role}"
    changes = {"key": f"{of}/{instrument.conid}/{quantity}/{price}/{role}"} | changes
    return part(instrument, quantity, price, order_ref=ref, role=None, **changes)


def change(instrument, quantity, cash="0", *, cause, key="c", **changes):
    fields = {"cash_usd": Decimal(cash), "commission_usd": Decimal(0), "cause": cause}
    return part(instrument, quantity, "0", key=key, role=None, **(fields | changes))


def booked(start, *parts):
    for one in parts:
        start = with_fill(start, one)
    return start


def test_a_fill_opens_its_orders_trade_and_the_last_one_closes_it():
    after = booked(ledger("a"), fill(PUT, -2, "1.50", of="a"))
    opened = after.trades["a"]
    closed = booked(after, fill(PUT, 2, "0.45", of="a", role=OrderRole.TAKE_PROFIT)).trades["a"]

    assert (opened.state, opened.premium_usd) == (TradeState.OPEN, Decimal("300.00"))
    assert (closed.state, closed.held) == (TradeState.CLOSED, ())
    assert closed.cash_usd == Decimal("300.00") - Decimal("90.00") - 4
    assert change_of(opened, closed) == CLOSED


def test_a_fill_told_again_takes_the_place_of_what_was_told_before():
    first = booked(ledger("a"), fill(PUT, -2, "1.50", of="a", key="f"))
    corrected = booked(first, fill(PUT, -2, "1.40", of="a", key="f"))

    assert corrected.trades["a"].cash_usd == Decimal("280.00") - 2
    assert booked(corrected, fill(PUT, 0, "0", of="a", key="f")).trades["a"].held == ()


def test_a_trade_by_hand_of_which_every_fill_was_taken_back_is_gone():
    bought = part(PUT, 2, "1", key="hand", role=None)

    held = booked(ledger("a"), bought)
    busted = booked(held, part(PUT, 0, "1", key="hand", role=None))

    assert MANUAL in held.trades
    assert list(busted.trades) == ["a"]


def test_what_was_traded_by_hand_takes_from_those_by_hand_first_then_from_the_oldest():
    held = booked(
        ledger("a", "b"),
        fill(PUT, -2, "1.50", of="a"),
        fill(PUT, -3, "1.60", of="b"),
        fill(PUT, -1, "1.70", key="hand"),
    )

    left = booked(held, fill(PUT, 4, "1.00", key="back"))

    assert left.trades[MANUAL].state is TradeState.CLOSED
    assert left.trades["a"].state is TradeState.CLOSED
    assert left.trades["b"].quantity(PUT.conid) == -2


def test_an_order_of_a_trade_nobody_remembers_finds_it_by_the_references_first_part():
    known = with_trade(Ledger(), trade(name="a", state=TradeState.OPENING))

    after = with_fill(known, part(PUT, -1, "1", order_ref="a.open.1.1", role=None))

    assert after.trades["a"].quantity(PUT.conid) == -1


def test_a_roll_counts_once_and_the_premium_is_that_of_what_is_held_now():
    first = booked(ledger("a"), fill(PUT, -1, "1.00", of="a"))
    rolled = booked(
        first,
        fill(PUT, 1, "3.00", of="a", role=OrderRole.ROLL),
        fill(LOWER, -1, "3.20", of="a", role=OrderRole.ROLL),
    ).trades["a"]

    assert rolled.rolled == ("a/roll",)
    assert rolled.premium_usd == Decimal("320.00")
    assert change_of(first.trades["a"], rolled) == ADJUSTED


def test_what_was_earned_before_a_roll_is_forgotten_with_it():
    first = booked(ledger("a"), fill(PUT, -1, "1.00", of="a"))
    ahead = msgspec.structs.replace(first.trades["a"], best_fraction=0.6)
    bought = fill(PUT, 1, "0.40", of="a", role=OrderRole.ROLL)

    rolled = booked(with_trade(first, ahead), bought)
    later = msgspec.structs.replace(rolled.trades["a"], best_fraction=0.2)
    again = booked(with_trade(rolled, later), bought)

    assert rolled.trades["a"].best_fraction == 0.0
    assert again.trades["a"].best_fraction == 0.2


def assigned(start, contracts=1, strike=500):
    gone = change(PUT, contracts, cause=Cause.ASSIGNMENT, key="assigned", because_of=PUT.conid)
    start = with_change(start, gone)
    cash = str(-100 * contracts * strike)
    shares = change(
        STOCK,
        100 * contracts,
        cash,
        cause=Cause.ASSIGNMENT,
        key="shares",
        because_of=PUT.conid,
    )
    return start, with_change(start, shares)


def test_a_wheel_cycle_is_one_trade_and_its_parts_are_its_whole_result():
    start = booked(ledger("a"), fill(PUT, -1, "2.00", of="a"))
    between, held = assigned(start)
    covered = booked(held, fill(CALL, -1, "1.10", of="a"))
    paid = with_change(covered, change(STOCK, 0, "57.50", cause=Cause.DIVIDEND, key="d"))
    gone = with_change(paid, change(CALL, 1, cause=Cause.ASSIGNMENT, key="called"))
    over = with_change(
        gone,
        change(STOCK, -100, "50500", cause=Cause.ASSIGNMENT, key="away", because_of=CALL.conid),
    ).trades["a"]
    cycle = wheel_cycle(over)

    assert is_waiting_for_shares(between.trades["a"])
    assert held.trades["a"].stage is TradeStage.SHARES
    assert held.trades["a"].assigned_strike_usd == 500
    assert covered.trades["a"].stage is TradeStage.COVERED
    assert over.state is TradeState.CLOSED
    assert (cycle.puts_usd, cycle.calls_usd, cycle.shares_usd) == (200, 110, 500)
    assert (cycle.dividends_usd, cycle.commission_usd) == (Decimal("57.50"), -2)
    assert cycle.result_usd == Decimal("865.50") == over.cash_usd
    assert (cycle.calls_sold, cycle.finished) == (1, True)


def test_shares_told_before_the_option_that_brought_them_find_their_trade():
    start = booked(ledger("a"), fill(PUT, -1, "2.00", of="a"))
    shares = part(STOCK, 100, "500", key="s", cause=Cause.ASSIGNMENT, role=None)
    option = part(PUT, 1, "0", key="o", cause=Cause.ASSIGNMENT, role=None)

    found = booked(start, shares, option).trades["a"]

    assert found.quantity(STOCK.conid) == 100
    assert found.assigned_strike_usd == 500


def test_a_split_is_shared_by_what_each_holds():
    held = booked(ledger("a", "b"), fill(STOCK, 100, "50", of="a"), fill(STOCK, 300, "51", of="b"))

    split = with_change(held, change(STOCK, 400, cause=Cause.SPLIT))

    assert [split.trades[name].quantity(STOCK.conid) for name in "ab"] == [200, 600]


def test_what_the_book_holds_beyond_all_trades_is_told():
    held = booked(ledger("a"), fill(PUT, -2, "1", of="a"))

    assert differences(held, {PUT.conid: Decimal(-2)}) == {}
    assert differences(held, {PUT.conid: Decimal(-3), 9: Decimal(5)}) == {PUT.conid: -1, 9: 5}
    assert differences(held, {}) == {PUT.conid: 2}


def test_premium_and_protection_are_told_by_the_day():
    one = booked(
        ledger("a"),
        fill(PUT, -1, "2.00", of="a"),
        fill(LOWER, 1, "0.40", of="a", role=OrderRole.HEDGE),
        fill(PUT, 1, "0.50", of="a", role=OrderRole.EXIT),
    ).trades["a"]

    assert premium_by_day([one]) == {"2026-03-01": 160}
    assert protection_by_day([one]) == {}


def test_only_what_protects_the_book_is_spent_on_hedges():
    hedge = trade(name="h", strategy="hedge", opened_ns=NOW, state=TradeState.OPENING)
    seen = OrderSeen(trade="h", role=OrderRole.HEDGE, proposal_key="h/hedge")
    start = with_order(with_trade(Ledger(), hedge), "h.hedge", seen)
    one = booked(start, fill(PUT, 1, "2.00", of="h", role=OrderRole.HEDGE)).trades["h"]

    assert premium_by_day([one]) == {}
    assert protection_by_day([one]) == {"2026-03-01": 200}


def test_a_result_needs_every_mark():
    one = booked(ledger("a"), fill(PUT, -1, "2.00", of="a")).trades["a"]

    assert result_usd(one, {PUT.conid: Decimal("1.25")}) == Decimal("74.00")
    assert result_usd(one, {}) is None
    assert change_of(None, one) == OPENED


quantities = st.integers(-5, 5).filter(bool)
prices = st.decimals("0.01", "20", places=2)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "a", "b"]),
            st.sampled_from([PUT, LOWER, STOCK]),
            quantities,
            prices,
            st.integers(0, 6),
        ),
        max_size=12,
    )
)
def test_whatever_is_told_in_whatever_order_trades_add_up_to_the_book(fills):
    latest, after = {}, ledger("a", "b")
    for of, instrument, quantity, price, number in fills:
        if number in latest and latest[number][:2] != (of, instrument):
            continue  # a fill's order and instrument never change
        one = fill(instrument, quantity, price, of=of, key=f"k{number}")
        latest[number] = (of, instrument, one)
        after = with_fill(after, one)

    for instrument in (PUT, LOWER, STOCK):
        told = [one for _, of, one in latest.values() if of == instrument]
        held = sum((one.quantity(instrument.conid) for one in after.trades.values()), Decimal(0))
        assert held == sum((one.quantity for one in told), Decimal(0))
    cash = sum((one.cash_usd for one in after.trades.values()), Decimal(0))
    costs = sum((one.commission_usd for one in after.trades.values()), Decimal(0))
    parts = [one for _, _, one in latest.values()]
    assert cash == sum((one.cash_usd for one in parts), Decimal(0))
    assert costs == sum((one.commission_usd for one in parts), Decimal(0))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(after), type=Ledger) == after


def test_the_further_legs_of_an_entry_open_nothing_anew_and_adjust_nothing():
    first = booked(ledger("a"), fill(PUT, -1, "2.00", of="a")).trades["a"]
    both = booked(
        ledger("a"), fill(PUT, -1, "2.00", of="a"), fill(LOWER, 1, "1.00", of="a")
    ).trades["a"]

    assert change_of(None, first) == OPENED
    assert change_of(first, both) == ""


def test_an_option_that_ended_because_of_itself_ends_the_trade_that_held_it():
    held = booked(ledger("a"), fill(PUT, -2, "1", of="a"), fill(LOWER, 2, "0.4", of="a"))

    for one, left in ((PUT, 2), (LOWER, -2)):
        ended = change(one, left, cause=Cause.EXPIRY, key=str(left), because_of=one.conid)
        held = with_change(held, ended)

    assert list(held.trades) == ["a"]
    assert held.trades["a"].state is TradeState.CLOSED
