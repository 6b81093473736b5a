"""What is not known speaks against a candidate, whichever number it is."""

import math

import pytest

from tests.domain.managing.market import Market
from tests.domain.strategy.scenes import terms_of
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.strategy.candidate import CandidateLeg
from thetawarden.domain.strategy.criteria import (
    judge_delta,
    judge_distance,
    judge_liquidity,
    judge_long,
    judge_premium,
)
from thetawarden.domain.strategy.strikes import DeltaBand
from thetawarden.domain.surface.liquidity import LiquidityScale

TERMS, SCALE = terms_of("index_puts"), LiquidityScale()
BAND = DeltaBand(target=0.065, low=0.055, high=0.075, step=0.005, floor=0.03, ceiling=0.1)


def leg(**changes):
    numbers = {
        "bid_usd": 1.0,
        "ask_usd": 1.05,
        "bid_size": 10.0,
        "ask_size": 10.0,
        "volume": 100.0,
        "open_interest": 1000.0,
        "liquidity": 1.0,
        "iv_annual": 0.2,
        "delta_per_share": -0.065,
        "gamma_per_usd": 0.0,
        "vega_usd_per_vol_point": 0.0,
        "theta_usd_per_day": 0.0,
    }
    instrument = Market().option(450)
    return CandidateLeg(instrument=instrument, ratio=1, quoted_ns=1, **(numbers | changes))


JUDGED = {
    "delta": lambda x: judge_delta("S1", leg(delta_per_share=x * -0.065), BAND),
    "spread": lambda x: judge_liquidity(leg(ask_usd=x * 1.05), SCALE),
    "interest": lambda x: judge_liquidity(leg(open_interest=x * 1000.0), SCALE),
    "long_leg": lambda x: judge_long(leg(ask_usd=x * 1.05), SCALE),
    "premium": lambda x: judge_premium("S1", x, TERMS, 500.0),
    "distance": lambda x: judge_distance("S1", x * 0.1, TERMS),
}


@pytest.mark.parametrize("name", sorted(JUDGED))
def test_what_passes_as_a_number_is_refused_when_it_is_none(name):
    assert JUDGED[name](1.0).verdict is Verdict.PASS
    assert JUDGED[name](math.nan).verdict is Verdict.REFUSE
