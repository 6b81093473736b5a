"""Orders take no more than is held, never past their bound, and do what their decision asks."""

import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.managing.market import DAY, LIMITS, NOW, Market, part, trade, world
from thetawarden.config.risk import OrdersConfig
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.managing.decision import Action, Rule
from thetawarden.domain.managing.engine import decide
from thetawarden.domain.managing.hedging import (
    Hedge,
    budget_usd,
    excesses_of,
    find_hedge,
    is_unneeded,
)
from thetawarden.domain.managing.ordering import Leg, worth_most_usd
from thetawarden.domain.managing.planning import Ground, plan
from thetawarden.domain.managing.rebalancing import Rearrangement, find_rearrangement
from thetawarden.domain.managing.rolling import Roll, find_roll
from thetawarden.domain.managing.stressing import stand_of
from thetawarden.domain.managing.targets import revised_exits, target_of
from thetawarden.domain.managing.weakest import demanded_of, is_naked, part_of
from thetawarden.domain.managing.wheeling import CoveredCall, find_call
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.market.products import NICKEL
from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.domain.strategy.targets import exits_of
from thetawarden.domain.units import to_float

MARKET = Market()


def ground(market=MARKET, **changes):
    fields = {
        "view": market.view,
        "rows": market.rows,
        "key": "t1/close/1",
        "now_ns": market.now,
        "vix_points": 18.0,
        "regime": None,
        "attempts": 0,
        "replaces": "",
        "limits": LIMITS,
    }
    return Ground(**(fields | changes))


def planned(one, market=MARKET, *, known=None, **changes):
    sight = market.sight(one)
    decision = decide(sight, world=world(now_ns=market.now, **(known or {})), limits=LIMITS)
    return plan(decision, sight, ground(market, **changes))


def middle(market, instrument):
    return float(market.rows.mid_usd[market.row(instrument)])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([460, 480, 490, 500, 510, 530]),
            st.sampled_from(list(Right)),
            st.integers(0, 2),
            st.integers(-3, 3).filter(bool),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda leg: leg[:3],
    ),
    st.integers(0, 9),
)
def test_a_close_takes_away_what_is_held_and_no_more_within_a_bounded_price(legs, attempts):
    parts = [
        part(MARKET.option(strike, right, number), quantity, "1", key=str(at))
        for at, (strike, right, number, quantity) in enumerate(legs)
    ]
    one = trade(*parts)

    order = planned(one, known={"demand": "less risk"}, attempts=attempts).proposal

    held = {each.instrument.conid: each.quantity for each in one.held}
    for leg in order.legs:
        moved = leg.ratio * order.units
        assert moved * held[leg.instrument.conid] < 0
        assert abs(moved) <= abs(held[leg.instrument.conid])
    sight = MARKET.sight(one)
    most = sight.natural_usd + max(0.05, 0.5 * abs(sight.natural_usd)) + 0.1
    assert order.limit_usd <= order.worst_usd <= Decimal(most)
    assert order.purpose is Purpose.CLOSE


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([400, 440, 460, 480, 490, 500]),
    st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3]),
    st.integers(0, 9),
)
def test_a_close_asks_for_no_price_that_the_governor_refuses_however_cheap_it_is(
    strike, width, attempts
):
    market = Market(width=width, days=(1, 2, 7))
    one = trade(part(market.option(strike), -1, "1"))

    order = planned(one, market, known={"demand": "less risk"}, attempts=attempts).proposal

    fair, orders = middle(market, one.held[0].instrument), OrdersConfig()
    most = fair + max(orders.reducing_collar_fraction * fair, orders.collar_min_usd)
    assert order.limit_usd <= order.worst_usd
    assert to_float(order.worst_usd) <= most + 1e-9


