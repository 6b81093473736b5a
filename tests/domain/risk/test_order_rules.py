"""R12 to R16: the order as an order, the desk's state, the book's age, naked sales, real money."""

import math
from decimal import Decimal

import msgspec
import pytest

from thetawarden.domain.halt import HaltRecord, Latch, TradingState
from thetawarden.domain.risk.candidate import OrderKind, Purpose
from thetawarden.domain.risk.exposure import is_naked, naked_shares
from thetawarden.domain.risk.finding import RuleId, Verdict
from thetawarden.domain.risk.flow import (
    LiveOrder,
    OrderFlow,
    SentOrder,
    lock_strategy,
    record_cancel,
    record_order,
    start_session,
    unlock_strategy,
)
from thetawarden.domain.risk.interlock import (
    Connection,
    InterlockGap,
    Readiness,
    interlock_gaps,
    is_real_money,
)
from thetawarden.domain.risk.posture import Caution, Posture, add_caution, lift_caution
from thetawarden.domain.risk.rules import defined_risk, order_flow, order_sanity

SECOND = 1_000_000_000
HALT = HaltRecord(epoch=1, reason="loss", by="governor", at_ns=0)


def verdict(world, judge, check, *arguments, **changes):
    return world.finding(judge(world.case(*arguments, **changes)), check).verdict


@pytest.mark.parametrize(
    ("limit", "fits"),
    [("-1.00", True), ("-0.90", True), ("-0.89", False), ("-5.00", True), ("1.00", False)],
)
def test_a_seller_takes_at_most_a_tenth_less_than_the_mid(world, limit, fits):
    cand = world.candidate(limit=float(limit))

    reviewed = world.review(cand)

    assert reviewed.approved is fits
    assert fits or RuleId.R12 in reviewed.binding


@pytest.mark.parametrize(("limit", "fits"), [("1.10", True), ("1.11", False), ("0.50", True)])
def test_a_buyer_pays_at_most_a_tenth_more_than_the_mid(world, limit, fits):
    cand = world.candidate(world.leg(world.option("XSP", 540), 1), limit=float(limit), margin=0.0)

    found = verdict(world, order_sanity.judge, "price_collar", cand)

    assert (found is Verdict.PASS) is fits


def test_a_combination_is_priced_leg_by_leg(world):
    short, long = world.option("XSP", 540), world.option("XSP", 530)
    spread = world.candidate(world.leg(short, -1, mid=1.0), world.leg(long, 1, mid=0.4))

    assert order_sanity.mid_of(spread) == pytest.approx(-0.6)
    covered = world.candidate(
        world.leg(world.shares("AAA"), 100, mid=100.0),
        world.leg(world.option("AAA", 110, is_call=True), -1, mid=1.5),
    )
    assert order_sanity.mid_of(covered) == pytest.approx(98.5)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"limit_usd": None}, "tick"),
        ({"limit_usd": Decimal("NaN")}, "tick"),
        ({"limit_usd": Decimal("-1.005")}, "tick"),
        ({"kind": OrderKind.MARKET, "limit_usd": None}, "order_kind"),
    ],
)
def test_an_order_without_a_quotable_limit_is_refused_even_when_it_reduces(world, changes, check):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    held = world.held_book(world.hold(put, -1))

    entry = world.review(world.candidate(**changes))
    reduction = world.review(msgspec.structs.replace(buy, **changes), held=held)

    assert world.review(buy, held=held).approved
    assert entry.units == reduction.units == 0
    assert reduction.reduction.proved
    assert world.finding(reduction.findings, check).verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    "changes",
    [
        {"at_ns": 1_790_000_000_000_000_000 - 16 * SECOND},
        {"live": False},
        {"epoch": 0},
        {"bid_usd": None},
        {"ask_usd": None},
        {"bid_usd": Decimal("1.2"), "ask_usd": Decimal("1.1")},
        {"bid_usd": Decimal(-1)},
        {"bid_usd": Decimal("0.80"), "ask_usd": Decimal("1.20")},
        {"bid_usd": Decimal("NaN")},
    ],
)
def test_one_bad_quote_makes_the_whole_combination_untradable(world, changes):
    short, long = world.option("XSP", 540), world.option("XSP", 530)
    good = world.leg(long, 1, mid=0.4)
    bad = world.leg(short, -1, quote=world.quote(1.0, **changes))
    spread = world.candidate(bad, good, limit=-0.6)

    reviewed = world.review(spread)

    assert reviewed.units == 0
    assert str(short.con_id) in reviewed.words


