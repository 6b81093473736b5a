"""Quotes as rows: what is written is read, one by one and by column, unknown as unknown."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.quote import BrokerGreeks, DataType, Quote
from thetawarden.domain.broker.quote_rows import (
    DATA_TYPES,
    HALTED,
    ROW,
    quote_at,
    quote_rows,
    read_quotes,
    write_quotes,
)

PRICES = (
    *("bid_usd", "ask_usd", "bid_size", "ask_size", "last_usd", "close_usd", "volume"),
    "open_interest",
)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(0, 2**62)
GREEKS = st.builds(BrokerGreeks, **dict.fromkeys(BrokerGreeks.__struct_fields__, NUMBERS))
QUOTES = st.builds(
    Quote,
    conid=st.integers(1, 2**40),
    at_ns=WHOLE,
    two_sided_ns=WHOLE,
    data_type=st.sampled_from(DataType),
    halted=st.none() | st.booleans(),
    greeks=st.none() | GREEKS,
    updates=st.integers(0, 2**31 - 1),
    **dict.fromkeys(PRICES, NUMBERS),
)


@given(st.lists(QUOTES))
def test_quotes_come_back_as_they_were_written(quotes):
    written = write_quotes(quotes)

    assert read_quotes(written) == tuple(quotes)
    assert [quote_at(written, place) for place in range(len(quotes))] == quotes


@given(st.lists(QUOTES, min_size=1))
def test_columns_say_what_the_quotes_say_and_unknown_is_no_number(quotes):
    rows = quote_rows(write_quotes(quotes))

    for name in ("conid", "at_ns", "two_sided_ns", "updates"):
        assert rows[name].tolist() == [getattr(one, name) for one in quotes]
    for name in PRICES:
        found = [None if math.isnan(one) else one for one in rows[name].tolist()]
        assert found == [getattr(one, name) for one in quotes]
    greeks = [one.greeks or BrokerGreeks() for one in quotes]
    for name in BrokerGreeks.__struct_fields__:
        told = [getattr(one, name) for one in greeks]
        np.testing.assert_array_equal(
            rows[name], [math.nan if one is None else one for one in told]
        )
    assert [DATA_TYPES[code] for code in rows["data_type"]] == [one.data_type for one in quotes]
    assert rows["halted"].tolist() == [HALTED[one.halted] for one in quotes]


def test_what_logs_hold_stays_as_it_is():
    assert ROW.itemsize == 144
    assert [str(one) for one in DATA_TYPES] == ["live", "frozen", "delayed", "delayed_frozen"]
    assert ROW.names == (
        *("conid", "at_ns", "two_sided_ns", *PRICES, *BrokerGreeks.__struct_fields__),
        *("updates", "data_type", "halted", "has_greeks", "spare"),
    )
    assert BrokerGreeks.__struct_fields__[:2] == ("iv_annual", "delta_per_share")


def test_a_row_cut_short_is_an_error_and_not_fewer_quotes():
    written = write_quotes([Quote(conid=7, at_ns=1), Quote(conid=8, at_ns=1)])[:-1]

    with pytest.raises(ValueError, match="buffer size"):
        quote_rows(written)
    with pytest.raises(struct.error):
        read_quotes(written)