def test_each_time_without_a_fill_it_goes_further_and_never_beyond_what_it_can_be_worth():
    spread = trade(part(MARKET.option(500), -1, "4"), part(MARKET.option(495), 1, "2"))
    demand = {"demand": "less risk"}

    worsts = [planned(spread, known=demand, attempts=n).proposal.worst_usd for n in range(8)]

    assert worsts == sorted(worsts)
    assert max(worsts) <= Decimal(5)


def test_a_close_with_a_doubtful_leg_waits():
    market = Market(doubted={(0, 500, Right.PUT)})
    one = trade(part(market.option(500), -1, "4"))
    sight = market.sight(one)
    decision = msgspec.structs.replace(
        decide(sight, world=world(), limits=LIMITS), action=Action.CLOSE, units=1
    )

    done = plan(decision, sight, ground(market))

    assert done.proposal is None
    assert "no usable quote" in done.words


@pytest.mark.parametrize("nobody_bids", [0.0, math.nan])
def test_a_close_leaves_what_nobody_bids_for_and_buys_nothing_back_for_nothing(nobody_bids):
    worthless = {(0, 380, Right.PUT), (0, 610, Right.CALL)}
    market = Market(worthless=worthless, nobody_bids=nobody_bids)
    spread = trade(part(market.option(600, Right.CALL), -1, "2"), part(market.option(380), 1, "1"))
    cheap = trade(part(market.option(610, Right.CALL), -2, "1"))
    gone = trade(part(market.option(380), 1, "1"))
    demand = {"demand": "less risk"}

    half, bought, none = (planned(one, market, known=demand) for one in (spread, cheap, gone))

    assert [leg.instrument.strike for leg in half.proposal.legs] == [Decimal(600)]
    assert half.proposal.limit_usd > 0
    assert Decimal(0) < bought.proposal.limit_usd <= Decimal("0.05") <= bought.proposal.worst_usd
    assert (none.proposal, none.words) == (None, "nobody bids for any of it")


def test_a_strike_is_told_as_the_broker_writes_it():
    found = find_call(
        shares(MARKET, 505), view=MARKET.view, rows=MARKET.rows, limits=LIMITS.wheel, now_ns=NOW
    )

    assert str(found.leg.instrument.strike) == str(int(found.leg.instrument.strike))
    assert found.words.startswith(f"the {int(found.leg.instrument.strike)} call")


def test_a_close_names_the_exit_it_takes_the_place_of():
    one = trade(part(MARKET.option(490), -2, "1"))

    order = planned(one, known={"demand": "x"}, replaces="t1.tp.1.1").proposal

    assert (order.replaces, order.units, order.trade) == ("t1.tp.1.1", 2, "t1")


# rolls


def losing(market, strike=495, **changes):
    put = market.option(strike)
    return trade(part(put, -2, round(middle(market, put) / 3.2, 4)), **changes)


def test_a_roll_is_one_order_to_the_first_delta_for_a_credit():
    market = Market(days=(1, 7, 30, 44))
    one = losing(market, 490)

    order = planned(one, market).proposal

    back, sold = order.legs
    assert order.purpose is Purpose.ROLL
    assert (back.instrument.strike, back.ratio, sold.ratio) == (Decimal(490), 1, -1)
    assert sold.instrument.strike < back.instrument.strike
    assert sold.instrument.expiry > back.instrument.expiry
    delta = abs(market.rows.delta_per_share[market.row(sold.instrument)])
    assert delta == pytest.approx(0.07, rel=0.4)
    assert order.worst_usd <= Decimal("-0.10")
    assert order.units == 2