def test_a_quote_that_is_missing_or_an_old_underlying_allows_no_entry(world):
    unquoted = world.candidate(world.leg(world.option("XSP", 540), -1, quote=None), limit=-1.0)
    view = world.market()
    old = msgspec.structs.replace(
        view, underlyings=(world.underlying("XSP", spot_at_ns=world.NOW_NS - 16 * SECOND),)
    )

    assert "is missing" in world.review(unquoted).words
    assert "price of XSP is stale" in world.review(view=old).words


@pytest.mark.parametrize(("units", "fits"), [(9, 9), (11, 10)])
def test_the_value_of_an_order_is_bounded(world, units, fits):
    limits = world.limits(
        orders={"order_value_max_usd": 1_000.0}, concentration={"order_contracts_max": 99}
    )

    assert world.review(world.candidate(units=units), limits=limits).units == fits
    cheap = world.candidate(world.leg(world.option("XSP", 540), 1), units=units, limit=0.01)
    found = world.finding(order_sanity.judge(world.case(cheap, limits=limits)), "order_value")
    assert found.units_max == 10  # by what it is worth, whatever is bid for it


def sent(world, cand, ages_s, *, entry=True):
    return tuple(
        SentOrder(
            fingerprint=cand.fingerprint,
            units=1,
            limit_usd=Decimal(-9),
            at_ns=world.NOW_NS - round(age * SECOND),
            entry=entry,
        )
        for age in ages_s
    )


@pytest.mark.parametrize(("found", "fits"), [(9, True), (10, False)])
def test_entries_of_a_minute_are_bounded(world, found, fits):
    other = world.candidate(world.leg(world.option("XSP", 500), -1))
    flow = OrderFlow(sent=sent(world, other, range(found)) + sent(world, other, [60.0, 61.0]))

    assert world.review(own_desk=world.desk(flow=flow)).approved is fits


@pytest.mark.parametrize(("found", "fits"), [(59, True), (60, False)])
def test_orders_of_a_minute_are_bounded_even_when_they_reduce(world, found, fits):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    other = world.candidate(world.leg(world.option("XSP", 500), -1))
    flow = OrderFlow(sent=sent(world, other, [1.0] * found, entry=False))

    reviewed = world.review(
        buy, held=world.held_book(world.hold(put, -1)), own_desk=world.desk(flow=flow)
    )

    assert reviewed.reduction.proved
    assert reviewed.approved is fits


@pytest.mark.parametrize(("found", "fits"), [(59, True), (60, False)])
def test_a_desk_that_cancels_too_much_enters_nothing(world, found, fits):
    flow = OrderFlow()
    for _ in range(found):
        flow = record_cancel(flow, at_ns=world.NOW_NS)

    assert world.review(own_desk=world.desk(flow=flow)).approved is fits


def test_a_strategy_that_enters_too_often_is_locked_until_a_person_unlocks_it(world):
    cand = world.candidate()
    flow = OrderFlow()
    for n in range(40):
        flow = record_order(
            flow, cand, units=1, entry=True, at_ns=world.NOW_NS - (500 - n) * SECOND, kept_ns=1
        )

    assert "daily_puts has entered 40 times" in world.review(own_desk=world.desk(flow=flow)).words
    locked = lock_strategy(flow, "daily_puts")
    assert not world.review(own_desk=world.desk(flow=start_session(locked))).approved
    assert world.review(own_desk=world.desk(flow=start_session(flow))).approved
    assert world.review(own_desk=world.desk(flow=unlock_strategy(locked, "daily_puts"))).approved
    fresh = lock_strategy(OrderFlow(), "daily_puts")
    assert "locked until a person" in world.review(own_desk=world.desk(flow=fresh)).words


@pytest.mark.parametrize(("age_s", "fits"), [(4.9, False), (5.0, True)])
def test_the_very_same_order_is_not_sent_twice(world, age_s, fits):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    flow = record_order(
        OrderFlow(),
        buy,
        units=1,
        entry=False,
        at_ns=world.NOW_NS - round(age_s * SECOND),
        kept_ns=1,
    )
    held = world.held_book(world.hold(put, -2))

    assert world.review(buy, held=held, own_desk=world.desk(flow=flow)).approved is fits


@pytest.mark.parametrize(("age_s", "fits"), [(299.9, False), (300.0, True)])
def test_the_same_entry_waits_five_minutes_at_whatever_price(world, age_s, fits):
    flow = OrderFlow(sent=sent(world, world.candidate(), [age_s]))

    assert world.review(own_desk=world.desk(flow=flow)).approved is fits


def test_an_entry_on_its_way_is_not_entered_again(world):
    reviewed = world.review(orders=[world.pending(world.candidate())])

    assert reviewed.units == 0
    assert "on its way already" in reviewed.words


