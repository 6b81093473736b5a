"""Every rule decides when it should, in its order, and nothing unknown ever decides anything."""

import datetime as dt
import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.managing.market import DAY, LIMITS, NOW, Market, part, trade, world
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_ns
from thetawarden.domain.managing.decision import Action, Alarm, Rule
from thetawarden.domain.managing.engine import RULES, decide
from thetawarden.domain.managing.rolling import find_roll
from thetawarden.domain.managing.sight import LegSight, TradeSight, look_at
from thetawarden.domain.managing.snapshots import Scene, snapshot_of
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.trades.snapshot import SnapshotEvent

MARKET = Market()
SPY = Market(underlying="SPY", trading_class="SPY")


def judge(one, market=MARKET, *, limits=LIMITS, **known):
    return decide(market.sight(one), world=world(**known), limits=limits)


def short_put(strike=470, price="1.00", market=MARKET, **changes):
    return trade(part(market.option(strike), -1, price), **changes)


def fill_of(instrument, quantity, price="3"):
    return part(instrument, quantity, price)


def middle(market, instrument):
    return float(market.rows.mid_usd[market.row(instrument)])


def quiet(market=MARKET, **changes):
    """A put a tenth of whose premium is earned."""
    put = market.option(490)
    return trade(part(put, -1, round(middle(market, put) * 1.1, 4)), **changes)


def test_a_quiet_short_put_is_held_and_says_how_it_stands():
    decision = judge(quiet())

    assert (decision.action, decision.rule) == (Action.HOLD, Rule.WATCHED)
    assert dict(decision.numbers)["profit_fraction"] == pytest.approx(0.09, abs=0.01)
    assert not decision.alarms


def test_what_was_traded_by_hand_is_watched_and_never_touched():
    by_hand = short_put(520, manual=True)

    assert judge(by_hand, demand="everything must go").rule is Rule.MANUAL
    assert judge(by_hand, demand="everything must go").action is Action.HOLD


def test_one_action_at_a_time():
    decision = judge(short_put(520, "1"), busy="its order works", demand="less risk")

    assert (decision.action, decision.rule) == (Action.HOLD, Rule.BUSY)


def test_without_a_usable_quote_it_waits_and_a_person_is_told():
    market = Market(doubted={(0, 500, Right.PUT)})

    decision = judge(short_put(500, "1", market), market, demand="less risk")

    assert (decision.action, decision.rule) == (Action.HOLD, Rule.BLIND)
    assert decision.alarms == (Alarm.BLIND,)


def condor(market):
    """Its put side is tested, and nobody bids for its call wing any more."""
    return trade(
        part(market.option(510), -1, "4"),
        part(market.option(500), 1, "2"),
        part(market.option(600, Right.CALL), -1, "4"),
        part(market.option(610, Right.CALL), 1, "2"),
    )


def test_a_wing_that_nobody_bids_for_hides_no_danger():
    market = Market(worthless={(0, 610, Right.CALL), (0, 600, Right.CALL)})

    tested, asked = judge(condor(market), market), judge(condor(market), market, demand="less risk")

    assert (tested.rule, asked.rule) == (Rule.DELTA, Rule.DEMANDED)
    assert not tested.alarms or Alarm.BLIND not in tested.alarms


def test_what_is_offered_for_more_than_a_dime_is_not_worthless():
    market = Market(worthless={(0, 610, Right.CALL)})
    market.rows.ask_usd[market.row(market.option(610, Right.CALL))] = 0.15

    assert judge(condor(market), market, demand="less risk").rule is Rule.BLIND


def test_nothing_is_decided_on_an_old_view():
    late = UnixNs(NOW + LIMITS.view_age_ns_max + 1)

    assert judge(short_put(520, "1"), now_ns=late).rule is Rule.BLIND


def test_what_the_governor_demands_is_closed():
    decision = judge(quiet(), demand="the curve is inverted")

    assert (decision.action, decision.rule, decision.units) == (Action.CLOSE, Rule.DEMANDED, 1)


@pytest.mark.parametrize(
    ("units", "part", "action", "left"),
    [
        (4, 0.3, Action.REDUCE, 2),
        (4, 0.25, Action.REDUCE, 1),
        (4, 0.8, Action.CLOSE, 4),
        (1, 0.05, Action.CLOSE, 1),
        (4, 1.0, Action.CLOSE, 4),
        (4, 0.0, Action.CLOSE, 4),
        (4, math.nan, Action.CLOSE, 4),
    ],
)
def test_of_what_is_demanded_no_more_units_go_than_are_enough(units, part, action, left):
    put = MARKET.option(490)
    one = trade(fill_of(put, -units))

    decision = judge(one, demand="a scenario is beyond its limit", demand_part=part)

    assert (decision.action, decision.rule, decision.units) == (action, Rule.DEMANDED, left)


