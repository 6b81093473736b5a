"""European prices and implied volatilities over chains, beside loops over QuantLib and vollib.

The options are those of `bench.quoted`. A warm start is measured over its walk of ticks, the
renewal of what is remembered included; the first look is not. The error of a cold implied
volatility is judged on out-of-the-money prices rounded once from fifty digits, from an hour to
three years before expiry.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import QuantLib
from vollib.black import implied_volatility as vollib_black

from bench.harness import Figure, Goal
from bench.quoted import CHAIN_SIZE, TICKS, Priced, chain, last_seen, quoted, walk
from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.pricing.black import bsm_greeks

if TYPE_CHECKING:
    from collections.abc import Callable


def best_rate(work: Callable[[], object], count: int, rounds: int) -> float:
    """Return options a second of the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return count / best


def european_greeks() -> float:
    options = chain()
    return best_rate(
        lambda: bsm_greeks(
            spot=options.spot,
            strike=options.strike,
            tau_years=options.tau,
            iv_annual=options.iv,
            rate_annual=options.rate,
            yield_annual=options.dividends,
            is_call=options.is_call,
        ),
        CHAIN_SIZE,
        rounds=20,
    )


def european_greeks_quantlib() -> float:
    options = chain()
    rows = list(
        zip(
            options.spot.tolist(),
            options.strike.tolist(),
            options.forward.tolist(),
            (options.iv * np.sqrt(options.tau)).tolist(),
            options.discount.tolist(),
            options.tau.tolist(),
            [right_of(is_call) for is_call in options.is_call],
            strict=True,
        )
    )

    def loop() -> None:
        for spot, strike, forward, deviation, discount, tau, right in rows:
            black = QuantLib.BlackCalculator(
                QuantLib.PlainVanillaPayoff(right, strike), forward, deviation, discount
            )
            black.value()
            black.delta(spot)
            black.gamma(spot)
            black.vega(tau)
            black.thetaPerDay(spot, tau)
            black.rho(tau)

    return best_rate(loop, CHAIN_SIZE, rounds=2)


def right_of(is_call: object) -> Any:
    return QuantLib.Option.Call if is_call else QuantLib.Option.Put


def implied_cold() -> float:
    return best_rate(quoted().implied, CHAIN_SIZE, rounds=20)


def implied_cold_ticks() -> float:
    ticks = [market for market, _ in walk()[1:]]
    return best_rate(lambda: [market.implied() for market in ticks], TICKS * CHAIN_SIZE, rounds=3)


def implied_warm() -> float:
    """Looks at every tick in turn with what the look before has left."""
    (first, _), *later = walk()
    best = float("inf")
    for _ in range(4):
        memory = first.remembered(None).memory
        started = time.perf_counter()
        for market, _ in later:
            memory = market.remembered(memory).memory
        best = min(best, time.perf_counter() - started)
    return TICKS * CHAIN_SIZE / best


def implied_warm_error() -> float:
    """Over the walk, where the price tells as much."""
    memory, worst = None, 0.0
    for market, wanted in walk():
        seen = market.remembered(memory)
        memory = seen.memory
        told = market.price_usd >= 1e-8
        worst = max(worst, float(np.max(np.abs(seen.iv_annual[told] / wanted[told] - 1.0))))
    return worst


def implied_first_look() -> float:
    return best_rate(lambda: quoted().remembered(None), CHAIN_SIZE, rounds=20)


def implied_guessed() -> float:
    market, guess = quoted(), last_seen()
    return best_rate(lambda: market.implied(guess), CHAIN_SIZE, rounds=20)


def implied_quantlib() -> float:
    """The faster of QuantLib's two, at its default accuracy of 1e-6, which ours exceeds."""
    market = quoted()
    rows = list(
        zip(
            [right_of(is_call) for is_call in market.is_call],
            market.strike.tolist(),
            market.forward.tolist(),
            market.price_usd.tolist(),
            market.discount.tolist(),
            strict=True,
        )
    )

    def loop() -> None:
        for right, strike, forward, price, discount in rows:
            QuantLib.blackFormulaImpliedStdDev(right, strike, forward, price, discount)

    return best_rate(loop, CHAIN_SIZE, rounds=3)


