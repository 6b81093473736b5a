"""Which quotes may be used, and what is said about the others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.surface.quotes import QuoteFault, QuoteLimits, judge_quotes

LIMITS = QuoteLimits(width_fraction_max=0.5, width_usd_max=0.1, age_ns_max=5_000_000_000)
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


def judge(bid, ask, age_ns=0):
    verdicts = judge_quotes(
        bid_usd=np.array([bid]), ask_usd=np.array([ask]), limits=LIMITS, age_ns=age_ns
    )
    return verdicts.fault_at(0)


@given(bid=ANY_FLOAT, ask=ANY_FLOAT, age_ns=st.integers(0, 10**12))
def test_a_usable_quote_is_two_sided_finite_narrow_and_fresh(bid, ask, age_ns):
    with np.errstate(over="ignore"):
        fault = judge(bid, ask, age_ns)

    if fault is None:
        assert 0.0 < bid <= ask < math.inf
        assert ask - bid <= 0.1 or ask - bid <= 0.5 * (bid + ask) / 2
        assert age_ns <= 5_000_000_000
    else:
        assert isinstance(fault, QuoteFault)


@pytest.mark.parametrize(
    ("bid", "ask", "age_s", "fault"),
    [
        (1.00, 1.05, 0, None),
        (1.00, 1.00, 0, None),
        (0.05, 0.15, 0, None),
        (math.nan, 1.05, 0, QuoteFault.NOT_FINITE),
        (1.00, math.inf, 0, QuoteFault.NOT_FINITE),
        (-1.0, -1.0, 0, QuoteFault.MISSING),
        (-1.0, 1.05, 0, QuoteFault.MISSING),
        (-0.5, 1.05, 0, QuoteFault.NEGATIVE),
        (0.0, 0.0, 0, QuoteFault.EMPTY),
        (0.0, 0.05, 0, QuoteFault.ZERO_BID),
        (1.10, 1.05, 0, QuoteFault.CROSSED),
        (1.05, 0.0, 0, QuoteFault.CROSSED),
        (1.00, 2.00, 0, QuoteFault.TOO_WIDE),
        (1.00, 1.05, 6, QuoteFault.STALE),
    ],
)
def test_each_fault_has_its_name(bid, ask, age_s, fault):
    assert judge(bid, ask, age_s * 10**9) == fault


def test_the_dead_chain_is_nearly_all_empty(dead_chain):
    verdicts = judge_quotes(
        bid_usd=dead_chain.bid_usd, ask_usd=dead_chain.ask_usd, limits=QuoteLimits()
    )

    counts = verdicts.counts()

    assert counts[QuoteFault.EMPTY] > 18_000
    assert verdicts.usable.sum() + sum(counts.values()) == len(dead_chain.bid_usd)