def test_a_delta_over_its_limit_is_rolled_else_closed():
    tested = short_put(510, "13")

    assert judge(tested).action is Action.ROLL
    assert judge(tested, can_roll=False).action is Action.CLOSE
    rolled = msgspec.structs.replace(tested, rolled=("a", "b"))
    assert judge(rolled).action is Action.CLOSE
    assert {judge(one).rule for one in (tested, rolled)} == {Rule.DELTA}


def test_the_volatility_of_a_trade_is_that_of_its_own_class():
    """Two classes end on one day: one is settled in the morning, the other at the close."""
    market = Market(days=(2, 2, 20))
    morning = msgspec.structs.replace(market.view.series[0], trading_class="SPX", atm_iv_annual=0.9)
    view = msgspec.structs.replace(market.view, series=(morning, *market.view.series[1:]))
    one = trade(part(market.option(480, number=1), -1, "1"))

    sight = look_at(one, view, market.rows)
    taken = snapshot_of(
        sight,
        event=SnapshotEvent.HELD,
        reason=None,
        view=view,
        figures=None,
        scene=Scene(now_ns=NOW),
        result_usd=None,
        attribution=None,
    )

    assert (sight.atm_iv_annual, taken.iv_atm_annual) == (0.2, 0.2)


def test_one_delta_that_is_not_known_hides_no_other():
    market = Market()
    call = market.option(540, Right.CALL)
    market.rows.delta_per_share[market.row(call)] = math.nan
    tested = trade(part(market.option(510), -1, "13"), part(call, -1, "1"))

    decision = judge(tested, market)

    assert (decision.action, decision.rule) == (Action.ROLL, Rule.DELTA)
    assert Alarm.DELTA in decision.alarms
    rolls = msgspec.structs.replace(LIMITS.rolls, credit_usd_min=-50.0)
    found = find_roll(
        market.sight(tested), view=market.view, rows=market.rows, limits=rolls, now_ns=NOW
    )
    assert found.legs[0].instrument == market.option(510)


def test_a_loss_of_twice_the_premium_is_rolled_else_closed_and_three_halves_are_told():
    put = MARKET.option(490)
    worth = middle(MARKET, put)
    lost = trade(part(put, -1, round(worth / 3.05, 4)))
    losing = trade(part(put, -1, round(worth / 2.6, 4)))

    assert (judge(lost).action, judge(lost).rule) == (Action.ROLL, Rule.LOSS)
    assert Alarm.LOSS in judge(losing).alarms
    assert judge(losing).rule is not Rule.LOSS


def test_between_a_half_and_the_limit_the_delta_is_told():
    market = Market(spot=502.0, days=(20,))

    decision = judge(short_put(510, "14", market), market)

    assert 0.5 < dict(decision.numbers)["short_delta"] < 0.7
    assert Alarm.DELTA in decision.alarms


def test_a_move_beyond_one_and_a_half_implied_moves_is_told():
    moved = 500.0 * math.exp(1.6 * 0.20 / math.sqrt(252.0))

    assert Alarm.MOVE in judge(quiet(), day_spot_usd=moved).alarms
    assert not judge(quiet(), day_spot_usd=500.5).alarms


LAST = new_york_ns(DAY, dt.time(15, 30))


def test_a_short_at_the_money_on_its_last_day_gets_a_decision_before_the_close():
    market = Market(days=(0, 7), now=LAST)

    at = judge(short_put(500, "3", market), market, now_ns=LAST)
    away = judge(short_put(480, "3", market), market, now_ns=LAST)

    assert (at.action, at.rule) == (Action.CLOSE, Rule.LAST_DAY)
    assert away.rule is not Rule.LAST_DAY


def test_a_put_of_the_wheel_is_left_to_be_assigned_if_its_shares_are_small_enough():
    market = Market(underlying="SPY", trading_class="SPY", days=(0, 7), now=LAST)
    put = short_put(505, "3", market, strategy="stock_puts", underlying="SPY")

    wanted = judge(put, market, now_ns=LAST, physical=True)
    dear = judge(put, market, now_ns=LAST, physical=True, nlv_usd=200_000.0)
    cash = judge(put, market, now_ns=LAST, physical=False)

    assert (wanted.action, wanted.rule) == (Action.HOLD, Rule.LAST_DAY)
    assert (dear.action, cash.action) == (Action.CLOSE, Action.CLOSE)


