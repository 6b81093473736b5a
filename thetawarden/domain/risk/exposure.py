"""Tells how much can be lost at expiry, whatever happens, and whether anything sold is naked.

Pure arithmetic of payoffs: no model, no volatility. An underlying is moved from nothing to twice
its price; worth and premium of today are left out, so a short put risks its whole strike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.holdings import HeldBook, PendingOrder
from thetawarden.domain.risk.instrument import ConId, Instrument

Lot = tuple[Instrument, float]
_NEARLY = 1e-9


def loss_at_expiry_usd(lots: Sequence[Lot], *, spot_usd: float) -> float:
    """Return the worst loss of one underlying's lots when all have run out."""
    if not (math.isfinite(spot_usd) and spot_usd > 0.0):
        return math.nan if lots else 0.0
    strikes = [one.strike_usd for one, _ in lots if one.is_option]
    prices = [0.0, 2.0 * spot_usd, *strikes]
    worst = min((_payoff(lots, price, spot_usd) for price in prices), default=0.0)
    return max(0.0, -worst)


def is_defined_risk(lots: Sequence[Lot]) -> bool:
    """Return whether every short option has a long one, or shares, that bounds its loss."""
    return naked_shares(lots) <= _NEARLY


def naked_shares(lots: Sequence[Lot]) -> float:
    """Return how many shares' worth of short options nothing bounds.

    A long bounds a short of the same right that expires no later. Shares bound short calls.
    """
    shares = math.fsum(n * one.multiplier for one, n in lots if not one.is_option)
    puts = [lot for lot in lots if lot[0].is_option and not lot[0].is_call]
    calls = [lot for lot in lots if lot[0].is_option and lot[0].is_call]
    return _uncovered(puts, free=0.0) + _uncovered(calls, free=max(shares, 0.0))


def lots_of(candidate: Candidate) -> list[Lot]:
    """One unit of a candidate."""
    return [(leg.instrument, float(leg.ratio)) for leg in candidate.legs]


def is_naked(candidate: Candidate, *, held: HeldBook, pending: tuple[PendingOrder, ...]) -> bool:
    """Return whether a candidate sells anything that neither it nor free shares bound.

    Shares that already stand behind held or pending short calls are not free.
    """
    mine = lots_of(candidate)
    whole = [(one, n * candidate.units) for one, n in mine]
    if is_defined_risk(whole):
        return False
    calls_sold = any(one.is_call and n < 0.0 for one, n in whole)
    puts_sold = any(one.is_option and not one.is_call and n < 0.0 for one, n in whole)
    if puts_sold and not is_defined_risk([lot for lot in whole if not lot[0].is_call]):
        return True
    if not calls_sold:
        return False
    free = _free_shares(held, pending, underlying=candidate.underlying)
    shares = (_shares(candidate.underlying), free)
    return not is_defined_risk([*whole, shares])


def _payoff(lots: Sequence[Lot], price: float, spot_usd: float) -> float:
    total = 0.0
    for one, contracts in lots:
        if not one.is_option:
            each = price - spot_usd
        elif one.is_call:
            each = max(price - one.strike_usd, 0.0)
        else:
            each = max(one.strike_usd - price, 0.0)
        total += contracts * one.multiplier * each
    return total


def _uncovered(side: Sequence[Lot], *, free: float) -> float:
    """Longs are taken by the shorts that end last first: those have the fewest to choose from."""
    uncovered = 0.0
    for one, contracts in sorted(side, key=_ends, reverse=True):
        free += contracts * one.multiplier
        uncovered += max(-free, 0.0)
        free = max(free, 0.0)
    return uncovered


def _ends(lot: Lot) -> tuple[int, bool]:
    """By expiry; of one expiry the longs come first when walked from the last."""
    expiry = lot[0].expiry
    return (0 if expiry is None else expiry.toordinal(), lot[1] > 0.0)


def _free_shares(held: HeldBook, pending: tuple[PendingOrder, ...], *, underlying: str) -> float:
    """Shares held that no short call, and no order that may yet fill, has a claim on."""
    lots = [(one.instrument, one.contracts) for one in held.holdings]
    orders = [(leg.instrument, float(leg.ratio * o.units)) for o in pending for leg in o.legs]
    lots += [lot for lot in orders if lot[1] < 0.0]
    own = [(one, n * one.multiplier) for one, n in lots if one.underlying == underlying]
    shares = math.fsum(n for one, n in own if not one.is_option)
    short_calls = math.fsum(min(n, 0.0) for one, n in own if one.is_option and one.is_call)
    return max(shares + short_calls, 0.0)


def _shares(underlying: str) -> Instrument:
    return Instrument(
        con_id=ConId(0), underlying=underlying, kind=PositionKind.LINEAR, multiplier=1.0
    )
