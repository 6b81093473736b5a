"""The margin a strategy-based account asks for, by the published rules, worked out on its own.

A short option asks for its worth and the larger of a share of the underlying less what it is out of
the money and a tenth; one that a long of the same kind hedges asks for the width between them; of a
put and a call sold only the dearer asks in full. Longs are paid in full, shares by their parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

BROAD, SINGLE, LEAST = 0.15, 0.20, 0.10
SHARES_LONG, SHARES_SHORT = 0.25, 0.30


class Lot(msgspec.Struct, kw_only=True):
    """Contracts of one option of an underlying, or shares of it; `worth` is a share's."""

    n: float
    multiplier: float
    strike: float = 0.0
    call: bool = False
    years: float = math.inf
    worth: float = 0.0
    option: bool = True


def asked_usd(lots: Sequence[Lot], *, spot: float, broad: bool) -> float:
    """What the lots of one underlying ask for by themselves."""
    shares = math.fsum(one.n * one.multiplier for one in lots if not one.option)
    total = spot * (SHARES_LONG * max(shares, 0.0) + SHARES_SHORT * max(-shares, 0.0))
    longs = [msgspec.structs.replace(one) for one in lots if one.option and one.n > 0.0]
    naked: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
    shorts = [one for one in lots if one.option and one.n < 0.0]
    for one in sorted(shorts, key=lambda lot: -_naked(lot, spot, broad=broad)):
        left, alone = -one.n, _naked(one, spot, broad=broad)
        covers = one.call == (shares > 0.0)
        if covers and shares:
            taken = min(left, math.floor(abs(shares) / one.multiplier))
            left, shares = left - taken, shares - math.copysign(taken * one.multiplier, shares)
        for long in sorted(longs, key=lambda lot: _width(one, lot)):
            width = _width(one, long)
            if long.call != one.call or long.years < one.years or width >= alone:
                continue
            taken = min(left, long.n)
            total += taken * width
            left, long.n = left - taken, long.n - taken
        if left > 0.0:
            naked[one.call].append((left, alone, one.worth * one.multiplier))
    total += math.fsum(one.n * one.worth * one.multiplier for one in longs)
    return total + _pairs(naked[False], naked[True])


def _naked(one: Lot, spot: float, *, broad: bool) -> float:
    away = max(0.0, one.strike - spot if one.call else spot - one.strike)
    least = LEAST * (spot if one.call else one.strike)
    charge = max((BROAD if broad else SINGLE) * spot - away, least)
    return (one.worth + charge) * one.multiplier


def _width(short: Lot, long: Lot) -> float:
    apart = long.strike - short.strike if short.call else short.strike - long.strike
    return max(0.0, apart) * short.multiplier


def _pairs(
    puts: list[tuple[float, float, float]], calls: list[tuple[float, float, float]]
) -> float:
    """Of a put and a call only the dearer asks in full; of the other only its worth."""
    total = math.fsum(n * alone for n, alone, _ in (*puts, *calls))
    left = [n for n, _, _ in calls]
    for n, alone, worth in puts:
        for place, (_, other, others_worth) in enumerate(calls):
            both = min(n, left[place])
            n, left[place] = n - both, left[place] - both  # noqa: PLW2901
            cheaper = (alone, worth) if alone <= other else (other, others_worth)
            total -= both * (cheaper[0] - cheaper[1])
    return total