@settings(max_examples=20, deadline=None)
@given(st.floats(0.15, 0.6), st.booleans())
def test_what_may_add_risk_asks_for_no_price_beyond_the_collar_of_entries(iv, rolled):
    fund = {} if rolled else {"underlying": "SPY", "trading_class": "SPY"}
    market = Market(iv=iv, days=(1, 7, 20, 30, 44), **fund)
    order = planned(losing(market, 490) if rolled else shares(market), market).proposal
    if order is None or order.purpose not in {Purpose.ROLL, Purpose.OPEN}:
        return

    mid = sum(leg.ratio * middle(market, leg.instrument) for leg in order.legs)

    assert order.limit_usd <= order.worst_usd
    assert float(order.worst_usd) <= mid + max(0.10 * abs(mid), 0.05) + 1e-9


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([440, 460, 480, 490, 500]), st.sampled_from([0.02, 0.1, 0.3]), st.integers(0, 9)
)
def test_a_hedge_is_given_up_for_no_price_beyond_the_collar_of_entries(strike, width, attempts):
    """It is no exit that lessens risk: the governor holds it to what entries are held to."""
    market = Market(width=width, days=(1, 7, 30))
    held = trade(part(market.option(strike, number=2), 2, "2"), strategy="hedge")

    order = planned(held, market, known={"hedge_unneeded": True}, attempts=attempts).proposal

    mid = -middle(market, held.held[0].instrument)
    assert order.limit_usd <= order.worst_usd
    assert float(order.worst_usd) <= mid + max(0.10 * abs(mid), 0.05) + 1e-9


def test_a_roll_that_brings_too_little_is_a_close_and_says_so():
    market = Market(days=(1, 2))

    done = planned(losing(market), market)

    assert done.decision.action is Action.CLOSE
    assert done.proposal.purpose is Purpose.CLOSE
    assert any("brings 0.10" in reason for reason in done.decision.reasons)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.sampled_from([470, 480, 490, 495, 500, 510]), st.sampled_from(list(Right))),
    st.floats(0.1, 0.6),
    st.integers(0, 3),
    st.floats(0.02, 0.3),
    st.booleans(),
)
def test_no_roll_for_less_than_a_dime_nearer_to_the_market_or_a_third_time(
    sold, iv, rolls, delta, bounded
):
    strike, right = sold
    market = Market(iv=iv, days=(1, 7, 20, 40))
    short = market.option(strike, right)
    parts = [part(short, -1, "1")]
    if bounded:
        wing = strike - 10 if right is Right.PUT else strike + 10
        parts.append(part(market.option(wing, right), 1, "0.5"))
    one = trade(*parts, rolled=tuple(map(str, range(rolls))), entry_delta_per_share=delta)

    found = find_roll(
        market.sight(one), view=market.view, rows=market.rows, limits=LIMITS.rolls, now_ns=NOW
    )

    if rolls >= 2:
        assert isinstance(found, str)
    if isinstance(found, Roll):
        assert found.credit_usd >= 0.10
        new = found.legs[1].instrument
        further = new.strike <= strike if right is Right.PUT else new.strike >= strike
        assert further
        conids = [leg.instrument.conid for leg in found.legs]
        assert len(set(conids)) == len(conids)
        assert all(leg.ratio for leg in found.legs)
        assert sum(leg.ratio for leg in found.legs) == 0
        after = trade(*parts, *(part(leg.instrument, leg.ratio, "1") for leg in found.legs))
        assert is_naked(market.sight(after)) == (not bounded)
        assert len(after.held) == 1 + bounded


def test_a_roll_onto_the_old_wing_trades_each_contract_once():
    market = Market(strikes=(480, 490, 500), days=(20,), iv=0.3)
    width_kept = trade(
        part(market.option(500), -1, "1"),
        part(market.option(490), 1, "0.5"),
        entry_delta_per_share=0.35,
    )
    limits = msgspec.structs.replace(LIMITS.rolls, credit_usd_min=-50.0)

    found = find_roll(
        market.sight(width_kept), view=market.view, rows=market.rows, limits=limits, now_ns=NOW
    )

    moved = {int(leg.instrument.strike): leg.ratio for leg in found.legs}
    assert moved == {500: 1, 490: -2, 480: 1}


