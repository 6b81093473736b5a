"""The real chains as read, and smiles of a law that is known exactly."""

import datetime as dt

import numpy as np
import pytest
from scipy.stats import norm

from bench.chains import read_chain
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.quotes import QuoteLimits
from thetawarden.domain.surface.analysis import AnalysisSettings, analyse_chain
from thetawarden.domain.surface.fit import SmilePoints
from thetawarden.domain.surface.parity import RatePrior


@pytest.fixture(scope="session")
def real_chain(shared_data):
    return read_chain(shared_data / "option_chains" / "spx_20230207.csv.gz")


@pytest.fixture(scope="session")
def dead_chain(shared_data):
    return read_chain(shared_data / "option_chains" / "spx_20221212.csv.gz")


class Mixture:
    """Calm and stormy lognormal days, the stormy ones lower on average: a skew without arbitrage.

    Prices, probabilities and so volatilities follow exactly; only the smile is unknown.
    """

    def __init__(self, generator, taus):
        self.taus = taus
        self.forward_usd = generator.uniform(50, 5000) * np.exp(0.03 * taus)
        self.discount = np.exp(-0.03 * taus)
        self.share = generator.uniform(0.1, 0.4)
        calm = generator.uniform(0.1, 0.3)
        self.deviation = np.array([[calm], [calm * generator.uniform(1.3, 2.2)]]) * np.sqrt(taus)
        low = np.exp(-generator.uniform(0.0, 0.8) * self.deviation[1])
        self.level = np.array([(1 - self.share * low) / (1 - self.share), low])
        self.shares = np.array([1 - self.share, self.share])

    @property
    def terms(self):
        return {
            "tau_years": self.taus,
            "forward_usd": self.forward_usd,
            "discount": self.discount,
        }

    def quoted_moneyness(self, count):
        return np.linspace(-4.0, 2.5, count) * self.deviation[0][:, None]

    def _d2(self, k, expiry):
        level, deviation = self.level[..., expiry], self.deviation[..., expiry]
        for _ in range(np.ndim(k) - np.ndim(expiry) if np.ndim(expiry) == 0 else 1):
            level, deviation = level[..., None], deviation[..., None]
        return (np.log(level) - k) / deviation - deviation / 2, level, deviation

    def cumulative(self, k, expiry=None):
        d2, _, _ = self._d2(k, np.arange(len(self.taus)) if expiry is None else expiry)
        return np.tensordot(self.shares, norm.cdf(-d2), 1)

    def iv(self, k, expiry=None):
        rows = np.arange(len(self.taus)) if expiry is None else expiry
        d2, level, deviation = self._d2(k, rows)
        above = k >= 0
        sign = np.where(above, 1.0, -1.0)
        price = np.tensordot(
            self.shares,
            sign * (level * norm.cdf(sign * (d2 + deviation)) - np.exp(k) * norm.cdf(sign * d2)),
            1,
        )
        tau = self.taus[rows]
        return implied_volatility(
            price_usd=price,
            forward=1.0,
            strike=np.exp(k),
            discount=1.0,
            tau_years=tau[:, None] if expiry is None else tau,
            is_call=above,
        ).iv_annual

    def points(self, *, half_spread, noise=0.0, generator=None):
        k = self.quoted_moneyness(61)
        iv = self.iv(k)
        if noise:
            iv = iv + generator.normal(0.0, noise, iv.shape).clip(-3 * noise, 3 * noise)
        return SmilePoints(
            expiry=np.repeat(np.arange(len(self.taus)), 61),
            log_moneyness=k.ravel(),
            iv_annual=iv.ravel(),
            iv_error_annual=np.full(iv.size, half_spread),
        )


@pytest.fixture(scope="session")
def mixtures():
    return Mixture


@pytest.fixture(scope="session")
def analysis_settings():
    return AnalysisSettings(
        limits=QuoteLimits(
            quote_age_ns_max=60e9, spread_fraction_max=0.5, spread_usd_always_fine=0.1
        ),
        rate_prior=RatePrior(rate_annual=0.047),
    )


@pytest.fixture(scope="session")
def analysed(request, analysis_settings):
    """Analyse one of the chain fixtures, as quoted at the close."""

    def analyse(name):
        file = request.getfixturevalue(name)
        quotes = file.quotes(at=dt.time(16))
        return quotes, file, analyse_chain(quotes, settings=analysis_settings)

    return analyse


@pytest.fixture(scope="session")
def real_smiles(analysed):
    return analysed("real_chain")[2].fit.smiles
