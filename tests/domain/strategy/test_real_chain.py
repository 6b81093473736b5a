"""On a real SPX chain, strikes are those an independent calculation picks, expiry by expiry.

The reference knows the file and the formulas alone: its own forward from put-call parity, its own
Black-76, its own volatilities by bisection, and a plain loop over the puts of one expiry.
"""

import datetime as dt

import numpy as np
import pytest
from scipy.special import ndtr

from bench.chains import read_chain
from tests.domain.strategy.scenes import (
    regime,
    scene_of,
    settings,
    terms_of,
    view_of_file,
    with_series,
)
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.pricing.quotes import QuoteLimits
from thetawarden.domain.strategy.catalog import look
from thetawarden.domain.surface.analysis import AnalysisSettings, analyse_chain
from thetawarden.domain.surface.parity import RatePrior

CLOSE = dt.time(16)


@pytest.fixture(scope="module")
def file(shared_data):
    return read_chain(shared_data / "option_chains" / "spx_20230207.csv.gz")


@pytest.fixture(scope="module")
def view(file):
    limits = QuoteLimits(quote_age_ns_max=6e10, spread_fraction_max=0.5, spread_usd_always_fine=0.1)
    chosen = AnalysisSettings(limits=limits, rate_prior=RatePrior(rate_annual=0.047))
    return view_of_file(file, analyse_chain(file.quotes(at=CLOSE), settings=chosen))


def parity(file, rows):
    """Discount and forward of one expiry: C - P = D (F - K) over the pairs about the spot."""
    mids = (file.bid_usd + file.ask_usd) / 2
    calls = {file.strike_usd[r]: r for r in rows if file.is_call[r] and file.bid_usd[r] > 0}
    puts = {file.strike_usd[r]: r for r in rows if not file.is_call[r] and file.bid_usd[r] > 0}
    near = [k for k in calls if k in puts and abs(k / file.spot_usd - 1) < 0.05]
    if len(near) < 6:
        return None
    gaps = [mids[calls[k]] - mids[puts[k]] for k in near]
    wide = [file.ask_usd[puts[k]] - file.bid_usd[puts[k]] for k in near]
    slope, level = np.polyfit(near, gaps, 1, w=1 / np.maximum(wide, 0.05))
    return -slope, level / -slope


def deltas_of(file, number):
    """Delta by row of every put of an expiry that may be sold: volatilities by bisection."""
    rows = np.flatnonzero(file.expiry_index == number)
    found, tau = parity(file, rows), float(file.tau_years(at=CLOSE)[number])
    if found is None or tau <= 0:
        return {}
    discount, forward = found
    rows = np.array([row for row in rows if not file.is_call[row] and sellable(file, row)])
    if not len(rows):
        return {}
    strike, mid = file.strike_usd[rows], (file.bid_usd[rows] + file.ask_usd[rows]) / 2
    low, high = np.full(len(rows), 1e-4), np.full(len(rows), 8.0)
    for _ in range(60):
        iv = (low + high) / 2
        root = iv * np.sqrt(tau)
        d1 = np.log(forward / strike) / root + root / 2
        worth = discount * (strike * ndtr(root - d1) - forward * ndtr(-d1))
        low, high = np.where(worth < mid, iv, low), np.where(worth < mid, high, iv)
    spot_delta = discount * forward / file.spot_usd * ndtr(-d1)
    return dict(zip(rows.tolist(), spot_delta.tolist(), strict=True))


def sellable(file, row):
    bid, ask = file.bid_usd[row], file.ask_usd[row]
    mid = (bid + ask) / 2
    return (
        0 < bid < ask
        and (ask - bid) / mid <= 0.25
        and file.open_interest[row] >= 100
        and mid >= max(0.05, 0.00005 * file.spot_usd)
        and file.strike_usd[row] < file.spot_usd
    )


@pytest.fixture(scope="module")
def reference(file):
    return {number: deltas_of(file, number) for number in expected_expiries(file)}


def picked(deltas, target):
    """The two rows of an expiry next to the target, in the narrowest band that has any."""
    low, high = target - 0.01, target + 0.01
    while not any(low <= d <= high for d in deltas.values()):
        if low <= 0.03 and high >= 0.10:
            return None
        low, high = max(low - 0.005, 0.03), min(high + 0.005, 0.10)
    inside = {row: d for row, d in deltas.items() if low <= d <= high}
    return sorted(inside, key=lambda row: abs(inside[row] - target))[:2]


@pytest.mark.parametrize("percentile", [None, 0.9, 0.2])
def test_the_put_of_every_expiry_is_that_of_an_independent_calculation(
    file, view, reference, percentile
):
    gaps = {"percentile_gap": "short_history"} if percentile is None else {"percentile_gap": ""}
    seen = with_series(view, skew_percentile=percentile, smile_gap="", skew_gap="", **gaps)
    looked = answers(file, seen, "index_puts")
    target = 0.065 + (0.0 if percentile is None else (2 * percentile - 1) * 0.01)
    compared = 0
    for number, deltas in reference.items():
        found = picked(deltas, target)
        if found is None:
            continue
        best, *rest = found
        apart = abs(deltas[rest[0]] - target) - abs(deltas[best] - target) if rest else 1.0
        ours = looked[file.expiry_names[number]]
        if apart < 2e-4:  # mids and forwards do not tell the two apart
            assert ours.conids[0] - 1 in (best, rest[0])
        else:
            assert ours.conids == (best + 1,)
        assert abs(ours.legs[0].delta_per_share) == pytest.approx(
            deltas[ours.conids[0] - 1], abs=1e-3
        )
        compared += 1
    assert compared >= 25


def test_the_long_leg_of_every_spread_is_that_of_an_independent_calculation(file, view):
    looked = answers(file, view, "put_spreads")
    compared = 0
    for one in looked.values():
        short, long = (conid - 1 for conid in one.conids)
        strike = file.strike_usd[short]
        lower = [
            row
            for row in np.flatnonzero(file.expiry_index == file.expiry_index[short])
            if not file.is_call[row]
            and 0 < file.bid_usd[row] < file.ask_usd[row]
            and 50 <= strike - file.strike_usd[row] <= 100
        ]
        assert long == max(lower, key=lambda row: file.strike_usd[row])
        compared += 1
    assert compared >= 25


def expected_expiries(file):
    return [n for n, day in enumerate(file.expiry_dates) if 1 <= (day - file.quoted_on).days <= 400]


def answers(file, view, name):
    """Our candidates by expiry, of a market that changes no delta."""
    terms = terms_of(name, dte_min=1, dte_max=400)
    now = new_york_ns(file.quoted_on, CLOSE)
    calm = regime(now=now, price=4164.0, sma20=4100.0, sma50=4050.0, sma200=4000.0)
    scene = scene_of(view, now=now, regime=calm)
    assert scene.delta_scale == 1.0
    found = look(scene, settings(terms={name: terms}))
    return {f"{one.legs[0].instrument.trading_class} {one.expiry}": one for one in found.candidates}
