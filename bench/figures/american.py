"""American prices beside a loop over QuantLib's engine of the same family.

A thousand random but fixed, listed-like options: a day to half a year, volatilities 5 to 40 %.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import QuantLib

from bench.figures.pricing import best_rate, right_of
from bench.harness import Figure, Goal
from thetawarden.domain.pricing.american import SWIFT, american_price
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.domain.pricing.boundary import Scheme

SIZE = 1_000
STRIKE = 100.0
TODAY = QuantLib.Date(2, 1, 2025)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """American options at a strike of 100; days to expiry are whole."""

    spot: FloatArray
    days: FloatArray
    iv: FloatArray
    rate: FloatArray
    dividends: FloatArray
    is_call: BoolArray

    def prices(self, scheme: Scheme = SWIFT) -> FloatArray:
        """The prices, by ours."""
        return american_price(
            spot=self.spot,
            strike=STRIKE,
            tau_years=self.days / 365.0,
            iv_annual=self.iv,
            rate_annual=self.rate,
            yield_annual=self.dividends,
            is_call=self.is_call,
            scheme=scheme,
        )


def random_options(
    *,
    size: int,
    seed: int,
    days: tuple[float, float] = (1.0, 182.0),
    iv: tuple[float, float] = (0.05, 0.40),
    rate_max: float = 0.08,
) -> Options:
    """Draw options around the money, a quarter of them without dividends."""
    rng = np.random.default_rng(seed)
    whole_days = np.rint(np.exp(rng.uniform(np.log(days[0]), np.log(days[1]), size)))
    vols = rng.uniform(*iv, size)
    width = vols * np.sqrt(whole_days / 365.0) * rng.uniform(-3.0, 3.0, size)
    dividends = rng.uniform(0.0, 0.75 * rate_max, size)
    return Options(
        spot=STRIKE * np.exp(np.clip(width, -1.5, 1.5)),
        days=whole_days,
        iv=vols,
        rate=rng.uniform(0.001, rate_max, size),
        dividends=np.where(rng.random(size) < 0.25, 0.0, dividends),
        is_call=rng.random(size) < 0.5,
    )


def quantlib_loop(options: Options, scheme: Any) -> Callable[[], list[float]]:
    """One process and engine for all, quotes set anew for each option: QuantLib's fastest way."""
    QuantLib.Settings.instance().evaluationDate = TODAY
    day_count = QuantLib.Actual365Fixed()
    quotes = [QuantLib.SimpleQuote(0.1) for _ in range(4)]
    spot, dividends, rate, iv = (QuantLib.QuoteHandle(quote) for quote in quotes)
    yields, rates = (
        QuantLib.YieldTermStructureHandle(QuantLib.FlatForward(TODAY, quote, day_count))
        for quote in (dividends, rate)
    )
    surface = QuantLib.BlackConstantVol(TODAY, QuantLib.NullCalendar(), iv, day_count)
    process = QuantLib.BlackScholesMertonProcess(
        spot, yields, rates, QuantLib.BlackVolTermStructureHandle(surface)
    )
    engine = QuantLib.QdFpAmericanEngine(process, scheme)
    numbers = np.stack([options.spot, options.dividends, options.rate, options.iv], axis=1)
    expiries = [TODAY + int(days) for days in options.days]
    rights = [right_of(is_call) for is_call in options.is_call]
    rows = list(zip(numbers.tolist(), expiries, rights, strict=True))

    def loop() -> list[float]:
        prices = []
        for values, expiry, right in rows:
            option = QuantLib.VanillaOption(
                QuantLib.PlainVanillaPayoff(right, STRIKE),
                QuantLib.AmericanExercise(TODAY, expiry),
            )
            for quote, value in zip(quotes, values, strict=True):
                quote.setValue(value)
            option.setPricingEngine(engine)
            prices.append(option.NPV())
        return prices

    return loop


@functools.cache
def listed() -> Options:
    return random_options(size=SIZE, seed=407)


@functools.cache
def exact() -> FloatArray:
    return np.array(quantlib_loop(listed(), QuantLib.QdFpAmericanEngine.highPrecisionScheme())())


def rate_ours() -> float:
    return best_rate(listed().prices, SIZE, rounds=10)


def rate_quantlib() -> float:
    loop = quantlib_loop(listed(), QuantLib.QdFpAmericanEngine.fastScheme())
    return best_rate(loop, SIZE, rounds=3)


def largest_error() -> float:
    return float(np.max(np.abs(listed().prices() - exact())))


FIGURES = (
    Figure(
        name="american price, 1,000",
        unit="options/s",
        measure=rate_ours,
        reference="QuantLib QdFp fast scheme loop",
        measure_reference=rate_quantlib,
        goals=(Goal(of="ratio", relation=">=", limit=8.0),),
    ),
    Figure(
        name="american price, largest error per 100 of strike",
        unit="USD",
        measure=largest_error,
        goals=(Goal(of="value", relation="<=", limit=1e-3),),
        repetitions=1,
    ),
)
