"""What may be left at its quote, and what may not."""

import math

import msgspec
import numpy as np
import pytest

from tests.actors.governed import T0, option, view
from thetawarden.domain.chains.doubts import CODES, Doubt
from thetawarden.domain.chains.view import ROW_TYPES, read_rows


def rows_with(doubt, *, bid=0.95, ask=1.05, bid_size=1.0):
    told = view("XSP", [option()], now=T0).view
    places = list(ROW_TYPES)
    columns = list(told.columns)
    code = 0 if doubt is None else CODES[doubt]
    told_of = {"bid_usd": bid, "ask_usd": ask, "bid_size": bid_size, "doubt": code}
    for name, value in told_of.items():
        columns[places.index(name)] = np.array([value], dtype=ROW_TYPES[name]).tobytes()
    return read_rows(msgspec.structs.replace(told, columns=tuple(columns)))


@pytest.mark.parametrize(
    ("doubt", "bid", "ask", "leavable", "usable"),
    [
        (None, 0.95, 1.05, True, True),
        (Doubt.NO_FORWARD, 0.95, 1.05, True, False),
        (Doubt.NO_FORWARD, 1.05, 0.95, False, False),
        (Doubt.NO_FORWARD, 0.0, 1.05, False, False),
        (Doubt.ZERO_BID, 0.0, 0.10, True, False),
        (Doubt.ZERO_BID, 0.0, 0.50, False, False),
        *(
            (one, 0.95, 1.05, False, False)
            for one in Doubt
            if one is not Doubt.NO_FORWARD and one is not Doubt.ZERO_BID
        ),
    ],
)
def test_a_quote_is_left_at_where_only_the_model_is_missing_and_never_entered_on(
    doubt, bid, ask, leavable, usable
):
    rows = rows_with(doubt, bid=bid, ask=ask)

    assert bool(rows.leavable[0]) == leavable
    assert bool(rows.usable[0]) == usable


@pytest.mark.parametrize(
    ("bid", "ask", "bid_size", "leavable"),
    [
        (math.nan, 0.01, 0.0, True),
        (math.nan, 0.10, 0.0, True),
        (math.nan, 0.50, 0.0, False),  # not worthless: its bid may be on its way
        (math.nan, 0.01, math.nan, False),  # nobody has said that nobody bids
        (0.01, math.nan, 0.0, False),
        (math.nan, math.nan, 0.0, False),
    ],
)
def test_a_worthless_option_of_which_nobody_is_known_to_bid_has_a_bid_of_nothing(
    bid, ask, bid_size, leavable
):
    rows = rows_with(Doubt.ONE_SIDED, bid=bid, ask=ask, bid_size=bid_size)

    assert bool(rows.leavable[0]) == leavable
    assert not rows.usable[0]
    assert not leavable or rows.leaving_bid_usd[0] == 0.0
