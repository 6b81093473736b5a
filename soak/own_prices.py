"""What an option is worth and what a shock does to it, worked out apart from the desk's own models.

European options by the textbook's formula, American ones on a tree of Leisen and Reimer. A shock
is what the specification of the scenarios says: an index return times beta moves the price, VIX
points reach a volatility by the root of 30 days over its tenor, twice at most, times `iv_beta`.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

Floats = NDArray[np.float64]

STEPS: Final = 101
VOL_MIN: Final = 0.03
DAY_YEARS: Final = 1.0 / 365.0


class Shock(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the world: the index moves, the VIX rises by points and by a factor."""

    name: str
    index: float = 0.0
    points: float = 0.0
    factor: float = 1.0
    days: float = 0.0


SCENARIOS: Final = (
    Shock(name="index -3 %, VIX +5", index=-0.03, points=5.0),
    Shock(name="index -5 %, VIX +10", index=-0.05, points=10.0),
    Shock(name="index -10 %, VIX +20", index=-0.10, points=20.0),
    Shock(name="index -20 %, VIX +40", index=-0.20, points=40.0),
    Shock(name="index flat, VIX doubles", factor=2.0),
    Shock(name="index flat, VIX +10", points=10.0),
)
MARGIN: Final = Shock(name="index -10 %, VIX doubles", index=-0.10, factor=2.0)
DROP, RISE = Shock(name="drop", index=-0.01), Shock(name="rise", index=0.01)
VIX_UP, DAY = Shock(name="VIX +1", points=1.0), Shock(name="a day", days=1.0)
ALL: Final = (Shock(name="now"), *SCENARIOS, MARGIN, DROP, RISE, VIX_UP, DAY)
PLACE: Final = {one.name: place for place, one in enumerate(ALL)}


class Terms(msgspec.Struct, frozen=True):
    """One contract and how it stands: what it is, and what the market says of it."""

    strike: float
    call: bool
    american: bool
    years: float
    vol: float
    rate: float
    carry: float
    spot: float
    vix: float
    beta: float
    vol_beta: float


def worths(one: Terms) -> Floats:
    """What a share of it is worth in every state of `ALL`."""
    index = np.array([shock.index for shock in ALL])
    points = np.array([shock.points + one.vix * (shock.factor - 1.0) for shock in ALL])
    years = np.maximum(one.years - np.array([shock.days for shock in ALL]) * DAY_YEARS, 0.0)
    spot = one.spot * np.maximum(1.0 + one.beta * index, 0.01)
    reach = min(math.sqrt(30.0 / 365.0 / max(one.years, 1e-9)), 2.0) * one.vol_beta
    vol = np.maximum(one.vol + reach * points / 100.0, min(VOL_MIN, one.vol))
    if one.american:
        return _on_tree(one, spot=spot, vol=vol, years=years)
    return _by_formula(one, spot=spot, vol=vol, years=years)


def _by_formula(one: Terms, *, spot: Floats, vol: Floats, years: Floats) -> Floats:
    sign = 1.0 if one.call else -1.0
    paid = one.strike * np.exp(-one.rate * years)
    got = spot * np.exp(-one.carry * years)
    spread = np.maximum(vol * np.sqrt(years), 1e-12)
    upper = np.log(got / paid) / spread + spread / 2.0
    worth = sign * (got * _normal(sign * upper) - paid * _normal(sign * (upper - spread)))
    return np.asarray(np.maximum(worth, 0.0))


def _normal(value: Floats) -> Floats:
    return np.asarray(0.5 * erfc(-value / math.sqrt(2.0)))


def _on_tree(one: Terms, *, spot: Floats, vol: Floats, years: Floats) -> Floats:
    """All states at once, one a row; after its last day an option is worth what it pays."""
    sign = 1.0 if one.call else -1.0
    dead = years <= 0.0
    step = np.where(dead, 1e-9, years) / STEPS
    spread = vol * np.sqrt(step * STEPS)
    upper = (np.log(spot / one.strike) + (one.rate - one.carry) * step * STEPS) / spread
    likely, likelier = (_peizer_pratt(upper + half * spread) for half in (-0.5, 0.5))
    growth, discount = np.exp((one.rate - one.carry) * step), np.exp(-one.rate * step)
    up = growth * likelier / likely
    down = growth * (1.0 - likelier) / (1.0 - likely)
    places = np.arange(STEPS + 1)
    price = spot[:, None] * up[:, None] ** places * down[:, None] ** (STEPS - places)
    back = (1.0 / down)[:, None]
    rises, falls = (discount * likely)[:, None], (discount * (1.0 - likely))[:, None]
    worth = np.maximum(sign * (price - one.strike), 0.0)
    for _ in range(STEPS):
        price = price[:, :-1] * back
        worth = np.maximum(
            rises * worth[:, 1:] + falls * worth[:, :-1], sign * (price - one.strike)
        )
    return np.where(dead, np.maximum(sign * (spot - one.strike), 0.0), worth[:, 0])


def _peizer_pratt(value: Floats) -> Floats:
    """The binomial probability whose median meets the normal one, after Peizer and Pratt."""
    size = STEPS + 1.0 / 3.0 + 0.1 / (STEPS + 1.0)
    scaled = (value / size) ** 2 * (STEPS + 1.0 / 6.0)
    half = 0.5 * np.sqrt(1.0 - np.exp(-scaled))
    return np.asarray(np.clip(0.5 + np.sign(value) * half, 1e-12, 1.0 - 1e-12))
