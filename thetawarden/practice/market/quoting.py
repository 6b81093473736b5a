"""Decides what stands on both sides of fair value: prices, sizes, and when there is no bid at all.

Bids lie at or below fair value and asks at or above it, so no free lunch can be bought however
values are rounded. Half-spreads grow with vega, with how deep an option is in the money, with
volatility, and right after the open; far from the money a bid falls to zero.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import OptionClass, UnderlyingKind
from thetawarden.domain.market.ticks import Rounding, TickRule, round_prices
from thetawarden.practice.market.noise import uniforms

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

_SIZE_SALT = 31
_VEGA_POINTS = {UnderlyingKind.INDEX: 0.05, UnderlyingKind.ETF: 0.05, UnderlyingKind.STOCK: 0.22}
_DEPTH_FRACTION = {
    UnderlyingKind.INDEX: 8e-5,
    UnderlyingKind.ETF: 1.2e-4,
    UnderlyingKind.STOCK: 4e-4,
}
_OPENING_EXTRA, _OPENING_MINUTES = 3.0, 8.0
_NIGHT_FACTOR = 2.5
_SIZE_REFRESH_NS = 1_000_000_000


class Sides(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Two-sided markets; a bid of zero has size zero."""

    bid: Floats
    ask: Floats
    bid_size: NDArray[np.int64]
    ask_size: NDArray[np.int64]


def haste(*, minutes_open: Floats | float, by_day: bool, vix_level: Floats | float) -> Floats:
    """Return by how much spreads are wider than on a quiet afternoon."""
    opening = 1.0 + _OPENING_EXTRA * np.exp(-np.maximum(minutes_open, 0.0) / _OPENING_MINUTES)
    nervous: Floats = np.maximum(vix_level / 17.0, 0.7) ** 0.8
    return nervous * (opening if by_day else _NIGHT_FACTOR)


def quote_options(
    *,
    terms: OptionClass,
    value: Floats,
    spot: Floats | float,
    delta: Floats,
    vega: Floats,
    factor: Floats | float,
    codes: Codes,
    now_ns: int,
    seed: int,
) -> Sides:
    """Return the market of every option of a class; `vega` is per volatility point."""
    bid, ask = option_sides(
        terms=terms, value=value, spot=spot, delta=delta, vega=vega, factor=factor
    )
    kind = terms.underlying_kind
    typical = {UnderlyingKind.INDEX: 30.0, UnderlyingKind.ETF: 180.0, UnderlyingKind.STOCK: 45.0}[
        kind
    ]
    scale = typical * (0.25 + 1.5 * np.abs(delta) * (1.0 - np.abs(delta)) * 4.0) / np.sqrt(factor)
    sizes = [_sizes(codes, scale, now_ns=now_ns, seed=seed, side=side) for side in (0, 1)]
    return Sides(bid=bid, ask=ask, bid_size=np.where(bid > 0.0, sizes[0], 0), ask_size=sizes[1])


def option_sides(
    *,
    terms: OptionClass,
    value: Floats,
    spot: Floats | float,
    delta: Floats,
    vega: Floats,
    factor: Floats | float,
) -> tuple[Floats, Floats]:
    """Return bids and asks alone."""
    kind = terms.underlying_kind
    tick = float(terms.ticks.bands[0].step)
    half = (
        _VEGA_POINTS[kind] * vega
        + _DEPTH_FRACTION[kind] * spot * np.abs(delta) ** 2
        + 0.3 * tick
        + 0.004 * np.minimum(value, 40.0 * tick)
    ) * factor
    half = np.minimum(half, 0.45 * value + 2.0 * tick)
    bid = round_prices(
        prices=np.maximum(value - half, 0.0), rule=terms.ticks, rounding=Rounding.DOWN
    )
    ask = round_prices(prices=value + half, rule=terms.ticks, rounding=Rounding.UP)
    return bid, np.maximum(ask, bid + tick)


def quote_price(
    *, value: float, rule: TickRule, half_fraction: float, factor: float
) -> tuple[float, float]:
    """Return bid and ask of a share or a future around its fair value."""
    half = value * half_fraction * factor
    around = np.array([value - half, value + half])
    bid = round_prices(prices=around[:1], rule=rule, rounding=Rounding.DOWN)[0]
    ask = round_prices(prices=around[1:], rule=rule, rounding=Rounding.UP)[0]
    if ask <= bid:
        ask = bid + float(rule.bands[-1].step)
    return float(bid), float(ask)


def _sizes(codes: Codes, scale: Floats, *, now_ns: int, seed: int, side: int) -> NDArray[np.int64]:
    """Sizes that change about every second, each contract at its own moment."""
    phase = (codes * 7919) % _SIZE_REFRESH_NS
    moment = (now_ns + phase) // _SIZE_REFRESH_NS
    u = uniforms(codes * 2 + side + moment * 1_000_003, seed=seed, salt=_SIZE_SALT)
    return np.maximum(np.rint(scale * -np.log(u)), 1.0).astype(np.int64)
