"""Finds the settlement price behind the cash that expired index options paid.

Options of one underlying and one settlement share one price. What they pay together rises and falls
in straight lines between their strikes, so the price can be read off the cash; of several that fit,
the one nearest to where the index was last seen is taken, and none that is far from it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import ROUND_HALF_EVEN, Decimal

from thetawarden.domain.books.amounts import ZERO, plain, same_cents
from thetawarden.domain.books.change import Change
from thetawarden.domain.books.deliveries import has_expired, is_cash_settled
from thetawarden.domain.books.gaps import Gap, contract_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.market.contracts import Right, Settlement
from thetawarden.domain.market.products import OPTION_CLASSES

FAR_FRACTION = Decimal("0.05")
NEAR_FRACTION = Decimal("0.01")
_PRICE = Decimal("0.0001")

Group = tuple[str, dt.date, Settlement]


def settled_groups(gaps: tuple[Gap, ...], today: dt.date) -> dict[Group, tuple[Gap, ...]]:
    """Return the expired cash-settled options that are gone, together as they were settled."""
    groups: dict[Group, tuple[Gap, ...]] = {}
    for gap in gaps:
        one = gap.ours.instrument
        if one.kind is not InstrumentKind.OPTION or not is_cash_settled(one):
            continue
        if one.expiry is None or not gap.only_shrank or not has_expired(one, today):
            continue
        terms = OPTION_CLASSES.get(one.trading_class)
        key = (one.symbol, one.expiry, Settlement.PM if terms is None else terms.settlement)
        groups[key] = (*groups.get(key, ()), gap)
    return groups


def paid_usd(gaps: tuple[Gap, ...], price_usd: Decimal) -> Decimal:
    """Return the cash that options pay their holder (> 0) or their writer (< 0) at a price."""
    return sum((-one.moved * _multiplied(one, price_usd) for one in gaps), ZERO)


def settlement_price(
    gaps: tuple[Gap, ...], *, cash_usd: Decimal, spot_usd: Decimal | None
) -> Decimal | None:
    """Return the price at which the options paid this cash, or None when there is no likely one."""
    strikes = sorted({one.ours.instrument.strike or ZERO for one in gaps})
    spot = strikes[0] if spot_usd is None else spot_usd
    reach = max(spot, strikes[-1]) if spot_usd is None else spot * FAR_FRACTION
    low, high = max(spot - reach, ZERO), spot + reach
    edges = [low, *(one for one in strikes if low < one < high), high]
    found = []
    for start, end in itertools.pairwise(edges):
        price = _price_between(gaps, start, end, cash_usd=cash_usd, spot=spot)
        if price is not None and same_cents(paid_usd(gaps, price), cash_usd):
            found.append(price)
    return min(found, key=lambda price: abs(price - spot), default=None)


def is_worthless(gaps: tuple[Gap, ...], spot_usd: Decimal) -> bool:
    """Whether none of the options pays anything at any price near this one."""
    reach = spot_usd * NEAR_FRACTION
    ends = (spot_usd - reach, spot_usd + reach)
    return not any(_multiplied(gap, price) for gap in gaps for price in ends)


def settled_changes(gaps: tuple[Gap, ...], price_usd: Decimal) -> tuple[Change, ...]:
    """Return what became of each option at the settlement price."""
    return tuple(_change(gap, price_usd) for gap in gaps)


def _change(gap: Gap, price_usd: Decimal) -> Change:
    worth = _multiplied(gap, price_usd)
    name, count = contract_words(gap.instrument), abs(gap.moved)
    ended = f"settled at {plain(price_usd)}" if worth else "expired worthless"
    return Change(
        cause=Cause.SETTLEMENT if worth else Cause.EXPIRY,
        words=f"{name}: {plain(count)} {ended}",
        instrument=gap.ours.instrument,
        before=gap.ours.quantity,
        after=gap.theirs,
        gross_usd=gap.moved * worth,
        cash_usd=-gap.moved * worth,
        because_of=gap.instrument.conid,
    )


def _price_between(
    gaps: tuple[Gap, ...], start: Decimal, end: Decimal, *, cash_usd: Decimal, spot: Decimal
) -> Decimal | None:
    """The price between two neighbouring strikes at which the cash fits, nearest to the spot."""
    at_start, at_end = paid_usd(gaps, start), paid_usd(gaps, end)
    if at_start == at_end:
        return min(max(spot, start), end) if same_cents(at_start, cash_usd) else None
    fraction = (cash_usd - at_start) / (at_end - at_start)
    if not 0 <= fraction <= 1:
        return None
    return (start + fraction * (end - start)).quantize(_PRICE, rounding=ROUND_HALF_EVEN)


def _multiplied(gap: Gap, price_usd: Decimal) -> Decimal:
    """What one contract is worth at the end, with multiplier."""
    one = gap.ours.instrument
    strike = one.strike or ZERO
    inside = price_usd - strike if one.right is Right.CALL else strike - price_usd
    return max(inside, ZERO) * one.multiplier