def test_a_roll_leaves_a_wing_that_nobody_bids_for():
    market = Market(days=(1, 7, 30, 44), worthless={(0, 480, Right.PUT)})
    one = trade(part(market.option(490), -1, "0.5"), part(market.option(480), 1, "0.1"))

    found = find_roll(
        market.sight(one), view=market.view, rows=market.rows, limits=LIMITS.rolls, now_ns=NOW
    )

    assert [leg.ratio for leg in found.legs] == [1, -1, 1]
    assert found.legs[0].instrument == market.option(490)
    assert market.option(480) not in [leg.instrument for leg in found.legs]


# bands


def strangle(market=MARKET, put=500, call=540):
    return trade(part(market.option(put), -1, "4"), part(market.option(call, Right.CALL), -1, "1"))


def test_the_fewest_legs_bring_a_delta_back_without_a_larger_worst_loss():
    sight = MARKET.sight(strangle())

    found = find_rearrangement(
        sight,
        view=MARKET.view,
        rows=MARKET.rows,
        stand=stand_of(MARKET.view, vix_points=18.0),
        limits=LIMITS.band,
    )

    assert sight.delta_per_share > 0.30
    assert len(found.legs) == 1
    assert abs(found.delta_after) <= 0.30
    assert found.loss_after_usd <= found.loss_before_usd + 0.01


def test_no_more_are_bought_than_are_sold_and_the_delta_comes_well_back():
    naked = trade(part(MARKET.option(500), -1, "4"))
    spread = trade(part(MARKET.option(500), -1, "4"), part(MARKET.option(450), 1, "0.5"))
    band = msgspec.structs.replace(LIMITS.band, delta_per_share=0.35)

    first, second = (
        find_rearrangement(
            MARKET.sight(one),
            view=MARKET.view,
            rows=MARKET.rows,
            stand=stand_of(MARKET.view, vix_points=18.0),
            limits=band,
        )
        for one in (naked, spread)
    )

    assert [leg.ratio for leg in first.legs] == [1]
    assert abs(first.delta_after) <= 0.8 * 0.35
    assert isinstance(second, str) or any(leg.ratio < 0 for leg in second.legs)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([470, 485, 495, 500, 510]),
    st.sampled_from([495, 500, 505, 515, 540]),
    st.floats(0.1, 0.5),
    st.integers(1, 3),
)
def test_no_rearrangement_makes_the_worst_loss_larger(put, call, iv, count):
    market = Market(iv=iv, days=(3, 20))
    one = trade(
        part(market.option(put), -count, "4"),
        part(market.option(call, Right.CALL), -count, "1"),
    )

    found = find_rearrangement(
        market.sight(one),
        view=market.view,
        rows=market.rows,
        stand=stand_of(market.view, vix_points=18.0),
        limits=LIMITS.band,
    )

    if isinstance(found, Rearrangement):
        assert found.loss_after_usd <= found.loss_before_usd + 0.011
        assert abs(found.delta_after) <= LIMITS.band.delta_per_share
        assert len(found.legs) <= LIMITS.band.legs_max


@pytest.mark.parametrize("rolls", [0, 1, 2])
def test_a_short_is_moved_only_while_a_roll_is_left(rolls):
    band = msgspec.structs.replace(LIMITS.band, delta_per_share=0.05)
    one = trade(part(MARKET.option(500), -1, "4"), rolled=tuple("ab"[:rolls]))
    sight = MARKET.sight(one)
    decision = decide(sight, world=world(), limits=LIMITS)
    leaning = msgspec.structs.replace(decision, action=Action.REBALANCE, rule=Rule.BAND, units=1)

    done = plan(leaning, sight, ground(limits=msgspec.structs.replace(LIMITS, band=band)))

    moved = any(leg.ratio < 0 for leg in done.proposal.legs)
    assert (moved, done.decision.action is Action.REBALANCE) == (rolls < 2, rolls < 2)


