"""Every cent of a day has a name, and the names add up to the cash and the marks exactly."""

import math
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.managing.market import DAY, NOW, Market, part, trade
from thetawarden.domain.instants import NS_PER_HOUR, UnixNs
from thetawarden.domain.managing.marking import cents, is_known, mark_of
from thetawarden.domain.trades.attributing import DaySums, between, with_interval, with_trading

PUT = (490, 1)


def marked(one, market, before=None, at_h=0):
    now = UnixNs(NOW + at_h * NS_PER_HOUR)
    return mark_of(one, market.sight(one), before=before, now=now)


def sold(market, quantity=-2, price="2.00"):
    return trade(part(market.option(490, number=1), quantity, price))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(470.0, 530.0), st.floats(0.1, 0.6), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    st.decimals("0.01", "9", places=2),
)
def test_parts_of_a_day_sum_to_its_profit_exactly(steps, price):
    start = Market()
    one = sold(start)
    first = mark = marked(one, start)
    sums = DaySums(day=DAY)
    for number, (spot, iv, seen) in enumerate(steps, 1):
        doubted = () if seen else {(1, 490, "P")}
        market = Market(spot=spot, iv=iv, strikes=(490,), doubted=doubted)
        conid = one.parts[0].instrument.conid
        named = [conid if c == market.places[1, 490, "P"] else -c for c in market.rows.conid]
        market.rows = msgspec.structs.replace(market.rows, conid=np.array(named))
        later = marked(one, market, mark, number)
        sums, mark = with_interval(sums, between(mark, later)), later
    bought = part(one.parts[0].instrument, 2, price, key="close")
    closed = trade(*one.parts, bought)
    after = marked(closed, Market(), mark, 9)
    sums = with_trading(sums, mark, after)

    assert sums.profit_cents == cents(closed.cash_usd) - first.worth_cents
    parts = [sums.delta_cents, sums.gamma_cents, sums.theta_cents, sums.vega_cents]
    assert sum(parts) + sums.trading_cents + sums.residual_cents == sums.profit_cents


def test_a_leg_nobody_can_price_keeps_its_mark_and_says_so():
    market = Market(doubted={(1, 490, "P")})
    seen = marked(sold(Market()), Market())

    blind = marked(sold(market), market, seen, 1)
    never = marked(sold(market), market)

    assert blind.worth_cents == seen.worth_cents
    assert not is_known(blind)
    assert never.worth_cents == -200  # what it was opened for, less its commission
    assert not with_interval(DaySums(day=DAY), between(seen, blind)).complete


def test_a_dense_day_is_explained_but_for_little():
    before = after = Market()
    one, sums = sold(before), DaySums(day=DAY)
    mark = marked(one, before)
    for step in range(1, 13):
        now = UnixNs(NOW + step * NS_PER_HOUR // 4)
        after = Market(spot=500.0 - step / 4.0, iv=0.20 + step / 2000.0, now=now)
        later = mark_of(one, after.sight(one), before=mark, now=now)
        sums, mark = with_interval(sums, between(mark, later)), later

    assert abs(sums.profit_cents) > 1000
    assert abs(sums.residual_cents) < 0.03 * abs(sums.profit_cents)
    assert sums.complete
    assert math.isfinite(mark.legs[0].spot_usd)
    assert Decimal(sums.profit_cents) == sum(
        (
            Decimal(each)
            for each in (
                sums.delta_cents,
                sums.gamma_cents,
                sums.theta_cents,
                sums.vega_cents,
                sums.residual_cents,
            )
        ),
        Decimal(0),
    )