@pytest.mark.parametrize(
    ("live", "entry", "exit_"),
    [
        ((1, "0.95"), False, True),  # we buy at 0.95 and would sell at 1.00
        ((1, "1.00"), False, False),
        ((1, None), False, False),
        ((-1, "1.00"), True, True),
    ],
)
def test_no_order_meets_one_of_our_own(world, live, entry, exit_):
    """Both sell a put; the exit sells one that is held long."""
    put = world.option("XSP", 540)
    contracts, limit = live
    working = LiveOrder(
        con_id=put.con_id,
        contracts=contracts,
        limit_usd=limit and Decimal(limit),
        single=True,
    )
    own = world.desk(live_orders=(working,))
    sale = world.candidate(world.leg(put, -1))

    assert world.review(sale, own_desk=own).approved is entry
    crossed = verdict(world, order_flow.judge, "self_cross", sale, own_desk=own)
    assert (crossed is Verdict.PASS) is exit_


def test_no_entry_undoes_what_is_held(world):
    """Long in one trade and short in another is nothing at the broker."""
    put, lower = world.option("XSP", 540), world.option("XSP", 530)
    naked = world.candidate(world.leg(put, -1))
    spread = world.candidate(world.leg(put, -1), world.leg(lower, 1))

    def passes(candidate, instrument, contracts):
        held = world.held_book(world.hold(instrument, contracts))
        return verdict(world, order_flow.judge, "opposite_order", candidate, held=held)

    assert passes(naked, put, 2) is Verdict.REFUSE
    assert passes(naked, put, -2) is Verdict.PASS
    assert passes(spread, lower, -2) is Verdict.REFUSE
    assert passes(spread, lower, 2) is Verdict.PASS


@pytest.mark.parametrize("purpose", [Purpose.ROLL, Purpose.HEDGE])
def test_nothing_is_rolled_into_what_an_order_of_ours_is_about_to_buy(world, purpose):
    old, new = world.option("XSP", 560), world.option("XSP", 520)
    held = world.held_book(world.hold(old, -1))
    roll = world.candidate(world.leg(old, 1), world.leg(new, -1), purpose=purpose, margin=-500.0)

    def found(con_id, contracts):
        live = LiveOrder(con_id=con_id, contracts=contracts, limit_usd=None, single=False)
        own = world.desk(live_orders=(live,))
        return verdict(world, order_flow.judge, "undoing", roll, held=held, own_desk=own)

    assert found(new.con_id, 1) is Verdict.REFUSE
    assert found(new.con_id, -1) is Verdict.PASS
    assert found(old.con_id, -1) is Verdict.PASS  # its own entry, still working, is closed here


@pytest.mark.parametrize(("held", "free"), [(0, False), (-2, False), (-3, True), (3, False)])
def test_a_combinations_order_stands_in_the_way_unless_it_only_closes_what_is_held(
    world, held, free
):
    """It buys three; a naked sale of the same put comes after it."""
    put = world.option("XSP", 540)
    book = world.held_book(*([world.hold(put, held)] if held else []))
    live = LiveOrder(con_id=put.con_id, contracts=3, limit_usd=None, single=False)
    sale = world.candidate(world.leg(put, -1))
    told = {"held": book, "own_desk": world.desk(live_orders=(live,))}

    found = verdict(world, order_flow.judge, "opposite_order", sale, **told)
    assert (found is Verdict.PASS) is free
    assert verdict(world, order_flow.judge, "self_cross", sale, **told) is Verdict.PASS


@pytest.mark.parametrize(
    ("held", "closing", "wanted", "fits"),
    [(-5, 0, 3, 3), (-5, 0, 9, 5), (-5, 2, 9, 3), (-5, 5, 1, 0), (5, 0, 1, 0), (0, 0, 1, 0)],
)
def test_nothing_closes_more_than_is_held_and_not_being_closed(world, held, closing, wanted, fits):
    put = world.option("XSP", 540)
    book = world.held_book(*([world.hold(put, held)] if held else []))
    buy = world.candidate(world.leg(put, 1), units=wanted, purpose=Purpose.CLOSE, margin=-500.0)
    orders = [world.pending(buy, units=closing, reducing=True)] if closing else []

    assert world.review(buy, held=book, orders=orders).units == fits


