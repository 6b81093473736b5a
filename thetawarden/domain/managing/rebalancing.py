"""Finds the fewest leg trades that bring the delta of a trade back into its band.

Only what cannot add risk is looked at: a short leg bought back, a long one bought beyond it, a
short one moved further from the market. No rearrangement may make the worst scenario's loss larger.
Long ones are bought up to as many as are sold: with more the trade would protect others, and could
not be closed without taking that from them. Of those with the fewest legs the cheapest wins that
brings the delta well back into its band, else the cheapest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.managing.limits import BandLimits
from thetawarden.domain.managing.ordering import Leg, leg_of, option_row
from thetawarden.domain.managing.sight import LegSight, TradeSight
from thetawarden.domain.managing.stressing import (
    Stand,
    contract_profits,
    worst_loss_usd,
)
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.pricing.arrays import FloatArray

_CENT = 0.01
_WELL_BACK = 0.8
"""The part of the band within which the next tick does not bring the same again."""


class Rearrangement(msgspec.Struct, frozen=True, kw_only=True):
    """Leg trades per unit, and delta and worst loss of a unit after them."""

    legs: tuple[Leg, ...]
    delta_after: float
    loss_before_usd: float
    loss_after_usd: float
    cost_usd: float
    words: str


class _Move(msgspec.Struct, frozen=True, kw_only=True):
    legs: tuple[Leg, ...]
    delta: float
    words: str


def find_rearrangement(
    sight: TradeSight,
    *,
    view: ChainView,
    rows: ChainRows,
    stand: Stand,
    limits: BandLimits,
    may_move: bool = True,
) -> Rearrangement | str:
    """Return the rearrangement, or in words why there is none.

    Moving a short option is a roll: `may_move` is false once no more of them is allowed.
    """
    delta = sight.delta_per_share
    held = contract_profits([one.instrument for one in sight.legs], stand)
    ratios = np.array([one.ratio for one in sight.legs], dtype=np.float64)
    before = ratios @ held
    loss = worst_loss_usd(before)
    if not (math.isfinite(delta) and math.isfinite(loss)):
        return "its scenarios cannot be revalued"
    moves = [
        one
        for one in _moves(sight, view, rows, limits=limits)
        if abs(delta + one.delta) <= limits.delta_per_share
        and len(one.legs) <= limits.legs_max
        and (may_move or all(leg.ratio > 0 for leg in one.legs))
    ]
    traded = {leg.instrument.conid: leg.instrument for one in moves for leg in one.legs}
    own = contract_profits(list(traded.values()), stand)
    added = dict(zip(traded, own, strict=True))
    found = [_judged(one, before, loss, delta=delta, added=added) for one in moves]
    good = [one for one in found if one.loss_after_usd <= loss + _CENT]
    if not good:
        return "no rearrangement brings it back into its band without a larger worst loss"
    edge = _WELL_BACK * limits.delta_per_share
    return min(good, key=lambda one: (len(one.legs), abs(one.delta_after) > edge, one.cost_usd))


def _judged(
    move: _Move, before: FloatArray, loss: float, *, delta: float, added: Mapping[int, FloatArray]
) -> Rearrangement:
    after = before.copy()
    for one in move.legs:
        after += one.ratio * added[one.instrument.conid]
    worst = worst_loss_usd(after)
    cost = math.fsum(one.natural for one in move.legs)
    return Rearrangement(
        legs=move.legs,
        delta_after=delta + move.delta,
        loss_before_usd=loss,
        loss_after_usd=worst,
        cost_usd=cost,
        words=f"{move.words}: delta {delta:+.2f} to {delta + move.delta:+.2f},"
        f" worst loss of a unit {loss:,.0f} to {worst:,.0f}",
    )


def _moves(
    sight: TradeSight, view: ChainView, rows: ChainRows, *, limits: BandLimits
) -> list[_Move]:
    """Every rearrangement of the legs that lean the wrong way."""
    leaning = [one for one in sight.shorts if one.ratio * one.delta_per_share * _sign(sight) > 0.0]
    moves: list[_Move] = []
    for short in leaning:
        count = -short.ratio
        if len(sight.shorts) > 1:
            back = leg_of(short, count)
            moves.append(
                _Move(
                    legs=(back,),
                    delta=count * short.delta_per_share,
                    words=f"the short {short.instrument.strike} bought back",
                )
            )
        for row in _further(short, view, rows, limits=limits):
            bought = option_row(view, rows, row, count)
            own = float(rows.delta_per_share[row])
            strike = bought.instrument.strike
            if not _is_bounded(short, sight):
                words = f"the {strike} bought beyond it"
                moves.append(_Move(legs=(bought,), delta=count * own, words=words))
            moved = (leg_of(short, count), option_row(view, rows, row, -count))
            change = count * (short.delta_per_share - own)
            moves.append(_Move(legs=moved, delta=change, words=f"the short moved to {strike}"))
    return moves


def _is_bounded(short: LegSight, sight: TradeSight) -> bool:
    """Whether as many of its right are held as are sold."""
    like = (one.ratio for one in sight.options if one.instrument.right is short.instrument.right)
    return sum(like) >= 0


def _sign(sight: TradeSight) -> float:
    return math.copysign(1.0, sight.delta_per_share)


def _further(short: LegSight, view: ChainView, rows: ChainRows, *, limits: BandLimits) -> list[int]:
    """Usable rows of the same series and right, further from the market, the nearest first."""
    call = short.instrument.right is Right.CALL
    away = rows.strike_usd - short.strike_usd
    away = away if call else -away
    series = [
        number
        for number, one in enumerate(view.series)
        if one.trading_class == short.instrument.trading_class
        and one.expiry == short.instrument.expiry
    ]
    fits = rows.usable & np.isin(rows.series, series) & (rows.is_call == call) & (away > 0.0)
    fits &= np.isfinite(rows.delta_per_share)
    found = np.flatnonzero(fits)
    return [int(row) for row in found[np.argsort(away[found])][: limits.strikes_max]]
