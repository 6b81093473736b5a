"""The book in short: the sum of what is held, unknown as soon as a part of it is."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.books.accounts import T0
from thetawarden.domain.books.holding import Holding
from thetawarden.domain.books.rows import Mark, position_rows
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.strategy.portfolio import portfolio_of

GREEKS = ("delta_per_share", "gamma_per_usd", "vega_usd_per_vol_point", "theta_usd_per_day")
SUMS = (
    "delta_shares",
    "gamma_shares_per_usd",
    "vega_usd_per_vol_point",
    "theta_usd_per_day",
)


def rows_of(quantities, marks):
    """Positions of options with these marks, None for one that was never marked."""
    holdings = {
        str(n): Holding(
            account="DU1",
            instrument=Instrument(
                conid=n, kind=InstrumentKind.OPTION, symbol="SPY", multiplier=100
            ),
            quantity=Decimal(quantity),
        )
        for n, quantity in enumerate(quantities)
    }
    known = {n: mark for n, mark in enumerate(marks) if mark is not None}
    return position_rows(holdings, broker={}, starts={}, marks=known)


def mark_of(greeks):
    mark = Mark(mark_usd=Decimal(1), at_ns=T0)
    return msgspec.structs.replace(mark, **dict(zip(GREEKS, greeks, strict=True)))


held = st.lists(
    st.tuples(
        st.integers(-50, 50).filter(bool),
        st.tuples(*[st.floats(-100, 100, allow_nan=False) for _ in GREEKS]),
    ),
    min_size=1,
    max_size=8,
)


@given(held)
def test_every_greek_of_the_book_is_the_sum_over_all_shares_held(positions):
    rows = rows_of([q for q, _ in positions], [mark_of(greeks) for _, greeks in positions])

    book = portfolio_of(rows, (), at_ns=T0, reconciled=True)

    for place, name in enumerate(SUMS):
        whole = sum(q * 100 * greeks[place] for q, greeks in positions)
        assert abs(getattr(book, name) - whole) <= 1e-6


@given(held)
def test_one_position_that_was_never_marked_makes_the_whole_unknown(positions):
    marks = [mark_of(greeks) for _, greeks in positions]
    rows = rows_of([q for q, _ in positions], [None, *marks[1:]])

    book = portfolio_of(rows, (), at_ns=T0, reconciled=True)

    assert [getattr(book, name) for name in SUMS] == [None] * len(SUMS)


def test_shares_move_with_themselves_alone():
    stock = Instrument(conid=1, kind=InstrumentKind.STOCK, symbol="SPY")
    holding = Holding(account="DU1", instrument=stock, quantity=Decimal(300))
    rows = position_rows({"1": holding}, broker={}, starts={}, marks={})

    book = portfolio_of(rows, (), at_ns=T0, reconciled=True)

    assert [getattr(book, name) for name in SUMS] == [300.0, 0.0, 0.0, 0.0]