def test_what_cannot_be_revalued_is_not_rearranged_but_closed():
    done = planned(strangle(), known={"vix_points": math.nan}, vix_points=math.nan)

    assert done.decision.action is Action.CLOSE


# the wheel


def shares(market, strike=505, count=200):
    put = market.option(strike)
    return trade(
        part(put, -count // 100, "3"),
        part(put, count // 100, "0", cause=Cause.ASSIGNMENT, role=None),
        part(
            market.stock(),
            count,
            str(strike),
            cause=Cause.ASSIGNMENT,
            role=None,
            because_of=put.conid,
        ),
        underlying="SPY",
    )


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([450, 480, 500, 520, 560]), st.integers(1, 9), st.floats(0.1, 0.6))
def test_a_covered_call_is_never_below_what_was_paid_nor_on_more_than_is_held(strike, lots, iv):
    market = Market(underlying="SPY", trading_class="SPY", iv=iv)
    one = shares(market, strike, 100 * lots)

    found = find_call(one, view=market.view, rows=market.rows, limits=LIMITS.wheel, now_ns=NOW)

    if isinstance(found, CoveredCall):
        assert found.leg.instrument.strike >= strike
        assert found.leg.instrument.right is Right.CALL
        assert found.units == lots
        assert 14 <= (found.leg.instrument.expiry - DAY).days <= 30


def test_a_call_is_sold_on_delivered_shares_with_its_own_exit():
    market = Market(underlying="SPY", trading_class="SPY")

    order = planned(shares(market), market).proposal

    assert (order.purpose, order.strategy, order.units) == (Purpose.OPEN, "wheel", 2)
    assert order.limit_usd < 0
    assert 0 < order.exits.take_profit_usd < -order.limit_usd


def test_fewer_than_a_hundred_shares_have_no_call_sold_on_them():
    market = Market(underlying="SPY", trading_class="SPY")
    one = trade(
        part(market.stock(), 60, "505", cause=Cause.ASSIGNMENT, role=None), underlying="SPY"
    )

    done = planned(one, market)

    assert done.proposal is None
    assert "fewer shares" in done.words


# hedges


def use(held, *, name="index -10 %, VIX +20", limit=0.15, rule=RuleId.R6):
    return LimitUse(rule=rule, name=name, limit=limit, held=held, used=held)


def hedge(budget, *, held=0.16, nlv=100_000.0, market=MARKET, **changes):
    return find_hedge(
        excesses_of((use(held, **changes),), nlv_usd=nlv),
        view=market.view,
        rows=market.rows,
        stand=stand_of(market.view, vix_points=18.0),
        budget=budget,
        limits=LIMITS.hedges,
        today=DAY,
    )


def test_the_cheapest_protection_brings_the_worst_scenario_back_inside():
    found = hedge(5_000.0)

    assert found.whole
    assert found.removed_usd >= 1_000.0
    assert found.cost_usd <= 5_000.0


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 20_000.0), st.floats(0.1, 1.5), st.floats(0.1, 0.6))
def test_no_hedge_costs_more_than_its_budget(budget, held, iv):
    found = hedge(budget, held=held, market=Market(iv=iv, strikes=tuple(range(400, 521, 10))))

    if isinstance(found, Hedge):
        multiplier = found.legs[0].instrument.multiplier
        assert found.units * float(found.worst_usd) * multiplier <= budget + 1e-6
        assert found.removed_usd > found.cost_usd


@settings(max_examples=40, deadline=None)
@given(st.floats(50.0, 2_000.0), st.floats(0.16, 1.5))
def test_what_is_not_enough_is_the_most_that_the_budget_removes_and_worth_having(budget, held):
    found, over = hedge(budget, held=held), (held - 0.15) * 100_000.0

    if isinstance(found, str):
        assert f"{budget:,.0f}" in found
    elif not found.whole:
        less = hedge(budget * 0.8, held=held)
        assert found.removed_usd >= LIMITS.hedges.part_min_fraction * over
        assert isinstance(less, str) or less.removed_usd <= found.removed_usd


