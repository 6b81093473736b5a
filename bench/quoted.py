"""European options with their prices, at a moment and over a walk of ticks.

Chains are random but fixed, listed-like: strikes within four deviations of the forward, a day to a
year, volatilities 8 to 80 %. A tick is half a minute: the spot moves by a standard deviation of
3 basis points, every volatility by 0.04 % of itself, and they do not come back.
"""

from __future__ import annotations

import functools

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.remembered import Memory, Remembered, remembered_volatility

CHAIN_SIZE = 10_000
WARM_MOVE = 4e-4  # one deviation of how far a volatility has moved since the last look, relative
FORWARD_MOVE = 3e-4  # the same of the spot, which all forwards follow
TICKS = 50
TICK_YEARS = 30.0 / (365.0 * 86400.0)


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """European options and what the loops need of them, prepared outside of any timing."""

    spot: FloatArray
    strike: FloatArray
    tau: FloatArray
    iv: FloatArray
    rate: float
    dividends: float
    is_call: BoolArray

    @property
    def forward(self) -> FloatArray:
        """The forward of each expiry."""
        return self.spot * np.exp((self.rate - self.dividends) * self.tau)

    @property
    def discount(self) -> FloatArray:
        """The discount factor of each expiry."""
        return np.exp(-self.rate * self.tau)


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """Prices and all that is needed to imply their volatilities."""

    price_usd: FloatArray
    forward: FloatArray
    strike: FloatArray
    discount: FloatArray
    tau_years: FloatArray
    is_call: BoolArray

    def implied(self, guess: FloatArray | None = None) -> FloatArray:
        """The volatilities, by ours."""
        return implied_volatility(**msgspec.structs.asdict(self), guess_annual=guess).iv_annual

    def remembered(self, memory: Memory | None) -> Remembered:
        """The volatilities, by ours that remembers."""
        return remembered_volatility(**msgspec.structs.asdict(self), memory=memory)


@functools.cache
def chain() -> Chain:
    rng = np.random.default_rng(404)
    tau = np.exp(rng.uniform(np.log(1.0 / 365.0), 0.0, CHAIN_SIZE))
    iv = rng.uniform(0.08, 0.8, CHAIN_SIZE)
    strike = 100.0 * np.exp(iv * np.sqrt(tau) * rng.uniform(-4.0, 4.0, CHAIN_SIZE))
    return Chain(
        spot=np.full(CHAIN_SIZE, 100.0),
        strike=strike,
        tau=tau,
        iv=iv,
        rate=0.04,
        dividends=0.015,
        is_call=rng.random(CHAIN_SIZE) < 0.5,
    )


@functools.cache
def quoted() -> Priced:
    """The chain's out-of-the-money side with its prices, as the desk asks for volatilities."""
    options = chain()
    return priced(options, options.strike >= options.forward)


def priced(options: Chain, is_call: BoolArray) -> Priced:
    """Some options at a moment."""
    price = black_price(
        forward=options.forward,
        strike=options.strike,
        discount=options.discount,
        tau_years=options.tau,
        iv_annual=options.iv,
        is_call=is_call,
    )
    return Priced(
        price_usd=price,
        forward=options.forward,
        strike=options.strike,
        discount=options.discount,
        tau_years=options.tau,
        is_call=is_call,
    )


@functools.cache
def walk() -> tuple[tuple[Priced, FloatArray], ...]:
    """The quoted options and their volatilities, at first and after each of the ticks."""
    rng = np.random.default_rng(407)
    options, is_call = chain(), quoted().is_call
    seen = [(priced(options, is_call), options.iv)]
    for _ in range(TICKS):
        options = msgspec.structs.replace(
            options,
            spot=options.spot * np.exp(FORWARD_MOVE * rng.standard_normal()),
            iv=options.iv * (1.0 + WARM_MOVE * rng.standard_normal(CHAIN_SIZE)),
            tau=options.tau - TICK_YEARS,
        )
        seen.append((priced(options, is_call), options.iv))
    return tuple(seen)


@functools.cache
def last_seen() -> FloatArray:
    rng = np.random.default_rng(405)
    return chain().iv * (1.0 + WARM_MOVE * rng.standard_normal(CHAIN_SIZE))