def implied_vollib() -> float:
    market = quoted()
    rows = list(
        zip(
            market.price_usd.tolist(),
            market.forward.tolist(),
            market.strike.tolist(),
            [chain().rate] * CHAIN_SIZE,
            market.tau_years.tolist(),
            ["c" if is_call else "p" for is_call in market.is_call],
            strict=True,
        )
    )

    def loop() -> None:
        for row in rows:
            vollib_black.implied_volatility(*row)

    return best_rate(loop, CHAIN_SIZE, rounds=1)


@functools.cache
def exact_prices() -> tuple[Priced, FloatArray]:
    """Out-of-the-money options down to an hour before expiry, priced in fifty digits."""
    rng = np.random.default_rng(406)
    tau = np.exp(rng.uniform(np.log(1.0 / 8760.0), np.log(3.0), CHAIN_SIZE))
    iv = np.exp(rng.uniform(np.log(0.03), np.log(2.0), CHAIN_SIZE))
    strike = 100.0 * np.exp(iv * np.sqrt(tau) * rng.uniform(-7.0, 7.0, CHAIN_SIZE))
    with mpmath.workdps(50):
        price = np.array(
            [_exact_price(*row) for row in zip(strike, iv * np.sqrt(tau), strict=True)]
        )
    told = price >= 1e-8
    count = int(told.sum())
    priced = Priced(
        price_usd=price[told],
        forward=np.full(count, 100.0),
        strike=strike[told],
        discount=np.ones(count),
        tau_years=tau[told],
        is_call=strike[told] >= 100.0,
    )
    return priced, iv[told]


def _exact_price(strike: float, deviation: float) -> float:
    s = mpmath.mpf(float(deviation))
    ratio = mpmath.log(100 / mpmath.mpf(float(strike))) / s
    sign = 1 if strike >= 100.0 else -1
    upper, lower = mpmath.ncdf(sign * (ratio + s / 2)), mpmath.ncdf(sign * (ratio - s / 2))
    return float(sign * (100 * upper - mpmath.mpf(float(strike)) * lower))


def implied_error() -> float:
    priced, wanted = exact_prices()
    return float(np.max(np.abs(priced.implied() / wanted - 1.0)))


FIGURES = (
    Figure(
        name="european price and Greeks, 10,000",
        unit="options/s",
        measure=european_greeks,
        reference="QuantLib BlackCalculator loop",
        measure_reference=european_greeks_quantlib,
        goals=(Goal(of="ratio", relation=">=", limit=80.0),),
    ),
    Figure(
        name="implied volatility cold, 10,000",
        unit="options/s",
        measure=implied_cold,
        reference="QuantLib blackFormulaImpliedStdDev loop",
        measure_reference=implied_quantlib,
        goals=(Goal(of="ratio", relation=">=", limit=4.0),),
    ),
    Figure(
        name="implied volatility cold, 10,000 (vollib)",
        unit="options/s",
        measure=implied_cold,
        reference="vollib.black.implied_volatility loop",
        measure_reference=implied_vollib,
        goals=(Goal(of="ratio", relation=">=", limit=50.0),),
        repetitions=3,
    ),
    Figure(
        name="implied volatility, largest relative error",
        unit="",
        measure=implied_error,
        goals=(Goal(of="value", relation="<=", limit=1e-12),),
        repetitions=1,
    ),
    Figure(
        name="implied volatility warm, 10,000, tick by tick",
        unit="options/s",
        measure=implied_warm,
        reference="our own cold, the same ticks",
        measure_reference=implied_cold_ticks,
        goals=(Goal(of="ratio", relation=">=", limit=3.0),),
    ),
    Figure(
        name="implied volatility warm, 10,000 (QuantLib)",
        unit="options/s",
        measure=implied_warm,
        reference="QuantLib blackFormulaImpliedStdDev loop",
        measure_reference=implied_quantlib,
        goals=(Goal(of="ratio", relation=">=", limit=12.0),),
    ),
    Figure(
        name="implied volatility warm, largest relative error",
        unit="",
        measure=implied_warm_error,
        goals=(Goal(of="value", relation="<=", limit=1e-12),),
        repetitions=1,
    ),
    Figure(
        name="implied volatility, the first look that remembers",
        unit="options/s",
        measure=implied_first_look,
        reference="our own cold",
        measure_reference=implied_cold,
        goals=(),
    ),
    Figure(
        name="implied volatility warm, from the last IV alone",
        unit="options/s",
        measure=implied_guessed,
        reference="our own cold",
        measure_reference=implied_cold,
        goals=(),
    ),
)
