"""Adapts what was staged to the market as it opened (S12): the same strikes, near ones, or none.

The staged strikes stand if they still meet every criterion. Otherwise the strikes as far out of
the money as the staged ones were are tried, if they are only a few strikes away. Else it is over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.strategy.assembling import Shape, assemble
from thetawarden.domain.strategy.building import is_call, strike_of
from thetawarden.domain.strategy.candidate import Candidate, CandidateLeg
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.selling import Short
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strikes import call_band, put_band, see_skew


def adapt(
    staged: Candidate,
    scene: Scene,
    *,
    shape: Shape,
    terms: Terms,
    settings: StrategySettings,
) -> Candidate | str:
    """Return what may be entered in the place of a staged candidate, or in words why nothing."""
    series = _series(staged, scene)
    if series is None:
        return f"the expiry {staged.expiry} is not watched any more"
    same = [_row(scene, leg.instrument.conid) for leg in staged.shorts]
    first = _assembled(scene, series, rows=same, shape=shape, terms=terms, settings=settings)
    if not isinstance(first, str):
        return first
    moved = []
    for leg in staged.shorts:
        row = _as_far_out(staged, leg, scene, series, settings.staging.strikes_away_max)
        if isinstance(row, str):
            return f"as staged: {first}; {row}"
        moved.append(row)
    second = _assembled(scene, series, rows=moved, shape=shape, terms=terms, settings=settings)
    return f"as staged: {first}; as far out: {second}" if isinstance(second, str) else second


def _assembled(
    scene: Scene,
    series: int,
    *,
    rows: Sequence[int | None],
    shape: Shape,
    terms: Terms,
    settings: StrategySettings,
) -> Candidate | str:
    """The candidate that sells these rows when nothing speaks against it, else what does."""
    shorts = []
    for row, call in zip(rows, shape.sides, strict=True):
        if row is None or not np.isfinite(scene.mid_usd[row]):
            return "it has no usable quote"
        skew = see_skew(scene.view.series[series], settings.skew, is_call=call)
        band = (call_band if call else put_band)(scene, terms, skew)
        shorts.append(Short(row=row, band=band, skew=skew))
    found = assemble(
        scene, series, shape=shape, shorts=tuple(shorts), terms=terms, settings=settings
    )
    if not isinstance(found, Candidate):
        return found.why
    against = [one.words for one in found.reasons if one.verdict is Verdict.REFUSE]
    return "; ".join(against) if against else found


def _as_far_out(
    staged: Candidate, leg: CandidateLeg, scene: Scene, series: int, strikes_away_max: int
) -> int | str:
    """The row next to where the leg was, in part of the spot, a few strikes away at most."""
    call, strike = is_call(leg), strike_of(leg)
    target = scene.spot_usd * (strike / staged.spot_usd)
    rows = scene.rows
    side = np.flatnonzero((rows.series == series) & (rows.is_call == call))
    if not side.size:
        return "nothing of that expiry is quoted"
    strikes = rows.strike_usd[side]
    nearest = int(side[np.lexsort((strikes, np.abs(strikes - target)))[0]])
    found = float(rows.strike_usd[nearest])
    low, high = min(found, strike), max(found, strike)
    away = int(((strikes > low) & (strikes < high)).sum()) + (found != strike)
    if away > strikes_away_max:
        return f"as far out is {found:g}, {away} strikes away, at most {strikes_away_max}"
    return nearest


def _series(staged: Candidate, scene: Scene) -> int | None:
    trading_class = staged.legs[0].instrument.trading_class
    return next(
        (
            place
            for place, one in enumerate(scene.view.series)
            if (one.expiry, one.trading_class) == (staged.expiry, trading_class)
            and one.last_trade_ns > scene.now_ns
        ),
        None,
    )


def _row(scene: Scene, conid: int) -> int | None:
    found = np.flatnonzero(scene.rows.conid == conid)
    return int(found[0]) if found.size else None
