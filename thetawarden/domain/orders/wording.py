"""Says what an order is in the broker's terms, or why it is none: side, quantity, prices.

One leg trades as itself: the sign of its ratio is the side, and the price is a contract's own. More
legs trade as a combination that is always bought, where a credit is a negative price: no side can
be mistaken. Ratios of a combination are in lowest terms, as the broker wants them.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg

REFERENCE_MAX = 60
TRADABLE = (InstrumentKind.OPTION, InstrumentKind.STOCK)
_WITH_LIMIT = (OrderStyle.LIMIT, OrderStyle.STOP_LIMIT, OrderStyle.ADAPTIVE)
_WITH_STOP = (OrderStyle.STOP, OrderStyle.STOP_LIMIT)


class Worded(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the broker takes it; `buys` is always true of a combination."""

    buys: bool
    quantity: int
    limit_usd: Decimal | None
    stop_usd: Decimal | None


def word_order(intent: Intent) -> Worded:
    """Return side, quantity and prices of an order that `defect` has nothing against."""
    if len(intent.legs) > 1:
        return Worded(
            buys=True,
            quantity=intent.units,
            limit_usd=intent.limit_usd if intent.style in _WITH_LIMIT else None,
            stop_usd=intent.stop_usd if intent.style in _WITH_STOP else None,
        )
    ratio = intent.legs[0].ratio
    return Worded(
        buys=ratio > 0,
        quantity=intent.units * abs(ratio),
        limit_usd=_of_one(intent.limit_usd, ratio) if intent.style in _WITH_LIMIT else None,
        stop_usd=_of_one(intent.stop_usd, ratio) if intent.style in _WITH_STOP else None,
    )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An order's place among those it leaves with; who lets go lets all go that were held."""

    has_parent: bool
    lets_go: bool


def places_of(family: tuple[Intent, ...]) -> tuple[Place, ...]:
    """Return each order's place: behind a parent the last lets all go, siblings go alone."""
    held = any(one.parent_ref for one in family)
    last = len(family) - 1
    return tuple(
        Place(has_parent=bool(one.parent_ref), lets_go=not held or number == last)
        for number, one in enumerate(family)
    )


def family_defect(family: tuple[Intent, ...]) -> str:
    """Return why orders do not belong together, empty when they do.

    Either all others name the first as their parent, or none names any and all share a group of
    which one fills.
    """
    first, others = family[0], family[1:]
    if first.parent_ref:
        return "the first of them names a parent, allowed is none"
    if all(one.parent_ref == first.order_ref for one in others):
        return ""
    groups = {one.oca_group for one in family}
    if not any(one.parent_ref for one in others) and len(groups) == 1 and first.oca_group:
        return ""
    return "an exit names another parent than the order it leaves with, or shares no group with it"


def defect(intent: Intent, *, today: dt.date) -> str:
    """Return why no order can be made of an intent, empty when one can."""
    reference = intent.order_ref
    if not reference or len(reference) > REFERENCE_MAX or not _is_plain(reference):
        return f"its reference {reference!r} is not 1 to {REFERENCE_MAX} plain characters"
    if intent.units < 1:
        return f"it is for {intent.units} units, allowed is 1 or more"
    return _of_legs(intent.legs, today) or _of_prices(intent)


def _of_legs(legs: tuple[OrderLeg, ...], today: dt.date) -> str:
    if not legs or any(not leg.ratio for leg in legs):
        return f"its ratios are {[leg.ratio for leg in legs]}, none may be missing or 0"
    for leg in legs:
        one = leg.instrument
        if one.conid <= 0 or one.kind not in TRADABLE:
            return f"{one.local_symbol or one.symbol} ({one.kind} {one.conid}) cannot be ordered"
        if one.expiry is not None and one.expiry < today:
            return f"{one.local_symbol or one.conid} expired on {one.expiry}, today is {today}"
    if len({leg.instrument.conid for leg in legs}) < len(legs):
        return "one contract stands in two of its legs"
    if len({(leg.instrument.symbol, leg.instrument.currency) for leg in legs}) > 1:
        return "its legs are of several underlyings or currencies"
    terms = math.gcd(*(leg.ratio for leg in legs))
    if len(legs) > 1 and terms > 1:
        return f"its ratios have {terms} in common, allowed are lowest terms"
    return ""


def _of_prices(intent: Intent) -> str:
    style = intent.style
    for name, price, needed in (
        ("limit", intent.limit_usd, style in _WITH_LIMIT),
        ("stop", intent.stop_usd, style in _WITH_STOP),
    ):
        if not needed:
            continue
        if price is None or not price.is_finite():
            return f"it is a {style} order and its {name} is {price}"
        if len(intent.legs) > 1:
            continue
        ratio = intent.legs[0].ratio
        own = _of_one(price, ratio)
        if own is None or own <= 0 or own * ratio != price:
            return f"its {name} of {price} a unit of {ratio} is no price of one contract"
    if style is OrderStyle.ADAPTIVE and intent.lifetime is not Lifetime.DAY:
        return f"an adaptive order lives a day, found is {intent.lifetime}"
    return ""


def _of_one(unit_usd: Decimal | None, ratio: int) -> Decimal | None:
    """What one contract of a single leg costs; selling brings a credit, which is below zero."""
    return None if unit_usd is None else unit_usd / ratio


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