def test_a_roll_closes_what_is_held_and_nothing_else(world):
    near, far = world.option("XSP", 540, days=5), world.option("XSP", 530, days=12)
    roll = world.candidate(
        world.leg(near, 1, mid=2.0), world.leg(far, -1, mid=2.2), units=4, purpose=Purpose.ROLL
    )
    limits = world.limits(defined_risk={"vix_max_points": 99.0})

    empty = world.review(roll, limits=limits)
    some = world.review(roll, held=world.held_book(world.hold(near, -3)), limits=limits)

    assert empty.units == 0
    assert "nothing is held that this roll would close" in empty.words
    assert some.units == 3


@pytest.mark.parametrize(
    ("posture", "state", "entry", "exit_"),
    [
        (Posture(), TradingState.RUNNING, True, True),
        (
            add_caution(Posture(), Caution(reason="stale", by="watchdog", at_ns=0)),
            TradingState.CAUTIOUS,
            False,
            True,
        ),
        (Posture(latch=Latch(epoch=1, halt=HALT)), TradingState.HALTED, False, True),
        (Posture(latch=Latch(epoch=1, halt=HALT), frozen=True), TradingState.HALTED, False, False),
    ],
)
def test_every_state_lets_through_what_it_should(world, posture, state, entry, exit_):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    own = world.desk(posture=posture)

    entered = world.review(own_desk=own)
    left = world.review(buy, held=world.held_book(world.hold(put, -1)), own_desk=own)

    assert posture.state is state
    assert entered.approved is entry
    assert left.approved is exit_
    assert entry or RuleId.R13 in entered.binding


def test_a_halted_desk_may_be_configured_to_hold_everything(world):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    halted = world.desk(posture=Posture(latch=Latch(epoch=1, halt=HALT)))
    limits = world.limits(halt={"reduce_when_halted": False})

    held = world.held_book(world.hold(put, -1))

    assert not world.review(buy, held=held, own_desk=halted, limits=limits).approved
    assert world.review(buy, held=held, limits=limits).approved


def test_a_caution_is_lifted_by_its_author_only():
    posture = add_caution(Posture(), Caution(reason="stale", by="watchdog", at_ns=0))
    posture = add_caution(posture, Caution(reason="margin", by="brakes", at_ns=1))

    assert add_caution(posture, Caution(reason="stale", by="watchdog", at_ns=9)) == posture
    posture = lift_caution(posture, by="watchdog")
    assert posture.why == "brakes: margin"
    assert lift_caution(posture, by="somebody").state is TradingState.CAUTIOUS
    assert lift_caution(posture, by="brakes").state is TradingState.RUNNING


def test_a_book_that_the_broker_does_not_agree_with_allows_no_entry_and_exits(world):
    put = world.option("XSP", 540)
    book = world.held_book(world.hold(put, -1), reconciled=False)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)

    assert "R14" in world.review(held=book).binding
    assert world.review(buy, held=book).approved


@pytest.mark.parametrize(("vix", "fits"), [(24.99, True), (25.0, True), (25.01, False)])
def test_above_a_vix_of_25_nothing_naked_is_sold(world, vix, fits):
    seen = world.seen(vix=vix, vix3m=vix + 3, first_future=vix + 1, second_future=vix + 2)

    found = verdict(world, defined_risk.judge, "naked_vix", own_desk=world.desk(regime=seen))

    assert (found is Verdict.PASS) is fits


@pytest.mark.parametrize(("nlv", "fits"), [(18_000.0, 1), (36_000.0, 2), (17_999.0, 0)])
def test_naked_sales_control_at_most_three_times_the_account(world, nlv, fits):
    """One put struck at 540 controls 54,000 USD."""
    own = world.desk(account=world.account(nlv=nlv, margin=0.0))

    case = world.case(world.candidate(units=9), own_desk=own)
    found = world.finding(defined_risk.judge(case), "naked_notional")

    assert found.units_max == fits


@pytest.mark.parametrize(("used", "fits"), [(0.4499, True), (0.45, False)])
def test_near_the_margin_limit_nothing_naked_is_sold(world, used, fits):
    own = world.desk(account=world.account(margin=used * 1e6))

    found = verdict(world, defined_risk.judge, "naked_margin", own_desk=own)

    assert (found is Verdict.PASS) is fits


