"""Finds the shock to strikes after which the VIX is what a scenario says it is.

Pure. Strikes keep their volatilities when the spot moves, so that after a fall the money lies
where the smile was higher, and the VIX has risen by itself. This takes today's smile, moves the
spot as the scenario does, and solves for what must be added to every strike's volatility until
the 30-day strip of the index has gained the scenario's VIX points: no more is added than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from scipy.optimize import brentq

from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.surface.term import SurfaceGap, surface_at

if TYPE_CHECKING:
    from thetawarden.domain.portfolio.shock import Scenario
    from thetawarden.domain.pricing.arrays import FloatArray
    from thetawarden.domain.surface.smile import Smiles

_TAU_YEARS: Final = 30.0 / 365.0
_LOG_MONEYNESS: Final[FloatArray] = np.linspace(-1.5, 0.6, 701)
_WORTHLESS: Final = 1e-5  # of the forward: such options have no bid and no place in the VIX
_IV_MIN: Final = 0.01
_SHOCK_MAX: Final = 5.0


def consistent_scenario(
    scenario: Scenario, smiles: Smiles, *, vix_now: float
) -> Scenario | SurfaceGap:
    """The scenario with its VIX move written as points added to strikes (`vix_factor` is 1).

    `smiles` are the index's. A VIX below what volatilities near zero would give is met as
    nearly as can be.
    """
    today = surface_at(smiles, tau_years=_TAU_YEARS, log_moneyness=_LOG_MONEYNESS)
    if isinstance(today, SurfaceGap):
        return today
    iv, moved = today.iv_annual, 1.0 + scenario.index_return
    gain = (scenario.vix_points + vix_now * (scenario.vix_factor - 1.0)) / 100.0
    wanted = _strip_volatility(iv, forward=1.0) + gain

    def excess(shock: float) -> float:
        return _strip_volatility(iv + shock, forward=moved) - wanted

    lowest = _IV_MIN - float(iv.max())
    shock = lowest if excess(lowest) >= 0.0 else brentq(excess, lowest, _SHOCK_MAX, xtol=1e-6)
    return msgspec.structs.replace(scenario, vix_points=100.0 * float(shock), vix_factor=1.0)


def _strip_volatility(iv_annual: FloatArray, *, forward: float) -> float:
    """The VIX of a strip of strikes around a forward of 1 today, as a fraction."""
    strike = np.exp(_LOG_MONEYNESS)
    price = black_price(
        forward=forward,
        strike=strike,
        discount=1.0,
        tau_years=_TAU_YEARS,
        iv_annual=np.maximum(iv_annual, _IV_MIN),
        is_call=strike >= forward,
    )
    price[price < _WORTHLESS] = 0.0
    return float(np.sqrt(2.0 / _TAU_YEARS * np.sum(np.gradient(strike) / strike**2 * price)))