def test_a_hedge_that_removes_next_to_nothing_is_none():
    words = hedge(20.0, held=1.5)

    assert "removes more than" in words
    assert "135,000 too much" in words


def test_without_an_excess_or_a_budget_nothing_is_bought():
    assert isinstance(hedge(5_000.0, held=0.10), str)
    assert isinstance(hedge(0.0), str)
    assert isinstance(hedge(math.nan), str)
    assert isinstance(hedge(5_000.0, name="sector energy -15 %, VIX +10"), str)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("sector energy -15 %, VIX +10", RuleId.R6), ("index +10 %", RuleId.R6)],
)
def test_protection_that_leaves_a_scenario_beyond_its_limit_is_not_whole(name, rule):
    uses = (use(0.18), use(0.16, name=name, rule=rule))

    found = find_hedge(
        excesses_of(uses, nlv_usd=100_000.0),
        view=MARKET.view,
        rows=MARKET.rows,
        stand=stand_of(MARKET.view, vix_points=18.0),
        budget=5_000.0,
        limits=LIMITS.hedges,
        today=DAY,
    )

    assert not found.whole


def test_a_rise_of_volatility_alone_is_hedged_too():
    found = hedge(5_000.0, name="no sector held, VIX +10")

    assert isinstance(found, Hedge)
    assert found.removed_usd >= 1_000.0


@pytest.mark.parametrize("name", ["index_drop", "vix_rise"])
def test_a_small_move_beyond_its_limit_is_hedged_though_the_hedge_outlasts_it(name):
    small = {"name": name, "rule": RuleId.R2, "limit": 0.003}
    found = hedge(20_000.0, held=0.005, **small)

    assert found.whole
    assert found.removed_usd >= 200.0
    assert found.cost_usd <= 20_000.0
    assert isinstance(hedge(20_000.0, held=0.002, **small), str)


def test_the_budget_is_a_part_of_the_quarters_premium_less_what_was_spent():
    income = {"2026-03-01": Decimal(10_000), "2025-11-01": Decimal(99_999)}
    spent = {"2026-02-01": Decimal(600), "2025-11-01": Decimal(5)}

    left = budget_usd(income, spent, today=DAY, limits=LIMITS.hedges)

    assert left == pytest.approx(0.15 * 10_000 - 600)
    assert budget_usd(income, {"2026-02-01": Decimal(10**6)}, today=DAY, limits=LIMITS.hedges) == 0


def test_a_hedge_is_unneeded_once_all_scenarios_are_well_inside_without_it():
    sight = MARKET.sight(trade(part(MARKET.option(450, number=3), 3, "2"), strategy="hedge"))
    stand = stand_of(MARKET.view, vix_points=18.0)

    def unneeded(held, **changes):
        excesses = excesses_of((use(held, **changes),), nlv_usd=1e6)
        return is_unneeded(sight, excesses, stand=stand, limits=LIMITS.hedges)

    assert unneeded(0.01)
    assert not unneeded(0.14)
    assert not unneeded(0.11, name="sector energy -15 %, VIX +10")
    assert unneeded(0.01, name="sector energy -15 %, VIX +10")
    assert not is_unneeded(sight, (), stand=stand, limits=LIMITS.hedges)


# targets


@pytest.mark.parametrize(
    ("regime", "target"),
    [
        (None, 0.70),
        (DerivedRegime.CRASH, 0.40),
        (DerivedRegime.HIGH_VOLATILITY, 0.50),
        (DerivedRegime.NORMAL, 0.70),
        (DerivedRegime.LOW_VOLATILITY, 0.70),
    ],
)
def test_the_target_is_our_own_or_the_regimes_where_that_is_less(regime, target):
    assert target_of("index_puts", regime, LIMITS.targets) == target


