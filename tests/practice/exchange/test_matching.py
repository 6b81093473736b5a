"""What one look at the market gives an order, whatever the market and the luck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.exchange.draws import Purpose, draw
from thetawarden.practice.exchange.matching import Luck, Wish, fill_rate_per_s, match
from thetawarden.practice.exchange.touch import Touch, mirrored

UNIT = st.floats(0.0, 1.0, exclude_max=True)
LUCK = st.builds(Luck, fill=UNIT, size=UNIT, improvement=UNIT)
CENTS = st.integers(1, 2_000)
NEUTRAL = Luck(fill=0.999, size=0.5, improvement=0.999)


@st.composite
def touches(draw_from):
    bid = draw_from(CENTS)
    spread = draw_from(st.integers(1, 60))
    return Touch(
        bid=bid / 100,
        ask=(bid + spread) / 100,
        bid_size=draw_from(st.integers(1, 80)),
        ask_size=draw_from(st.integers(1, 80)),
    )


WISHES = st.builds(
    Wish,
    quantity=st.integers(1, 200),
    limit=st.one_of(st.none(), CENTS.map(lambda cents: cents / 100)),
    rested=st.booleans(),
    all_or_nothing=st.booleans(),
    step=st.just(0.01),
)


@given(wish=WISHES, touch=touches(), taken=st.integers(0, 100), luck=LUCK)
def test_nothing_fills_beyond_its_size_or_worse_than_its_limit(wish, touch, taken, luck):
    found = match(wish=wish, touch=touch, taken=taken, elapsed_s=1.0, luck=luck)

    filled = sum(one.quantity for one in found)
    assert filled <= wish.quantity
    assert all(one.quantity > 0 for one in found)
    if wish.limit is not None:
        assert all(one.price <= wish.limit + 1e-9 for one in found)
    if wish.all_or_nothing:
        assert filled in (0, wish.quantity)


@given(wish=WISHES, touch=touches(), luck=LUCK)
def test_nobody_pays_less_than_the_bid(wish, touch, luck):
    found = match(wish=wish, touch=touch, taken=0, elapsed_s=1.0, luck=luck)

    resting_at_its_own = wish.limit if wish.rested and wish.limit is not None else touch.bid
    assert all(one.price >= min(touch.bid, resting_at_its_own) - 1e-9 for one in found)


@given(touch=touches())
def test_the_mirror_of_the_mirror_is_the_market(touch):
    assert mirrored(mirrored(touch)) == touch


@given(
    bid=CENTS,
    spread=st.integers(4, 60),
    positions=st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)),
)
def test_the_more_an_order_offers_the_sooner_it_is_met(bid, spread, positions):
    low, high = sorted(positions)

    def rate(position):
        limit = (bid + spread * position) / 100
        return fill_rate_per_s(limit=limit, bid=bid / 100, ask=(bid + spread) / 100, bid_size=10)

    assert rate(low) <= rate(high)


def test_a_longer_queue_at_the_bid_waits_longer():
    short, long = (fill_rate_per_s(limit=1.0, bid=1.0, ask=1.1, bid_size=size) for size in (5, 500))

    assert long < short


def test_a_big_order_sweeps_level_by_level():
    touch = Touch(bid=9.99, ask=10.0, bid_size=10, ask_size=10)
    wish = Wish(quantity=25, limit=10.01, rested=False, step=0.01)

    found = match(wish=wish, touch=touch, taken=0, elapsed_s=1.0, luck=NEUTRAL)

    assert [(one.quantity, one.price) for one in found] == [(10, 10.0), (10, 10.01)]


def test_a_wide_market_sometimes_improves_by_a_step():
    touch = Touch(bid=9.90, ask=10.0, bid_size=10, ask_size=10)
    wish = Wish(quantity=1, limit=10.0, rested=False, step=0.01)
    lucky = Luck(fill=0.5, size=0.5, improvement=0.1)

    (found,) = match(wish=wish, touch=touch, taken=0, elapsed_s=1.0, luck=lucky)

    assert found.price == pytest.approx(9.99)


def test_draws_are_even_and_independent_of_each_other():
    fills = [draw(1, Purpose.FILL, number, 5) for number in range(4_000)]
    sizes = [draw(1, Purpose.SIZE, number, 5) for number in range(4_000)]

    assert sum(fills) / len(fills) == pytest.approx(0.5, abs=0.02)
    both = sum(a * b for a, b in zip(fills, sizes, strict=True)) / len(fills)
    assert both == pytest.approx(0.25, abs=0.02)
    assert fills == [draw(1, Purpose.FILL, number, 5) for number in range(4_000)]
    assert fills != [draw(2, Purpose.FILL, number, 5) for number in range(4_000)]
