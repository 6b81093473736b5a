"""Picks strikes: the delta aimed at, shifted by skew and scaled by the market's state.

A row is picked only if it may be traded on; nothing is picked outside the floor and the ceiling.
The side of the smile that is dear in its own history is sold nearer, the cheap side further out.
"""

from __future__ import annotations

import msgspec
import numpy as np

from thetawarden.domain.chains.view import SeriesView
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.pricing.arrays import Rows
from thetawarden.domain.strategy.candidate import SkewSeen
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import SkewShift, Terms

_NEARLY = 1e-9


class DeltaBand(msgspec.Struct, frozen=True, kw_only=True):
    """Which delta is aimed at, where it should lie, and how far that may widen."""

    target: float
    low: float
    high: float
    step: float
    floor: float
    ceiling: float


def see_skew(series: SeriesView, shift: SkewShift, *, is_call: bool) -> SkewSeen:
    """Return the skew of a series and what it adds to the delta of one side; 0 when unclean.

    The percentile is that of puts over calls: from the middle of its history to its top the shift
    of puts grows to the most that is configured, and that of calls falls as far.
    """
    gap = series.smile_gap or series.skew_gap or series.unread or series.percentile_gap
    percentile = series.skew_percentile
    if gap or percentile is None or not 0.0 <= percentile <= 1.0:
        added, gap = 0.0, gap or "no_percentile"
    else:
        added = (2.0 * percentile - 1.0) * shift.delta_max * (-1.0 if is_call else 1.0)
    return SkewSeen(
        log_ratio=series.skew_log_ratio,
        normalised=series.skew_normalised,
        percentile=percentile,
        gap=gap,
        shift_delta=added,
    )


def put_band(scene: Scene, terms: Terms, skew: SkewSeen) -> DeltaBand:
    """Where the delta of a sold put should lie now."""
    return _band(
        scene,
        target=terms.delta_target,
        edges=(terms.delta_low, terms.delta_high),
        step=terms.delta_step,
        bounds=(terms.delta_floor, terms.delta_ceiling),
        shift=skew.shift_delta,
    )


def call_band(scene: Scene, terms: Terms, skew: SkewSeen) -> DeltaBand:
    """Where the delta of a sold call should lie now; it never widens."""
    edges = (terms.call_delta_low, terms.call_delta_high)
    return _band(
        scene,
        target=terms.call_delta_target,
        edges=edges,
        step=terms.delta_step,
        bounds=edges,
        shift=skew.shift_delta,
    )


def _band(
    scene: Scene,
    *,
    target: float,
    edges: tuple[float, float],
    step: float,
    bounds: tuple[float, float],
    shift: float,
) -> DeltaBand:
    scale = scene.delta_scale
    floor, ceiling = bounds[0] * scale, bounds[1] * scale
    low, aim, high = (
        min(max(value * scale + shift, floor), ceiling) for value in (edges[0], target, edges[1])
    )
    return DeltaBand(target=aim, low=low, high=high, step=step, floor=floor, ceiling=ceiling)


def pick_delta(scene: Scene, eligible: Rows, band: DeltaBand) -> int | None:
    """Return the eligible row next to the target, in the narrowest band that has any.

    Of two as near the one further out of the money is taken.
    """
    delta = np.abs(scene.rows.delta_per_share[eligible])
    within = (delta >= band.floor - _NEARLY) & (delta <= band.ceiling + _NEARLY)
    rows, delta = eligible[within], delta[within]
    if not rows.size:
        return None
    low, high = band.low, band.high
    inside = (delta >= low - _NEARLY) & (delta <= high + _NEARLY)
    while not inside.any():
        if band.step <= 0.0:
            return None
        low, high = max(low - band.step, band.floor), min(high + band.step, band.ceiling)
        inside = (delta >= low - _NEARLY) & (delta <= high + _NEARLY)
    away = np.round(np.abs(delta[inside] - band.target), 9)
    return int(rows[inside][np.lexsort((delta[inside], away))[0]])


def nearest_delta(scene: Scene, side: Rows, target: float) -> int | None:
    """Return the row of a side next to a delta, whatever stands against it; to show why."""
    if not side.size:
        return None
    away = np.abs(np.abs(scene.rows.delta_per_share[side]) - target)
    return int(side[np.argmin(away)])


def wing_widths(scene: Scene, terms: Terms, short_strike_usd: float) -> tuple[float, float]:
    """Return how far from the short strike the long one lies, at least and at most, in USD."""
    if scene.kind is UnderlyingKind.STOCK:
        low, high = terms.width_fraction_min, terms.width_fraction_max
        return low * short_strike_usd, high * short_strike_usd
    scale = scene.point_scale
    return terms.width_points_min * scale, terms.width_points_max * scale


def pick_long(scene: Scene, short_row: int, terms: Terms) -> int | None:
    """Return the row to buy beyond a short one: the nearest strike the width allows.

    The nearest loses least when all is lost.
    """
    strike = float(scene.rows.strike_usd[short_row])
    low, high = wing_widths(scene, terms, strike)
    asked = (short_row, low, high)
    if asked not in scene.picked:
        scene.picked[asked] = _nearest_wing(scene, short_row, low=low, high=high)
    return scene.picked[asked]


def _nearest_wing(scene: Scene, short_row: int, *, low: float, high: float) -> int | None:
    rows = scene.rows
    is_call, strike = bool(rows.is_call[short_row]), float(rows.strike_usd[short_row])
    side = scene.side(int(rows.series[short_row]), is_call=is_call)
    away = (rows.strike_usd[side] - strike) * (1.0 if is_call else -1.0)
    fits = (away >= low - _NEARLY) & (away <= high + _NEARLY) & ~scene.is_held(side, long=False)
    return int(side[fits][np.argmin(away[fits])]) if fits.any() else None