@pytest.mark.parametrize("name", [each.value for each in DerivedRegime])
def test_every_regime_has_the_target_of_the_specification(name):
    told = {
        "crash": 0.40,
        "high_volatility": 0.50,
        "normal": 0.80,
        "range_bound": 0.80,
        "trending": 0.85,
        "low_volatility": 0.90,
    }
    own = msgspec.structs.replace(LIMITS.targets, otherwise=0.99)

    assert target_of("x", DerivedRegime(name), own) == told[name]


@given(st.floats(0.01, 500.0), st.floats(0.05, 0.95))
def test_exits_are_on_a_tick_and_keep_at_least_the_target_where_a_tick_allows(premium, target):
    exits = exits_of(premium, target_fraction=target, stop_multiple=0.0, ticks=NICKEL)

    assert is_on_tick(exits.take_profit_usd, NICKEL)
    assert exits.take_profit_usd > 0
    aimed = Decimal(premium * (1 - target)) + Decimal("0.000001")
    assert exits.take_profit_usd <= max(aimed, Decimal("0.05"))


def test_exits_that_are_near_enough_are_left_alone():
    def revised(price, target):
        return revised_exits(
            Exits(take_profit_usd=Decimal(price), stop_usd=None),
            1.0,
            target_fraction=target,
            targets=LIMITS.targets,
            exits=LIMITS.exits,
            ticks=NICKEL,
        )

    assert revised("0.30", 0.70) is None
    assert revised("0.35", 0.70) is None  # one tick away
    assert revised("0.30", 0.40).take_profit_usd == Decimal("0.60")


# demands


def demanded(kind, *trades, positions=(), together=(), closing=False, market=MARKET):
    demand = Demand(kind=kind, why="because", positions=positions, together=together)
    sights = [market.sight(one) for one in trades]
    return turn_of(demand, *sights, closing=closing)


def turn_of(demand, *sights, closing=False):
    return demanded_of(
        (demand,),
        sights,
        closing=closing,
        now_ns=NOW,
        view_age_ns_max=LIMITS.view_age_ns_max,
    )


NAKED = trade(part(MARKET.option(490), -1, "3"), name="naked")
BOUNDED = trade(
    part(MARKET.option(490), -1, "3"), part(MARKET.option(480), 1, "0.1"), name="bounded"
)
LOSER = trade(part(MARKET.option(495), -1, "1"), name="loser")


def test_all_that_is_naked_goes_at_once_and_what_is_bounded_stays():
    assert demanded(DemandKind.CLOSE_NAKED, NAKED, BOUNDED, LOSER) == {
        "naked": "because",
        "loser": "because",
    }
    assert is_naked(MARKET.sight(NAKED))
    assert not is_naked(MARKET.sight(BOUNDED))


def test_the_weakest_goes_first_and_one_at_a_time():
    assert demanded(DemandKind.CLOSE_WEAKEST, NAKED, BOUNDED, LOSER) == {"loser": "because"}
    assert demanded(DemandKind.CLOSE_WEAKEST, NAKED, LOSER, closing=True) == {}


def test_what_the_demand_names_goes_first():
    names = ("gone", "bounded", "loser")

    assert list(demanded(DemandKind.REDUCE, NAKED, BOUNDED, LOSER, positions=names)) == ["bounded"]


def test_those_that_are_enough_together_go_at_once_and_no_more_before_they_are_over():
    reduce, trades = DemandKind.REDUCE, (NAKED, BOUNDED, LOSER)
    names, enough = ("bounded", "gone", "loser", "naked"), (1.0, 1.0, 0.5)

    chosen = demanded(reduce, *trades, positions=names, together=enough)

    assert list(chosen) == ["bounded", "loser"]
    assert demanded(reduce, *trades, positions=names, together=enough, closing=True) == {}
    assert list(demanded(reduce, NAKED, positions=names, together=enough)) == ["naked"]


