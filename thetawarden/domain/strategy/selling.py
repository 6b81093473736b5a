"""Finds the short leg of a series: what every strategy here begins with."""

from __future__ import annotations

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import Rows
from thetawarden.domain.strategy.candidate import SkewSeen
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strikes import (
    DeltaBand,
    call_band,
    nearest_delta,
    pick_delta,
    put_band,
    see_skew,
)
from thetawarden.domain.surface.liquidity import GRADES, LiquidityGrade

_SKIP = GRADES.index(LiquidityGrade.SKIP)


class Short(msgspec.Struct, frozen=True, kw_only=True):
    """The row that would be sold, where its delta should lie, and the skew that moved it.

    Without a row `why` says what is missing; a row that does not fit is shown all the same.
    """

    row: int | None
    band: DeltaBand
    skew: SkewSeen
    why: str = ""


def find_short(
    scene: Scene, series: int, *, is_call: bool, terms: Terms, settings: StrategySettings
) -> Short:
    """Return the short leg of one side of a series.

    Of the rows that are liquid, far enough out and dear enough the one next to the delta aimed at;
    when none is, the one next to it of all, for the reasons against it to be shown.
    """
    skew = see_skew(scene.view.series[series], settings.skew, is_call=is_call)
    band = (call_band if is_call else put_band)(scene, terms, skew)
    side = scene.side(series, is_call=is_call)
    premium = (terms.premium_usd_min, terms.premium_spot_fraction_min, terms.otm_fraction_min)
    asked = (series, is_call, *msgspec.structs.astuple(band), *premium)
    if asked not in scene.picked:
        row = pick_delta(scene, _sellable(scene, side, terms, is_call=is_call), band)
        scene.picked[asked] = nearest_delta(scene, side, band.target) if row is None else row
    row = scene.picked[asked]
    if row is not None:
        return Short(row=row, band=band, skew=skew)
    one = scene.view.series[series]
    gap = one.forward_gap or one.smile_gap
    name = "calls" if is_call else "puts"
    why = f"no usable quote among its {name}" + (f" ({gap.replace('_', ' ')})" if gap else "")
    return Short(row=None, band=band, skew=skew, why=why)


def _sellable(scene: Scene, side: Rows, terms: Terms, *, is_call: bool) -> Rows:
    """The rows that no criterion of one leg speaks against; a call adds premium, it need not."""
    otm = scene.otm_fraction[side]
    fits = (scene.liquidity.grade[side] != _SKIP) & (otm > 0.0) & ~scene.is_held(side, long=True)
    if not is_call:
        least = max(terms.premium_usd_min, terms.premium_spot_fraction_min * scene.spot_usd)
        fits &= (scene.mid_usd[side] >= least) & (otm >= terms.otm_fraction_min)
    return np.asarray(side[fits], dtype=np.intp)
