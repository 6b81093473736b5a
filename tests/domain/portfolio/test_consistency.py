"""A consistent scenario's VIX is the VIX of the chain it leaves behind, by the published method."""

import numpy as np
import pytest

from thetawarden.domain.portfolio.book import KINDS, Book, PositionKind, Underlyings
from thetawarden.domain.portfolio.consistency import consistent_scenario
from thetawarden.domain.portfolio.scenario import ShockRules, shocked_inputs
from thetawarden.domain.portfolio.shock import STANDARD_SCENARIOS, Scenario
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.surface.fit import SmilePoints, fit_smiles
from thetawarden.domain.surface.smile import smile_iv
from thetawarden.domain.surface.term import SurfaceGap
from thetawarden.domain.surface.vix import Strip, strip_variance

TAU = 30 / 365
SPOT = 4000.0
STRIKES = np.arange(1000.0, 7000.0, 5.0)


@pytest.fixture(scope="module")
def smiles():
    """An index smile of 16 % at the money, eight tenths of a point per percent below it."""
    k = np.linspace(-0.35, 0.12, 60)
    points = SmilePoints(
        expiry=np.zeros(60, dtype=int),
        log_moneyness=k,
        iv_annual=0.16 - 0.8 * k + 0.4 * k**2 + 6.0 * np.maximum(k, 0.0) ** 2,
        iv_error_annual=np.full(60, 0.002),
    )
    return fit_smiles(
        points,
        tau_years=np.array([TAU]),
        forward_usd=np.array([SPOT]),
        discount=np.ones(1),
    ).smiles


def vix_of(spot, iv):
    call, put = (
        black_price(
            forward=spot,
            strike=STRIKES,
            discount=1.0,
            tau_years=TAU,
            iv_annual=iv,
            is_call=is_call,
        ).round(2)
        for is_call in (True, False)
    )
    found = strip_variance(
        Strip(
            strike_usd=STRIKES,
            call_bid_usd=call,
            call_ask_usd=call,
            put_bid_usd=put,
            put_ask_usd=put,
            rate_annual=0.0,
            tau_years=TAU,
        )
    )
    return 100 * np.sqrt(found.variance_annual)


def vix_before_and_after(smiles, scenario):
    """Through the shocks a book of one option a strike would get."""
    size = len(STRIKES)
    book = Book(
        kind=np.full(size, KINDS.index(PositionKind.EUROPEAN), dtype=np.int8),
        underlying=np.zeros(size, dtype=int),
        contracts=np.ones(size),
        multiplier=np.full(size, 100.0),
        strike_usd=STRIKES,
        is_call=np.zeros(size, dtype=bool),
        tau_years=np.full(size, TAU),
        iv_annual=smile_iv(smiles, expiry=np.zeros(size, dtype=int), strike_usd=STRIKES),
        rate_annual=np.zeros(size),
        yield_annual=np.zeros(size),
    )
    index = Underlyings(
        spot_usd=np.array([SPOT]),
        beta=np.ones(1),
        iv_beta=np.ones(1),
        sector=np.zeros(1, dtype=int),
    )
    before = vix_of(SPOT, book.iv_annual)
    inputs = shocked_inputs(
        book,
        index,
        vix_now=before,
        scenarios=(scenario,),
        rules=ShockRules(iv_annual_min=0.01),
    )
    return before, vix_of(inputs.spot_usd[0, 0, 0], inputs.iv_annual[:, 0, 0])


@pytest.mark.parametrize(
    "scenario",
    [*STANDARD_SCENARIOS, Scenario(name="relief", index_return=0.05, vix_points=-4.0)],
    ids=lambda scenario: scenario.name,
)
def test_the_chain_left_behind_has_the_scenarios_vix(smiles, scenario):
    today, _ = vix_before_and_after(smiles, scenario)

    consistent = consistent_scenario(scenario, smiles, vix_now=today)

    before, after = vix_before_and_after(smiles, consistent)
    gain = scenario.vix_points + today * (scenario.vix_factor - 1.0)
    assert after - before == pytest.approx(gain, abs=0.05)


def test_a_fall_along_a_skewed_smile_needs_less_added_than_its_vix_gains(smiles):
    fall = Scenario(name="fall", index_return=-0.1, vix_points=20.0)

    before, after = vix_before_and_after(smiles, fall)
    consistent = consistent_scenario(fall, smiles, vix_now=before)

    assert after - before > 24.0
    assert 8.0 < consistent.vix_points < 16.0
    assert consistent.index_return == fall.index_return


def test_an_impossibly_low_vix_is_met_as_nearly_as_can_be(smiles):
    calm = Scenario(name="calm", vix_points=-500.0)

    consistent = consistent_scenario(calm, smiles, vix_now=18.0)

    assert -300.0 < consistent.vix_points < -15.0


def test_without_a_smile_there_is_no_consistent_scenario():
    none = np.empty(0)
    smiles = fit_smiles(
        SmilePoints(
            expiry=np.empty(0, dtype=int), log_moneyness=none, iv_annual=none, iv_error_annual=none
        ),
        tau_years=np.array([TAU]),
        forward_usd=np.array([SPOT]),
        discount=np.ones(1),
    ).smiles

    found = consistent_scenario(STANDARD_SCENARIOS[0], smiles, vix_now=18.0)

    assert found is SurfaceGap.NO_SMILE
