"""What a position's profit came from."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.portfolio.attribution import PositionSnapshot, added, attribute
from thetawarden.domain.pricing.black import bsm_greeks

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
CENTS = st.integers(-(10**12), 10**12)
DAY_NS = 86_400_000_000_000


@st.composite
def snapshots(draw, size=3):
    columns = {
        name: np.array(draw(st.lists(FLOATS, min_size=size, max_size=size)))
        for name in PositionSnapshot.__struct_fields__
        if name not in {"at_ns", "value_cents"}
    }
    return PositionSnapshot(
        at_ns=draw(st.integers(0, 2**62)),
        value_cents=np.array(draw(st.lists(CENTS, min_size=size, max_size=size))),
        **columns,
    )


@given(start=snapshots(), middle=snapshots(), end=snapshots(), flow=CENTS)
@settings(max_examples=300)
def test_the_parts_sum_to_the_profit_to_the_cent_whatever_the_inputs(start, middle, end, flow):
    first = attribute(start, middle, flow_cents=flow)

    whole = added(first, attribute(middle, end))

    for found in (first, whole):
        parts = (
            found.delta_cents
            + found.gamma_cents
            + found.theta_cents
            + found.vega_cents
            + found.residual_cents
        )
        assert (parts == found.profit_cents).all()
    assert (whole.profit_cents == end.value_cents - start.value_cents + flow).all()


def model_snapshot(*, day, spot, iv, contracts=-3000.0):
    greeks = bsm_greeks(
        spot=spot,
        strike=np.array([95.0, 105.0]),
        tau_years=(40 - day) / 365,
        iv_annual=iv,
        rate_annual=0.04,
        yield_annual=0.01,
        is_call=np.array([False, True]),
    )
    shares = contracts * 100
    return PositionSnapshot(
        at_ns=round(day * DAY_NS),
        value_cents=np.rint(greeks.price_usd * shares * 100).astype(np.int64),
        spot_usd=np.full(2, spot),
        iv_annual=np.full(2, iv),
        delta_shares=greeks.delta_per_share * shares,
        gamma_shares_per_usd=greeks.gamma_per_usd * shares,
        theta_usd_per_day=greeks.theta_usd_per_day * shares,
        vega_usd_per_vol_point=greeks.vega_usd_per_vol_point * shares,
    )


def path(steps):
    """Ten days of falling spot and rising volatility, seen ever more densely."""
    for t in np.linspace(0.0, 1.0, steps + 1):
        yield model_snapshot(day=10 * t, spot=100 - 4 * t + math.sin(6 * t), iv=0.2 + 0.05 * t)


def residual_of(steps):
    seen = list(path(steps))
    total = None
    for start, end in itertools.pairwise(seen):
        step = attribute(start, end)
        total = step if total is None else added(total, step)
    return np.abs(total.residual_cents / total.profit_cents).max()


def test_the_residual_shrinks_as_snapshots_become_dense():
    residuals = [residual_of(steps) for steps in (5, 50, 500)]

    assert residuals[0] > 3 * residuals[1] > 6 * residuals[2]
    assert residuals[2] < 0.005


def test_a_still_market_earns_theta_and_nothing_else():
    start = model_snapshot(day=0.0, spot=100.0, iv=0.2)
    end = model_snapshot(day=0.5, spot=100.0, iv=0.2)

    found = attribute(start, end)

    assert (found.delta_cents == 0).all()
    assert (found.gamma_cents == 0).all()
    assert (found.vega_cents == 0).all()
    assert found.theta_cents == pytest.approx(found.profit_cents, rel=0.02)


def test_a_greek_that_is_no_number_leaves_its_part_to_the_residual_and_is_marked():
    start = model_snapshot(day=0.0, spot=100.0, iv=0.2)
    gamma = start.gamma_shares_per_usd.copy()
    gamma[0] = math.nan
    start = msgspec.structs.replace(start, gamma_shares_per_usd=gamma)

    found = attribute(start, model_snapshot(day=1.0, spot=98.0, iv=0.21))

    assert found.incomplete.tolist() == [True, False]
    assert found.gamma_cents[0] == 0
    assert found.gamma_cents[1] != 0
