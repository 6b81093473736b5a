import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.quotes import QuoteLimits, judge_quotes, quoted_volatility
from thetawarden.domain.pricing.reasons import CODE_OF, NoVolatility, reason_of

LIMITS = QuoteLimits(quote_age_ns_max=5e9, spread_fraction_max=0.25, spread_usd_always_fine=0.10)
MARKET = {"forward": 100.0, "strike": 105.0, "discount": 0.99, "tau_years": 0.1, "is_call": True}
ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)


@pytest.fixture(scope="module")
def read_quotes(shared_data):
    """Every bid and ask of a chain file, calls then puts."""

    def read(name):
        with gzip.open(shared_data / "option_chains" / name, "rt") as lines:
            rows = [row for row in csv.reader(lines) if len(row) == 22 and row[4] != "Bid"]
        bid = np.array([float(row[4]) for row in rows] + [float(row[15]) for row in rows])
        ask = np.array([float(row[5]) for row in rows] + [float(row[16]) for row in rows])
        return bid, ask

    return read


@pytest.mark.parametrize(
    ("bid_usd", "ask_usd", "age_ns", "reason"),
    [
        (np.nan, 1.0, 0.0, NoVolatility.NOT_FINITE),
        (1.0, 1.1, np.nan, NoVolatility.NOT_FINITE),
        (-1.0, -1.0, 0.0, NoVolatility.NEGATIVE_QUOTE),
        (0.0, 0.0, 0.0, NoVolatility.ZERO_BID),
        (0.0, 0.05, 0.0, NoVolatility.ZERO_BID),
        (0.05, 0.0, 0.0, NoVolatility.ZERO_ASK),
        (1.1, 1.0, 0.0, NoVolatility.CROSSED),
        (1.0, 1.1, 6e9, NoVolatility.STALE),
        (1.0, 1.4, 0.0, NoVolatility.TOO_WIDE),
        (1.0, 1.0, 0.0, None),
        (0.05, 0.15, 5e9, None),
    ],
)
def test_a_quote_is_told_the_first_reason_not_to_use_it(bid_usd, ask_usd, age_ns, reason):
    code = judge_quotes(bid_usd=bid_usd, ask_usd=ask_usd, quote_age_ns=age_ns, limits=LIMITS)

    assert reason_of(int(code)) is reason


def test_a_sound_quote_gives_the_volatility_of_its_mid():
    fair = black_price(iv_annual=0.22, **MARKET)

    quoted = quoted_volatility(
        bid_usd=fair - 0.02, ask_usd=fair + 0.02, quote_age_ns=1e9, limits=LIMITS, **MARKET
    )

    assert quoted.reason_code == 0
    assert quoted.iv_annual == pytest.approx(0.22, rel=1e-10)
    assert quoted.mid_usd == pytest.approx(float(fair))


def test_a_sound_quote_at_an_impossible_price_is_told_the_price_reason():
    quoted = quoted_volatility(
        bid_usd=2.0, ask_usd=2.1, quote_age_ns=0.0, limits=LIMITS, **MARKET | {"strike": 90.0}
    )

    assert quoted.reason_code == CODE_OF[NoVolatility.BELOW_INTRINSIC]
    assert np.isnan(quoted.iv_annual)
    assert np.isnan(quoted.mid_usd)


@given(bid_usd=ANY_NUMBER, ask_usd=ANY_NUMBER, age_ns=ANY_NUMBER, forward=ANY_NUMBER)
def test_every_quote_gets_either_a_volatility_or_a_reason(bid_usd, ask_usd, age_ns, forward):
    quoted = quoted_volatility(
        bid_usd=bid_usd,
        ask_usd=ask_usd,
        quote_age_ns=age_ns,
        limits=LIMITS,
        **MARKET | {"forward": forward},
    )

    assert np.isfinite(quoted.iv_annual) == (quoted.reason_code == 0)


def test_a_chain_after_hours_gives_reasons_where_nothing_is_bid(read_quotes):
    bid, ask = read_quotes("spx_20221212.csv.gz")
    loose = QuoteLimits(quote_age_ns_max=1.0, spread_fraction_max=2.0, spread_usd_always_fine=0.0)

    codes = judge_quotes(bid_usd=bid, ask_usd=ask, quote_age_ns=0.0, limits=loose)

    assert bid.size > 10_000
    assert (codes[bid == 0.0] == CODE_OF[NoVolatility.ZERO_BID]).all()
    assert (codes[(bid > 0.0) & (ask >= bid)] == 0).all()
    assert (codes == 0).sum() < 0.05 * bid.size