def test_what_is_naked_is_told_by_what_bounds_it(world):
    put, call = (world.option("AAA", 80), world.option("AAA", 120, is_call=True))
    lower, higher = world.option("AAA", 75), world.option("AAA", 125, is_call=True)
    later, sooner = world.option("AAA", 75, days=60), world.option("AAA", 75, days=10)
    stock = world.shares("AAA")

    def naked(*legs, shares=0, short_calls=0, units=1, **changes):
        own = [world.hold(stock, shares)] if shares else []
        own += [world.hold(higher, -short_calls)] if short_calls else []
        legs = [world.leg(one, ratio) for one, ratio in legs]
        cand = world.candidate(*legs, units=units, **changes)
        return is_naked(cand, held=world.held_book(*own), pending=())

    assert naked((put, -1))
    assert naked((call, -1))
    assert naked((put, -2), (lower, 1))
    assert naked((put, -1), (sooner, 1))
    assert naked((call, -1), shares=99)
    assert naked((call, -1), shares=100, short_calls=1)
    assert naked((call, -1), shares=100, units=2)
    assert naked((put, -1), (call, -1), (lower, 1))
    assert naked((put, -1), shares=100)
    assert not naked((put, -1), (lower, 1))
    assert not naked((put, -1), (later, 1))
    assert not naked((put, -1), (lower, 1), (call, -1), (higher, 1))
    assert not naked((call, -1), shares=100)
    assert not naked((call, -1), shares=200, short_calls=1)
    assert not naked((stock, 100), (call, -1))
    assert not naked((lower, 1))


def test_a_long_bounds_one_short_and_none_that_outlives_it(world):
    late, middle, early = (world.option("AAA", 80, days=days) for days in (60, 30, 10))

    assert naked_shares([(late, -1), (middle, 1), (early, -1)]) == 100.0
    assert naked_shares([(late, -1), (early, 1)]) == 100.0
    assert naked_shares([(late, 1), (middle, -1), (early, -1)]) == 100.0


def test_shares_promised_to_a_pending_call_are_not_free(world):
    call = world.option("AAA", 120, is_call=True)
    first = world.pending(world.candidate(world.leg(call, -1)))
    second = world.candidate(world.leg(world.option("AAA", 125, is_call=True), -1))
    held = world.held_book(world.hold(world.shares("AAA"), 100))

    assert not is_naked(second, held=held, pending=())
    assert is_naked(second, held=held, pending=(first,))


REAL = Connection(
    live_mode=True,
    confirmed=True,
    port=4001,
    account="U1234567",
    configured_account="U1234567",
    command_line_account="U1234567",
)
READY = Readiness(points=60.0)


@pytest.mark.parametrize(
    ("connection", "readiness", "gap"),
    [
        ({}, READY, None),
        ({"live_mode": False}, READY, InterlockGap.MODE_IS_NOT_LIVE),
        ({"confirmed": False}, READY, InterlockGap.NOT_CONFIRMED),
        ({"configured_account": ""}, READY, InterlockGap.ACCOUNT_NOT_IN_CONFIGURATION),
        ({"command_line_account": "U1"}, READY, InterlockGap.ACCOUNT_NOT_ON_COMMAND_LINE),
        ({"account": ""}, READY, InterlockGap.NO_ACCOUNT),
        ({}, Readiness(points=59.9), InterlockGap.NOT_READY),
        ({}, Readiness(points=None), InterlockGap.NOT_READY),
        ({}, Readiness(points=math.nan), InterlockGap.NOT_READY),
        ({}, Readiness(points=5.0, override_reason="my money", override_by="me"), None),
        ({}, Readiness(points=5.0, override_reason=" ", override_by="me"), InterlockGap.NOT_READY),
    ],
)
def test_real_money_asks_for_everything_at_once(connection, readiness, gap):
    found = interlock_gaps(
        msgspec.structs.replace(REAL, **connection), readiness=readiness, readiness_min_points=60.0
    )

    assert found == (() if gap is None else (gap,))


@pytest.mark.parametrize(
    ("account", "port", "real"),
    [("DU1", 4002, False), ("DF1", 7497, False), ("U1", 4002, True), ("DU1", 7496, True)],
)
def test_real_money_is_told_by_account_and_port(account, port, real):
    connection = msgspec.structs.replace(REAL, account=account, port=port, live_mode=False)

    assert is_real_money(connection) is real
    assert bool(interlock_gaps(connection, readiness=READY, readiness_min_points=60.0)) is real


def test_a_paper_account_in_mode_live_is_a_mistake():
    paper = msgspec.structs.replace(REAL, account="DU1", port=4002)

    found = interlock_gaps(paper, readiness=READY, readiness_min_points=60.0)

    assert found == (InterlockGap.PAPER_ACCOUNT_IN_LIVE,)


def test_an_open_interlock_stops_exits_as_well(world):
    put = world.option("XSP", 540)
    buy = world.candidate(world.leg(put, 1), purpose=Purpose.CLOSE, margin=-500.0)
    locked = world.desk(interlock=(InterlockGap.NOT_READY,))

    reviewed = world.review(buy, held=world.held_book(world.hold(put, -1)), own_desk=locked)

    assert reviewed.units == 0
    assert reviewed.binding == (RuleId.R16,)