def test_the_band_does_not_take_a_put_of_the_wheel_from_its_last_day():
    noon = new_york_ns(DAY, dt.time(12))
    market = Market(underlying="SPY", trading_class="SPY", days=(0, 7), now=noon)
    price = round(middle(market, market.option(500)), 2)
    put = short_put(500, price, market, strategy="stock_puts", underlying="SPY")
    week = part(market.option(500, number=1), -1, "8")
    later = trade(week, strategy="stock_puts", underlying="SPY")

    today = judge(put, market, now_ns=noon, physical=True)
    cash = judge(put, market, now_ns=noon, physical=False)
    next_week = judge(later, market, now_ns=noon, physical=True)

    assert 0.3 < abs(dict(today.numbers)["delta_per_share"]) < 0.6
    assert (today.action, today.rule) == (Action.HOLD, Rule.LAST_DAY)
    assert (cash.rule, next_week.rule) == (Rule.BAND, Rule.BAND)


def test_a_stop_closes_where_one_is_set():
    put = MARKET.option(490)
    losing = trade(part(put, -1, round(middle(MARKET, put) / 2.2, 4)))
    exits = msgspec.structs.replace(LIMITS.exits, stop_multiple=2.0)
    limits = msgspec.structs.replace(LIMITS, exits=exits)

    assert judge(losing, limits=limits).rule is Rule.STOP
    assert judge(losing).rule is not Rule.STOP


@pytest.mark.parametrize(
    ("costs", "stop", "multiple", "told"),
    [
        (1.9, "3", 0.0, False),
        (2.1, "3", 0.0, True),
        (1.4, None, 2.0, False),
        (1.6, None, 2.0, True),
        (1.6, "9", 2.0, True),
        (2.5, None, 0.0, False),
    ],
)
def test_half_way_to_its_nearest_stop_a_person_is_told(costs, stop, multiple, told):
    put = MARKET.option(490)
    premium = round(middle(MARKET, put) / costs, 4)
    exits = None
    if stop is not None:
        price = round(Decimal(stop) * Decimal(str(premium)), 4)
        exits = Exits(take_profit_usd=None, stop_usd=price)
    losing = trade(part(put, -1, premium), exits=exits)
    stops = msgspec.structs.replace(LIMITS.exits, stop_multiple=multiple)
    limits = msgspec.structs.replace(LIMITS, exits=stops)

    assert (Alarm.NEAR_STOP in judge(losing, limits=limits).alarms) is told


def test_a_vix_that_has_risen_far_closes_losers_only():
    put = MARKET.option(480)
    worth = middle(MARKET, put)
    loser = trade(part(put, -1, round(worth / 1.2, 4)), entry_vix_points=15.0)
    winner = trade(part(put, -1, round(worth * 1.2, 4)), entry_vix_points=15.0)

    assert judge(loser, vix_points=26.0).rule is Rule.VOLATILITY
    assert judge(winner, vix_points=26.0).rule is Rule.WATCHED
    assert judge(loser, vix_points=math.nan).rule is Rule.WATCHED


def test_what_was_earned_is_not_given_back():
    put = MARKET.option(480)
    given_back = trade(part(put, -1, round(middle(MARKET, put) * 1.1, 4)), best_fraction=0.6)

    assert (judge(given_back).action, judge(given_back).rule) == (Action.CLOSE, Rule.TRAILING)


def test_a_target_that_can_be_taken_is_taken_only_where_no_exit_works():
    earned = short_put(430, "5")
    exits = Exits(take_profit_usd=Decimal("0.50"), stop_usd=None)

    assert judge(earned).rule is Rule.PROFIT_TARGET
    assert judge(earned, exits=exits).rule is Rule.WATCHED


def test_another_regime_moves_the_exits_and_holds():
    new = Exits(take_profit_usd=Decimal("0.60"), stop_usd=None)

    decision = judge(quiet(), exits=new, new_exits=new, regime=DerivedRegime.CRASH)

    assert (decision.action, decision.rule) == (Action.HOLD, Rule.NEW_TARGET)
    assert "40 %" in decision.reasons[0]


def test_so_many_days_before_its_end_it_is_closed_where_a_number_is_set():
    exits = msgspec.structs.replace(LIMITS.exits, exit_days=2)
    limits = msgspec.structs.replace(LIMITS, exits=exits)

    assert judge(quiet(), limits=limits).rule is Rule.DAYS_LEFT


def test_late_on_its_last_day_a_profit_is_taken():
    late = new_york_ns(DAY, dt.time(15, 31))
    market = Market(days=(0, 7), now=late, iv=0.6, strikes=(498,))
    put = market.option(498)
    earned = trade(part(put, -1, round(middle(market, put) * 2.2, 4)))

    assert judge(earned, market, now_ns=late).rule is Rule.TIME_OF_DAY


