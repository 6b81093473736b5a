"""The index by the published method, against the published numbers."""

import csv
import datetime as dt
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from thetawarden.domain.surface.vix import (
    Strip,
    StripVariance,
    VixGap,
    bracketing_terms,
    strip_variance,
    volatility_index,
)

CLOSE = dt.time(16, 15)
BILL_YIELD = math.log(1.0459)  # 3-month bill, 2023-02-07, percent 4.59


def strip_of(chain, expiry, tau_years, rate_annual=BILL_YIELD):
    rows = chain.expiry_index == expiry
    calls, puts = rows & chain.is_call, rows & ~chain.is_call
    return Strip(
        strike_usd=chain.strike_usd[calls],
        call_bid_usd=chain.bid_usd[calls],
        call_ask_usd=chain.ask_usd[calls],
        put_bid_usd=chain.bid_usd[puts],
        put_ask_usd=chain.ask_usd[puts],
        rate_annual=rate_annual,
        tau_years=tau_years,
    )


def index_of(chain, admitted, target_days):
    tau = chain.tau_years(at=CLOSE)
    near, far = bracketing_terms(np.where(admitted, tau, np.nan), target_days=target_days)
    return volatility_index(
        near=strip_variance(strip_of(chain, near, tau[near])),
        far=strip_variance(strip_of(chain, far, tau[far])),
        target_days=target_days,
    )


def lognormal_strip(iv, tau, rate, *, forward=100.0, half_spread=0.0):
    strikes = forward * np.exp(np.linspace(-8, 8, 1201) * iv * math.sqrt(tau))
    d1 = np.log(forward / strikes) / (iv * math.sqrt(tau)) + iv * math.sqrt(tau) / 2
    d2 = d1 - iv * math.sqrt(tau)
    discount = math.exp(-rate * tau)
    call = discount * (forward * norm.cdf(d1) - strikes * norm.cdf(d2))
    put = discount * (strikes * norm.cdf(-d2) - forward * norm.cdf(-d1))
    return Strip(
        strike_usd=strikes,
        call_bid_usd=call - half_spread,
        call_ask_usd=call + half_spread,
        put_bid_usd=put - half_spread,
        put_ask_usd=put + half_spread,
        rate_annual=rate,
        tau_years=tau,
    )


@given(
    iv=st.floats(0.08, 0.9),
    tau=st.floats(3 / 365, 1.0),
    rate=st.floats(-0.02, 0.12),
)
def test_a_flat_smile_gives_back_its_volatility(iv, tau, rate):
    found = strip_variance(lognormal_strip(iv, tau, rate))

    assert math.sqrt(found.variance_annual) == pytest.approx(iv, rel=2e-3)
    assert found.forward_usd == pytest.approx(100.0, rel=1e-9)


@given(
    quotes=st.lists(
        st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 4), min_size=1, max_size=12
    ),
    tau=st.floats(allow_nan=True, allow_infinity=True),
)
def test_any_quotes_at_all_give_a_positive_variance_or_a_named_reason(quotes, tau):
    columns = np.array(quotes, dtype=float).T

    with np.errstate(all="ignore"):
        found = strip_variance(
            Strip(
                strike_usd=100.0 + 5.0 * np.arange(len(quotes)),
                call_bid_usd=columns[0],
                call_ask_usd=columns[1],
                put_bid_usd=columns[2],
                put_ask_usd=columns[3],
                rate_annual=0.03,
                tau_years=tau,
            )
        )

    assert isinstance(found, VixGap) or (
        found.variance_annual > 0.0 and math.isfinite(found.variance_annual)
    )


def test_the_white_papers_example_is_61_22(shared_data):
    path = shared_data / "option_chains" / "vix_whitepaper_2009" / "options.csv"
    with path.open() as lines:
        rows = [{name: float(x) for name, x in row.items()} for row in csv.DictReader(lines)]

    def term(days):
        mine = [row for row in rows if row["Days"] == days]
        column = {name: np.array([row[name] for row in mine]) for name in rows[0]}
        return strip_variance(
            Strip(
                strike_usd=column["Strike"],
                call_bid_usd=column["Call Bid"],
                call_ask_usd=column["Call Ask"],
                put_bid_usd=column["Put Bid"],
                put_ask_usd=column["Put Ask"],
                rate_annual=0.0038,
                tau_years=days / 365,
            )
        )

    index = volatility_index(near=term(9), far=term(37), target_days=30)

    assert round(index, 2) == 61.22


def test_the_official_close_of_the_vix_is_met_to_the_cent(real_chain):
    fridays = np.array([day.weekday() == 4 for day in real_chain.expiry_dates])

    assert round(index_of(real_chain, fridays, 30), 2) == 18.66


def test_the_official_close_of_the_three_month_index_is_met_to_the_cent(real_chain):
    everything = np.full(len(real_chain.expiry_dates), True)

    assert round(index_of(real_chain, everything, 93), 2) == 20.78


def test_the_official_close_of_the_nine_day_index_is_met_to_the_cent(real_chain):
    # Friday expiries; on a third Friday the standard, morning-settled options
    third = real_chain.expiry_names.index("SPXW 2023-02-17")
    fridays = np.array([day.weekday() == 4 for day in real_chain.expiry_dates])
    fridays[third] = False

    assert round(index_of(real_chain, fridays, 9), 2) == 19.62


def test_two_neighbouring_zero_bids_end_the_wing_and_a_single_one_does_not():
    whole = lognormal_strip(0.2, 30 / 365, 0.03)
    bids = whole.put_bid_usd.copy()
    pivot = np.searchsorted(whole.strike_usd, 100.0)
    bids[pivot - 100] = 0.0
    single = strip_variance(msgspec.structs.replace(whole, put_bid_usd=bids.copy()))
    bids[pivot - 101] = 0.0
    double = strip_variance(msgspec.structs.replace(whole, put_bid_usd=bids))

    full = strip_variance(whole)

    assert single.strikes_used == full.strikes_used - 1
    assert double.strikes_used <= full.strikes_used - 400


def test_a_chain_of_dead_quotes_names_the_reason(dead_chain):
    tau = dead_chain.tau_years(at=CLOSE)

    found = [
        strip_variance(strip_of(dead_chain, expiry, tau[expiry]))
        for expiry in range(len(dead_chain.expiry_dates))
    ]

    assert {VixGap.EXPIRED, VixGap.NO_FORWARD} <= {gap for gap in found if isinstance(gap, VixGap)}
    assert sum(isinstance(gap, StripVariance) for gap in found) <= 5


def test_a_target_outside_both_terms_is_refused():
    near, far = (strip_variance(lognormal_strip(0.2, tau, 0.0)) for tau in (0.05, 0.1))

    assert volatility_index(near=near, far=far, target_days=60) is VixGap.TARGET_NOT_BRACKETED
    assert bracketing_terms(np.array([0.05, 0.06]), target_days=30) is VixGap.TARGET_NOT_BRACKETED
