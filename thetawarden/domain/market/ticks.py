"""Decides which prices may be quoted, and moves any other to one that may.

A rule is a ladder of bands: from this price on, in these steps. Prices are USD per share or index
points. A negative price (a combination that pays) follows the band of its size; up means towards
plus infinity, whatever the sign. What is not finite stays as it is and is on no tick.
"""

from __future__ import annotations

import enum
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.units import to_float

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ON_TICK_TOLERANCE_FRACTION = 1e-6
"""A float this close to a tick, in steps, is that tick: 0.1 + 0.2 is 0.3."""


class Rounding(enum.StrEnum):
    """Which quotable price is wanted: towards minus infinity, plus infinity, or the nearest."""

    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"


class TickBand(msgspec.Struct, frozen=True, kw_only=True):
    """From this absolute price upwards, prices come in these steps."""

    from_price: Decimal
    step: Decimal


class TickRule(msgspec.Struct, frozen=True, kw_only=True):
    """A ladder of bands from zero upwards, each starting on a tick of its neighbours."""

    bands: tuple[TickBand, ...]

    def __post_init__(self) -> None:
        edges = [band.from_price for band in self.bands]
        if not edges or edges[0] != 0 or edges != sorted(set(edges)):
            raise ValueError(f"tick bands must rise from 0, found {edges}")
        if any(not band.step > 0 for band in self.bands):
            raise ValueError("a tick step must be positive")
        for below, band in zip(self.bands, self.bands[1:], strict=False):
            if band.from_price % below.step or band.from_price % band.step:
                raise ValueError(f"the band edge {band.from_price} is not on its own ticks")


def tick_rule(*bands: tuple[str, str]) -> TickRule:
    """Return a rule written as pairs of (from price, step): `tick_rule(("0", "0.05"))`."""
    return TickRule(
        bands=tuple(TickBand(from_price=Decimal(edge), step=Decimal(step)) for edge, step in bands)
    )


def step_at(price: Decimal, rule: TickRule) -> Decimal:
    """Return the step from this price away from zero."""
    size = abs(price)
    return next(band.step for band in reversed(rule.bands) if size >= band.from_price)


def is_on_tick(price: Decimal, rule: TickRule) -> bool:
    """Whether the price may be quoted as it stands."""
    return price.is_finite() and price % step_at(price, rule) == 0


def round_price(*, price: Decimal, rule: TickRule, rounding: Rounding) -> Decimal:
    """Return the quotable price wanted; ties of the nearest go to the even multiple."""
    if not price.is_finite():
        return price
    step = step_at(price, rule)
    return (price / step).to_integral_value(_DECIMAL_MODES[rounding]) * step


def move_price(*, price: Decimal, rule: TickRule, ticks: int) -> Decimal:
    """Return the price so many ticks up (or, negative, down); off-tick starts count as one move."""
    rounding = Rounding.UP if ticks > 0 else Rounding.DOWN
    sign = 1 if ticks > 0 else -1
    for _ in range(abs(ticks)):
        edge = round_price(price=price, rule=rule, rounding=rounding)
        price = edge if edge != price else price + sign * _step_towards(price, rule, sign)
    return price


def round_prices(
    *, prices: NDArray[np.float64], rule: TickRule, rounding: Rounding
) -> NDArray[np.float64]:
    """Return `round_price` of every element; the results are the floats nearest to the ticks."""
    import numpy as np  # noqa: PLC0415  # every configuration loads this module, none rounds arrays

    edges = np.array([to_float(band.from_price) for band in rule.bands])
    steps = np.array([to_float(band.step) for band in rule.bands])
    step = steps[np.searchsorted(edges, np.abs(prices), side="right") - 1]
    multiple = np.asarray(prices, dtype=np.float64) / step
    nearest = np.rint(multiple)
    rounded = {Rounding.DOWN: np.floor, Rounding.UP: np.ceil, Rounding.NEAREST: np.rint}[rounding](
        multiple
    )
    with np.errstate(invalid="ignore"):
        on_tick = np.abs(multiple - nearest) <= ON_TICK_TOLERANCE_FRACTION
    on_ladder = np.where(on_tick, nearest, rounded) * step
    return np.asarray(np.round(on_ladder, _places(rule)), dtype=np.float64)


_DECIMAL_MODES = {
    Rounding.DOWN: ROUND_FLOOR,
    Rounding.UP: ROUND_CEILING,
    Rounding.NEAREST: ROUND_HALF_EVEN,
}


def _step_towards(price: Decimal, rule: TickRule, sign: int) -> Decimal:
    """The step next to the price on the side of `sign`; at a band's edge the sides differ."""
    if sign * price >= 0:
        return step_at(price, rule)
    size = abs(price)
    return next(
        band.step for band in reversed(rule.bands) if size > band.from_price or not band.from_price
    )


def _places(rule: TickRule) -> int:
    return max(-int(band.step.normalize().as_tuple().exponent) for band in rule.bands)