def test_a_delta_out_of_its_band_is_rearranged_else_closed():
    market = Market(iv=0.28)
    leaning = trade(part(market.option(495), -1, "4"))

    decision = judge(leaning, market)

    assert 0.30 < dict(decision.numbers)["delta_per_share"] < 0.5
    assert (decision.action, decision.rule) == (Action.REBALANCE, Rule.BAND)
    assert judge(leaning, market, can_rearrange=False).action is Action.CLOSE


def delivered(market):
    put = market.option(505)
    return trade(
        part(put, -1, "3"),
        part(put, 1, "0", cause=Cause.ASSIGNMENT, role=None),
        part(market.stock(), 100, "505", cause=Cause.ASSIGNMENT, role=None, because_of=put.conid),
        underlying=market.underlying,
    )


def test_shares_that_were_put_to_us_have_a_call_sold_on_them():
    decision = judge(delivered(SPY), SPY)

    assert (decision.action, decision.rule) == (Action.COVER, Rule.DELIVERED)
    off = msgspec.structs.replace(LIMITS.wheel, enabled=False)
    limits = msgspec.structs.replace(LIMITS, wheel=off)
    assert judge(delivered(SPY), SPY, limits=limits).action is Action.HOLD


def test_a_covered_call_may_be_called_away():
    shares = delivered(SPY)
    call = SPY.option(490, Right.CALL)
    covered = msgspec.structs.replace(shares, parts=(*shares.parts, part(call, -1, "2")))

    decision = judge(covered, SPY)

    assert dict(decision.numbers)["short_delta"] > LIMITS.exits.exit_delta
    assert (decision.action, decision.rule) == (Action.HOLD, Rule.WATCHED)


def test_a_hedge_goes_when_it_is_not_needed_and_is_never_demanded_away():
    hedge = trade(part(MARKET.option(450), 2, "0.40"), strategy="hedge")

    assert judge(hedge, demand="less risk").action is Action.HOLD
    assert judge(hedge, hedge_unneeded=True).rule is Rule.HEDGE_UNNEEDED


def test_rules_stand_in_the_order_of_their_urgency_each_once():
    assert [spec.rule for spec in RULES] == [rule for rule in Rule if rule is not Rule.HEDGE_NEEDED]


anything = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(-2.0, 3.0), st.just(math.nan)
)


@st.composite
def sights(draw):
    legs = []
    for number in range(draw(st.integers(1, 4))):
        strike = draw(st.sampled_from([450, 480, 500, 520]))
        right = draw(st.sampled_from(list(Right)))
        legs.append(
            LegSight(
                instrument=MARKET.option(strike, right, number=number),
                ratio=draw(st.integers(-2, 2).filter(bool)),
                doubt=draw(st.sampled_from(["", "", "", "stale"])),
                bid_usd=draw(anything),
                ask_usd=draw(anything),
                iv_annual=draw(anything),
                delta_per_share=draw(anything),
                last_trade_ns=UnixNs(NOW + draw(st.integers(-60, 600)) * NS_PER_MINUTE),
                seen=True,
            )
        )
    parts = [part(leg.instrument, leg.ratio, "1", key=str(at)) for at, leg in enumerate(legs)]
    best = draw(st.floats(0.0, 1.0))
    one = trade(*parts, best_fraction=best, entry_vix_points=draw(st.none() | anything))
    return TradeSight(
        trade=one,
        legs=tuple(legs),
        units=draw(st.integers(0, 5)),
        multiplier=draw(st.sampled_from([0, 1, 100])),
        at_ns=UnixNs(NOW - draw(st.integers(-10, 200)) * 10**9),
        spot_usd=draw(anything),
        atm_iv_annual=draw(anything),
    )


@settings(max_examples=150, deadline=None)
@given(
    sights(),
    anything,
    anything,
    st.booleans(),
    st.sampled_from([None, *DerivedRegime]),
)
def test_there_is_always_one_decision_with_a_reason_and_finite_numbers(
    sight, vix, nlv, physical, regime
):
    known = world(vix_points=vix, nlv_usd=nlv, day_spot_usd=nlv, physical=physical, regime=regime)

    decision = decide(sight, world=known, limits=LIMITS)

    assert decision.reasons
    assert all(math.isfinite(value) for _, value in decision.numbers)
    assert 0 <= decision.units <= max(sight.units, 0)
    if sight.doubts or not sight.units:
        assert decision.action is Action.HOLD
