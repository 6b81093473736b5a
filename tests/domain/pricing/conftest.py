from pathlib import Path

import mpmath
import numpy as np
import pytest

mpmath.mp.dps = 50
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real market data that may lie beside the checkout."""
    for candidate in (ROOT / "../shared/data", ROOT / "../../shared/data"):
        if candidate.is_dir():
            return candidate.resolve()
    pytest.skip("the shared market data does not lie beside this checkout")


def _tails(x, s):
    x, s = mpmath.mpf(float(x)), mpmath.mpf(float(s))
    return x, mpmath.ncdf(x / s + s / 2), mpmath.ncdf(x / s - s / 2)


@pytest.fixture(scope="session")
def exact_normalised_black():
    """b(x, s) in fifty digits."""

    def price(x, s):
        x, upper, lower = _tails(x, s)
        return mpmath.exp(x / 2) * upper - mpmath.exp(-x / 2) * lower

    return price


@pytest.fixture(scope="session")
def exact_out_of_the_money_prices():
    """Undiscounted prices of out-of-the-money options, rounded once from fifty digits."""

    def prices(forward, strike, deviation):
        out = np.empty(forward.size)
        for i, row in enumerate(zip(forward, strike, deviation, strict=True)):
            f, k, s = (mpmath.mpf(float(number)) for number in row)
            h = mpmath.log(f / k) / s
            sign = 1 if f <= k else -1
            upper, lower = mpmath.ncdf(sign * (h + s / 2)), mpmath.ncdf(sign * (h - s / 2))
            out[i] = float(sign * (f * upper - k * lower))
        return out

    return prices
