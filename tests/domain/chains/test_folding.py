"""Quotes that are taken in together leave what they would have left one after another."""

from unittest import mock

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.quote import BrokerGreeks, DataType, Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains import folding
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.chains.folding import NO_ROW, Arrival, fold_quotes
from thetawarden.domain.chains.packing import pack_columns
from thetawarden.domain.chains.table import blank_table, cut_link
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs

ROWS = 5
BEGUN = 1_800_000_000 * NS_PER_SECOND
LIMITS = DoubtLimits()
CALM = st.sampled_from([1.0, 1.05, 1.1])
WILD = st.none() | st.sampled_from([-1.0, 0.0, 0.05, 1.0, 1.05, 1.1, 3.0, 30.0])
CALM_SPOTS = st.sampled_from([500.0, 500.05])
WILD_SPOTS = st.sampled_from([float("nan"), 500.0, 500.5, 520.0])


@st.composite
def arrivals(draw):
    """Messages in their order, each with what it quotes: prices that stay, jump, cross or lack."""
    found, now = [], BEGUN
    maybe, spots = draw(
        st.sampled_from([(CALM, CALM_SPOTS), (WILD, CALM_SPOTS), (WILD, WILD_SPOTS)])
    )
    for _ in range(draw(st.integers(1, 12))):
        now += draw(st.sampled_from([0, 1, NS_PER_SECOND // 4, NS_PER_SECOND, 40 * NS_PER_SECOND]))
        quotes = {}
        for row in draw(st.lists(st.integers(0, ROWS - 1), min_size=1, unique=True)):
            said_ns = now - draw(st.sampled_from([0, 5, 2 * NS_PER_SECOND]))
            quotes[row] = Quote(
                conid=row,
                at_ns=UnixNs(now),
                two_sided_ns=UnixNs(draw(st.sampled_from([0, said_ns]))),
                data_type=draw(st.sampled_from(DataType)),
                bid_usd=draw(maybe),
                ask_usd=draw(maybe),
                bid_size=draw(maybe),
                volume=draw(maybe),
                halted=draw(st.none() | st.booleans()),
                greeks=draw(st.none() | st.builds(BrokerGreeks, iv_annual=maybe)),
            )
        spot = draw(spots)
        found.append(Arrival(now, spot, [*quotes], write_quotes(quotes.values())))
    return found


def table(deltas=(0.5, -0.5, 0.1, float("nan"), 0.9)):
    made = blank_table(
        conid=np.arange(ROWS),
        series=np.zeros(ROWS, dtype=np.int64),
        strike_usd=np.linspace(480.0, 520.0, ROWS),
        is_call=np.arange(ROWS) % 2 == 0,
        refresh_ns=np.full(ROWS, 15 * NS_PER_SECOND),
    )
    made.delta_per_share[:] = deltas
    made.gamma_per_usd[:] = 0.01
    cut_link(made)
    return made


@given(arrivals())
def test_quotes_taken_in_together_leave_what_they_leave_one_after_another(messages):
    together, apart = table(), table()

    fold_quotes(together, messages, cut_ns=BEGUN - 1, limits=LIMITS)
    for each in messages:
        fold_quotes(apart, [each], cut_ns=BEGUN - 1, limits=LIMITS)

    assert pack_columns(together) == pack_columns(apart)


@given(arrivals())
def test_what_does_not_jump_is_judged_as_if_it_were_taken_quote_by_quote(messages):
    quickly, slowly = table(), table()

    def all_of_them(_table, run, **_limits):
        return np.ones(run.row.size, dtype=np.bool_)

    fold_quotes(quickly, messages, cut_ns=BEGUN - 1, limits=LIMITS)
    with mock.patch.object(folding, "_take_quiet", all_of_them):
        fold_quotes(slowly, messages, cut_ns=BEGUN - 1, limits=LIMITS)

    assert pack_columns(quickly) == pack_columns(slowly)


@given(arrivals(), st.data())
def test_no_row_depends_on_what_is_quoted_of_another(messages, data):
    row = data.draw(st.integers(0, ROWS - 1))
    alone = [
        msgspec.structs.replace(one, rows=[at if at == row else NO_ROW for at in one.rows])
        for one in messages
    ]
    everything, only = table(), table()

    fold_quotes(everything, messages, cut_ns=BEGUN - 1, limits=LIMITS)
    fold_quotes(only, alone, cut_ns=BEGUN - 1, limits=LIMITS)

    for name in everything.__struct_fields__:
        whole, one = getattr(everything, name), getattr(only, name)
        np.testing.assert_array_equal(whole[row], one[row], err_msg=name)
