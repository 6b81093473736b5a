"""How likely a price finishes or passes somewhere."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from thetawarden.domain.surface.fit import SmilePoints, fit_smiles
from thetawarden.domain.surface.odds import (
    Legs,
    OddsGap,
    implied_moves,
    position_odds,
    probability_below,
    probability_of_touch,
)

TAUS = np.array([3, 10, 31, 92, 365]) / 365


def flat_smiles(iv, tau, forward=100.0):
    k = np.linspace(-4, 4, 41) * iv * math.sqrt(tau)
    points = SmilePoints(
        expiry=np.zeros(41, dtype=int),
        log_moneyness=k,
        iv_annual=np.full(41, iv),
        iv_error_annual=np.full(41, 1e-4),
    )
    return fit_smiles(
        points,
        tau_years=np.array([tau]),
        forward_usd=np.array([forward]),
        discount=np.array([1.0]),
    ).smiles


def legs_of(*legs, entry_usd=0.0, shares=0.0):
    strike, is_call, contracts = zip(*legs, strict=True) if legs else ((), (), ())
    return Legs(
        strike_usd=np.array(strike, dtype=float),
        is_call=np.array(is_call, dtype=bool),
        contracts=np.array(contracts, dtype=float),
        entry_usd=entry_usd,
        shares=shares,
    )


@given(seed=st.integers(0, 2**32 - 1), data=st.data())
@settings(max_examples=40)
def test_odds_of_any_position_are_those_of_the_laws_own_draws(mixtures, seed, data):
    generator = np.random.default_rng(seed)
    mixture = mixtures(generator, TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    forward, deviation = mixture.forward_usd[2], mixture.deviation[0, 2]
    legs = legs_of(
        *data.draw(
            st.lists(
                st.tuples(
                    st.integers(-8, 8).map(lambda n: forward * math.exp(n / 4 * deviation)),
                    st.booleans(),
                    st.sampled_from([-2.0, -1.0, 1.0, 2.0]),
                ),
                min_size=1,
                max_size=4,
            )
        ),
        entry_usd=data.draw(st.floats(-2, 2)) * forward * deviation,
    )
    levels = np.quantile(_draws(mixture, 2, generator), np.linspace(0.0005, 0.9995, 1000))
    worth = sum(
        n * np.maximum((levels - strike) if call else (strike - levels), 0.0)
        for strike, call, n in zip(legs.strike_usd, legs.is_call, legs.contracts, strict=True)
    )

    odds = position_odds(smiles, expiry=2, legs=legs)

    assert odds.profit_probability == pytest.approx(np.mean(worth + legs.entry_usd > 0.0), abs=0.03)
    one_option = 0.015 * forward * deviation
    assert odds.expected_usd == pytest.approx(
        np.mean(worth) + legs.entry_usd, abs=one_option * (1.0 + np.abs(legs.contracts).sum())
    )
    assert -odds.loss_usd_max <= np.min(worth) + legs.entry_usd + 1e-9 * forward
    assert odds.profit_usd_max >= np.max(worth) + legs.entry_usd - 1e-9 * forward


def _draws(mixture, expiry, generator):
    stormy = (generator.random(200_000) < mixture.share).astype(int)
    level, deviation = mixture.level[:, expiry][stormy], mixture.deviation[:, expiry][stormy]
    normal = generator.standard_normal(200_000)
    return mixture.forward_usd[expiry] * level * np.exp(deviation * normal - deviation**2 / 2)


def test_a_short_put_profits_above_its_breakeven_only(mixtures):
    mixture = mixtures(np.random.default_rng(2), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    strike = 0.97 * mixture.forward_usd[2]

    odds = position_odds(smiles, expiry=2, legs=legs_of((strike, False, -1.0), entry_usd=2.0))

    below = probability_below(smiles, expiry=np.array([2]), strike_usd=np.array([strike - 2.0]))
    assert odds.breakevens_usd == pytest.approx((strike - 2.0,))
    assert odds.profit_probability == pytest.approx(1.0 - below[0])
    assert odds.profit_usd_max == pytest.approx(2.0)
    assert odds.loss_usd_max == pytest.approx(strike - 2.0)


def test_an_iron_condor_loses_its_width_less_the_credit_at_most():
    legs = legs_of(
        (90.0, False, 1.0),
        (95.0, False, -1.0),
        (105.0, True, -1.0),
        (110.0, True, 1.0),
        entry_usd=1.5,
    )

    odds = position_odds(flat_smiles(0.2, 0.1), expiry=0, legs=legs)

    assert odds.breakevens_usd == pytest.approx((93.5, 106.5))
    assert (odds.profit_usd_max, odds.loss_usd_max) == pytest.approx((1.5, 3.5))


def test_a_naked_call_and_a_long_one_are_unbounded_each_in_its_way():
    smiles = flat_smiles(0.2, 0.1)

    short = position_odds(smiles, expiry=0, legs=legs_of((105.0, True, -1.0), entry_usd=1.0))
    long = position_odds(smiles, expiry=0, legs=legs_of((105.0, True, 1.0), entry_usd=-1.0))
    covered = position_odds(
        smiles, expiry=0, legs=legs_of((105.0, True, -1.0), entry_usd=1.0 - 100.0, shares=1.0)
    )

    assert short.loss_usd_max == math.inf
    assert long.profit_usd_max == math.inf
    assert (covered.profit_usd_max, covered.loss_usd_max) == pytest.approx((6.0, 99.0))
    assert short.profit_probability + long.profit_probability == pytest.approx(1.0)


@given(
    iv=st.floats(0.08, 0.6),
    drift=st.floats(-0.5, 0.5),
    distance=st.floats(-2.5, 2.5),
)
@settings(max_examples=30)
def test_on_a_flat_smile_a_touch_is_as_likely_as_in_simulated_paths(iv, drift, distance):
    tau, paths, steps = 0.25, 20_000, 40
    deviation = iv * math.sqrt(tau)
    spot, forward = 100.0, 100.0 * math.exp(drift * deviation)
    barrier = spot * math.exp(distance * deviation)
    generator = np.random.default_rng(0)
    step = deviation / math.sqrt(steps)
    moves = (
        drift * deviation / steps - step**2 / 2 + step * generator.standard_normal((paths, steps))
    )
    walk = np.concatenate([np.zeros((paths, 1)), np.cumsum(moves, axis=1)], axis=1)
    away = np.sign(distance or 1.0) * (distance * deviation - walk)
    alive = away > 0.0
    bridge = np.exp(-2.0 * away[:, :-1] * away[:, 1:] / step**2)
    untouched = np.where(alive[:, :-1] & alive[:, 1:], 1.0 - bridge, 0.0).prod(axis=1)

    found = probability_of_touch(
        flat_smiles(iv, tau, forward),
        expiry=np.array([0]),
        barrier_usd=np.array([barrier]),
        spot_usd=spot,
    )

    assert found[0] == pytest.approx(1.0 - untouched.mean(), abs=0.02)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_touching_is_never_rarer_than_finishing_beyond(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    spot = mixture.forward_usd[0]
    rows = np.arange(len(TAUS))[:, None]
    barriers = spot * np.exp(np.linspace(-4, 4, 33) * mixture.deviation[0][:, None])

    touch = probability_of_touch(smiles, expiry=rows, barrier_usd=barriers, spot_usd=spot)

    below = probability_below(smiles, expiry=rows, strike_usd=barriers)
    beyond = np.where(barriers < spot, below, 1.0 - below)
    assert np.all((touch >= beyond) & (touch <= 1.0))


def test_the_implied_move_is_the_deviation_and_the_straddle():
    deviation = 0.2 * math.sqrt(0.1)

    moves = implied_moves(flat_smiles(0.2, 0.1))

    assert moves.deviation_fraction[0] == pytest.approx(deviation, rel=1e-6)
    assert moves.straddle_fraction[0] == pytest.approx(
        2 * (2 * norm.cdf(deviation / 2) - 1), rel=1e-6
    )


def test_what_has_no_odds_says_why():
    smiles = flat_smiles(0.2, 0.1)
    dead = fit_smiles(
        SmilePoints(
            expiry=np.empty(0, dtype=int),
            log_moneyness=np.empty(0),
            iv_annual=np.empty(0),
            iv_error_annual=np.empty(0),
        ),
        tau_years=np.array([0.1]),
        forward_usd=np.array([100.0]),
        discount=np.array([1.0]),
    ).smiles
    put = (95.0, False, -1.0)

    assert position_odds(dead, expiry=0, legs=legs_of(put)) is OddsGap.NO_SMILE
    assert position_odds(smiles, expiry=0, legs=legs_of()) is OddsGap.NO_LEGS
    assert (
        position_odds(smiles, expiry=0, legs=legs_of(put, entry_usd=math.nan)) is OddsGap.NOT_FINITE
    )
