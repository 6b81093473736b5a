"""Finds the roll of a trade: its worst short option bought back, a like one sold further out.

The new option is the one nearest to the delta the old one was sold at, no nearer to the market
than the old strike, on the first expiry where the whole brings enough. What bounded the old one is
moved with it, by the same width or less; the new one may be where the old bound was. One order does
all of it.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.managing.limits import RollLimits
from thetawarden.domain.managing.ordering import Leg, leg_of, option_row
from thetawarden.domain.managing.sight import LegSight, TradeSight
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.units import to_decimal

DELTA_WHERE_UNKNOWN = 0.065


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """One roll: its legs, what it brings at the middle, and which way it goes, in words."""

    legs: tuple[Leg, ...]
    credit_usd: float
    words: str


def find_roll(
    sight: TradeSight, *, view: ChainView, rows: ChainRows, limits: RollLimits, now_ns: int
) -> Roll | str:
    """Return the roll, or in words why there is none."""
    if len(sight.trade.rolled) >= limits.rolls_max:
        return f"it was rolled {len(sight.trade.rolled)} times already"
    old = sight.worst_short
    if old is None:
        return "nothing in it was sold"
    wing = _wing(sight, old)
    today = new_york_date(now_ns)
    for number in _expiries(view, old, today=today, dte_max=limits.dte_max):
        legs = _legs(sight, old, wing, number=number, view=view, rows=rows, limits=limits)
        credit = -math.fsum(one.middle for one in legs)
        if legs and credit >= limits.credit_usd_min:
            return Roll(legs=legs, credit_usd=credit, words=_words(old, legs[1], credit))
    return f"no roll up to {limits.dte_max} days out brings {limits.credit_usd_min:.2f}"


def roll_worst_usd(limits: RollLimits) -> Decimal:
    """Return the price that a roll never passes: the smallest credit, as of buying the unit."""
    exact = to_decimal(limits.credit_usd_min, places=2)
    return Decimal("-0.10") if exact is None else -exact


def _wing(sight: TradeSight, old: LegSight) -> LegSight | None:
    """What bounds the short option: a long one of its right and expiry, further out."""
    like = [
        one
        for one in sight.options
        if one.ratio > 0
        and one.instrument.right is old.instrument.right
        and one.instrument.expiry == old.instrument.expiry
    ]
    return like[0] if like else None


def _expiries(view: ChainView, old: LegSight, *, today: dt.date, dte_max: int) -> list[int]:
    """The series of the option's own class from its own expiry on, the first first."""
    expiry = old.instrument.expiry
    numbers = [
        number
        for number, one in enumerate(view.series)
        if expiry is not None
        and one.trading_class == old.instrument.trading_class
        and one.expiry >= expiry
        and (one.expiry - today).days <= dte_max
    ]
    return sorted(numbers, key=lambda number: view.series[number].expiry)


def _legs(
    sight: TradeSight,
    old: LegSight,
    wing: LegSight | None,
    *,
    number: int,
    view: ChainView,
    rows: ChainRows,
    limits: RollLimits,
) -> tuple[Leg, ...]:
    """All legs of a roll to one expiry; none where it has no such option."""
    target = sight.trade.entry_delta_per_share
    target = DELTA_WHERE_UNKNOWN if target is None or not target else abs(target)
    new = _like(old, number=number, rows=rows, target=target, limits=limits)
    count = abs(old.ratio)
    if new is None:
        return ()
    back = leg_of(old, count)
    sold = option_row(view, rows, new, -count)
    if wing is None:
        return (back, sold)
    bound = _bound(old, wing, new=new, number=number, rows=rows)
    if bound is None:
        return ()
    freed = (leg_of(wing, -wing.ratio),) if wing.bid_usd > 0.0 else ()
    return _merged((back, sold, *freed, option_row(view, rows, bound, wing.ratio)))


def _merged(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """One leg a contract: what is sold and bought at once is neither."""
    found: dict[int, Leg] = {}
    for one in legs:
        conid = one.instrument.conid
        ratio = one.ratio + (found[conid].ratio if conid in found else 0)
        found[conid] = msgspec.structs.replace(one, ratio=ratio)
    return tuple(one for one in found.values() if one.ratio)


def _like(
    old: LegSight, *, number: int, rows: ChainRows, target: float, limits: RollLimits
) -> int | None:
    """The row nearest to the delta, usable, not nearer to the market than the old strike."""
    call = old.instrument.right is Right.CALL
    further = rows.strike_usd >= old.strike_usd if call else rows.strike_usd <= old.strike_usd
    deltas = np.abs(rows.delta_per_share)
    fits = (
        rows.usable
        & (rows.series == number)
        & (rows.is_call == call)
        & further
        & (rows.conid != old.instrument.conid)
        & (deltas <= target * (1.0 + limits.delta_over_fraction))
    )
    found = np.flatnonzero(fits)
    if not found.size:
        return None
    return int(found[np.argmin(np.abs(deltas[found] - target))])


def _bound(old: LegSight, wing: LegSight, *, new: int, number: int, rows: ChainRows) -> int | None:
    """The row that bounds the new short as closely as the old wing did the old one."""
    call = old.instrument.right is Right.CALL
    width = abs(wing.strike_usd - old.strike_usd)
    away = rows.strike_usd - rows.strike_usd[new]
    away = away if call else -away
    fits = (
        rows.usable
        & (rows.series == number)
        & (rows.is_call == call)
        & (away > 0.0)
        & (away <= width + 1e-9)
    )
    found = np.flatnonzero(fits)
    return int(found[np.argmax(away[found])]) if found.size else None


def _words(old: LegSight, sold: Leg, credit: float) -> str:
    before, after = old.instrument, sold.instrument
    ways = [
        *(["out"] if before.expiry != after.expiry else []),
        *(["further from the market"] if before.strike != after.strike else []),
    ]
    return f"rolled {' and '.join(ways)} to {after.strike} of {after.expiry}, for {credit:.2f}"