def test_a_part_that_is_enough_together_is_asked_for_before_one_that_is_enough_alone():
    demand = Demand(
        kind=DemandKind.REDUCE,
        why="because",
        positions=("loser", "bounded", "naked"),
        parts=(0.9, 1.0, 1.0),
        together=(1.0, 0.25),
    )
    parts = [part_of((demand,), MARKET.sight(one)) for one in (LOSER, BOUNDED, NAKED)]

    assert parts == [1.0, 0.25, 1.0]


def test_what_is_by_hand_or_cannot_be_seen_is_not_chosen():
    by_hand = msgspec.structs.replace(LOSER, manual=True)
    market = Market(doubted={(0, 495, Right.PUT)})

    assert demanded(DemandKind.CLOSE_WEAKEST, by_hand) == {}
    assert demanded(DemandKind.CLOSE_NAKED, LOSER, market=market) == {}


@pytest.mark.parametrize("nobody_bids", [0.0, math.nan])
def test_a_worthless_call_that_nobody_bids_for_does_not_hide_a_strangle_that_must_go(nobody_bids):
    market = Market(worthless={(0, 610, Right.CALL)}, nobody_bids=nobody_bids)
    both = (part(market.option(490), -1, "1"), part(market.option(610, Right.CALL), -1, "0.1"))
    strangle = trade(*both, name="strangle")

    chosen = demanded(DemandKind.REDUCE, strangle, positions=("strangle",), market=market)
    done = planned(strangle, market, known={"demand": "less risk"})

    assert chosen == {"strangle": "because"}
    assert sorted(leg.instrument.strike for leg in done.proposal.legs) == [490, 610]
    assert done.proposal.limit_usd > 0


def test_a_part_is_asked_of_what_the_demand_names_and_all_of_everything_else():
    named = Demand(
        kind=DemandKind.REDUCE, why="because", positions=("gone", "loser"), parts=(1.0, 0.35)
    )
    weakest = Demand(kind=DemandKind.CLOSE_WEAKEST, why="because")
    naked = Demand(kind=DemandKind.CLOSE_NAKED, why="because")
    loser, other = MARKET.sight(LOSER), MARKET.sight(BOUNDED)

    assert part_of((named, weakest), loser) == 0.35
    assert part_of((named,), other) == 1.0
    assert part_of((weakest,), loser) == 1.0
    assert part_of((naked, named), loser) == 1.0
    assert part_of((), loser) == 1.0


def test_what_cannot_be_closed_now_gives_its_turn_to_the_next():
    hedge_held = trade(part(MARKET.option(450), 2, "0.40"), name="hedge-1", strategy="hedge")
    market = Market(worthless={(0, 600, Right.CALL)})
    wing = trade(part(market.option(600, Right.CALL), 1, "0.1"), name="wing")
    old = msgspec.structs.replace(
        MARKET.sight(LOSER), at_ns=NOW - LIMITS.view_age_ns_max - NS_PER_SECOND
    )
    demand = Demand(
        kind=DemandKind.REDUCE, why="because", positions=("hedge-1", "wing", "loser", "naked")
    )

    chosen = turn_of(demand, MARKET.sight(hedge_held), market.sight(wing), old, MARKET.sight(NAKED))

    assert chosen == {"naked": "because"}


def test_the_most_that_legs_can_be_worth_is_known_where_it_is_bounded():
    def leg(strike, ratio, right=Right.PUT):
        return Leg(
            instrument=MARKET.option(strike, right),
            ratio=ratio,
            bid_usd=1.0,
            ask_usd=1.0,
            quoted_ns=NOW,
        )

    assert worth_most_usd((leg(500, 1), leg(495, -1))) == pytest.approx(5.0)
    assert worth_most_usd((leg(500, 1),)) == pytest.approx(500.0)
    assert worth_most_usd((leg(500, 1, Right.CALL),)) == math.inf
