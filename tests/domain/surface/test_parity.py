"""Forwards and discounts from put-call parity."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.surface.parity import ForwardGap, RatePrior, StrikePairs, fit_forwards


def line(forward, discount, strikes, *, noise=None, error=0.5, expiry=0):
    strikes = np.asarray(strikes, dtype=float)
    return StrikePairs(
        expiry_index=np.full(len(strikes), expiry),
        strike_usd=strikes,
        call_minus_put_usd=discount * (forward - strikes)
        + (np.zeros(len(strikes)) if noise is None else noise),
        error_usd=np.full(len(strikes), error),
    )


def joined(*parts):
    columns = ("expiry_index", "strike_usd", "call_minus_put_usd", "error_usd")
    return StrikePairs(**{c: np.concatenate([getattr(p, c) for p in parts]) for c in columns})


@given(
    forward=st.floats(20, 6000),
    rate=st.floats(-0.05, 0.3),
    tau=st.floats(0.1, 5.0),
    strikes=st.integers(3, 60),
)
def test_exact_parity_is_recovered(forward, rate, tau, strikes):
    pairs = line(forward, math.exp(-rate * tau), forward * np.linspace(0.7, 1.4, strikes))

    found = fit_forwards(pairs, tau_years=np.array([tau]))

    assert found.gaps == (None,)
    assert found.forward_usd[0] == pytest.approx(forward, rel=1e-9)
    assert found.discount[0] == pytest.approx(math.exp(-rate * tau), rel=1e-9)
    assert found.fit_error_usd[0] == pytest.approx(0.0, abs=1e-6)


@given(seed=st.integers(0, 2**32 - 1), wrong=st.integers(1, 5))
def test_a_few_wild_quotes_hardly_move_the_forward(seed, wrong):
    generator = np.random.default_rng(seed)
    noise = generator.normal(0.0, 0.05, 41)
    noise[generator.choice(41, wrong, replace=False)] += generator.choice([-40.0, 40.0], wrong)
    pairs = line(4000.0, 0.99, np.linspace(3500, 4500, 41), noise=noise)

    found = fit_forwards(pairs, tau_years=np.array([0.25]))

    assert found.forward_usd[0] == pytest.approx(4000.0, abs=0.5)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_stated_error_covers_the_truth(seed):
    generator = np.random.default_rng(seed)
    noise = generator.normal(0.0, 0.1, 60)
    pairs = line(4000.0, 0.99, np.linspace(3000, 4600, 60), noise=noise)

    found = fit_forwards(pairs, tau_years=np.array([0.25]))

    assert abs(found.forward_usd[0] - 4000.0) < 8 * found.forward_error_usd[0]
    assert 0.05 < found.fit_error_usd[0] < 0.2


def test_a_forward_far_from_its_strikes_is_known_less_well():
    noise = np.random.default_rng(1).normal(0.0, 0.1, 41)
    around = line(4000, 0.99, np.linspace(3800, 4200, 41), noise=noise)
    above = line(4000, 0.99, np.linspace(4800, 5200, 41), noise=noise)

    near, far = (fit_forwards(p, tau_years=np.array([0.25])) for p in (around, above))

    assert far.forward_error_usd[0] > 5 * near.forward_error_usd[0]


def test_a_prior_rate_steadies_a_day_and_hardly_matters_over_a_year():
    generator = np.random.default_rng(7)
    day, year = 1 / 365, 1.0
    strikes = np.linspace(3500, 4500, 41)
    pairs = joined(
        line(4000, math.exp(-0.04 * day), strikes, noise=generator.normal(0, 0.1, 41)),
        line(4100, math.exp(-0.04 * year), strikes, noise=generator.normal(0, 0.1, 41), expiry=1),
    )
    tau = np.array([day, year])

    free = fit_forwards(pairs, tau_years=tau)
    steadied = fit_forwards(pairs, tau_years=tau, prior=RatePrior(rate_annual=0.045))

    rates = -np.log(steadied.discount) / tau
    assert abs(-math.log(free.discount[0]) / day - 0.04) > abs(rates[0] - 0.045)
    assert rates[0] == pytest.approx(0.045, abs=2e-3)
    assert rates[1] == pytest.approx(0.04, abs=5e-4)


def test_each_impossible_expiry_says_why():
    pairs = joined(
        line(4000, 0.99, [3900, 4000, 4100]),
        line(4000, 0.99, [3900, 4000, 4100], expiry=1),
        line(4000, 0.99, [3900, 4000], expiry=2),
        line(4000, -2.0, [3900, 4000, 4100], expiry=3),
    )

    found = fit_forwards(pairs, tau_years=np.array([0.2, -0.1, 0.2, 0.2]))

    assert found.gaps == (
        None,
        ForwardGap.EXPIRED,
        ForwardGap.TOO_FEW_PAIRS,
        ForwardGap.IMPLAUSIBLE,
    )
    assert np.isnan(found.forward_usd[1:]).all()
    assert found.pairs.tolist() == [3, 3, 2, 3]


def test_no_pairs_at_all_is_no_crash():
    found = fit_forwards(joined(line(1, 1, [])), tau_years=np.array([0.1, 0.2]))

    assert found.gaps == (ForwardGap.TOO_FEW_PAIRS,) * 2


def test_the_real_chain_lies_on_its_lines_within_half_a_quote(real_chain):
    half = len(real_chain.is_call) // 2
    bid, ask = real_chain.bid_usd, real_chain.ask_usd
    usable = (bid > 0) & (ask >= bid)
    both = usable[:half] & usable[half:]
    mid, spread = (bid + ask) / 2, ask - bid
    pairs = StrikePairs(
        expiry_index=real_chain.expiry_index[:half][both],
        strike_usd=real_chain.strike_usd[:half][both],
        call_minus_put_usd=(mid[:half] - mid[half:])[both],
        error_usd=(np.hypot(spread[:half], spread[half:]) / 2)[both],
    )
    tau = real_chain.tau_years(at=dt.time(16))

    found = fit_forwards(pairs, tau_years=tau, prior=RatePrior(rate_annual=0.047))

    rates = -np.log(found.discount) / tau
    month_to_year = (tau > 30 / 365) & (tau < 1.0)
    assert found.gaps[0] is ForwardGap.EXPIRED
    assert found.gaps[1:] == (None,) * (len(tau) - 1)
    assert np.all(np.abs(rates[month_to_year] - 0.048) < 0.004)
    assert np.all(np.diff(found.forward_usd[month_to_year]) > 0.0)
    assert np.nanmedian(found.fit_error_usd) < 0.15
