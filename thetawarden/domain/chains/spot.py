"""Judges the price of the underlying: what it is, how old, and whether to believe it.

Pure. A share is worth its middle while it is quoted on both sides, an index its last price. A jump
beyond the collar is believed only after some further prices confirm it; until then there is no
price, for everything else is judged by this one.
"""

from __future__ import annotations

import enum
import math

import msgspec

from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs


class SpotDoubt(enum.StrEnum):
    """Why the underlying has no price to rely on."""

    NO_PRICE = "no_price"
    NOT_LIVE = "not_live"
    HALTED = "halted"
    JUMPED = "jumped"
    STALE = "stale"
    FROM_THE_FUTURE = "from_the_future"


class SpotLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How old a price may be, how far it may jump, and how often a jump must be confirmed."""

    age_ns_max: int = 30 * NS_PER_SECOND
    jump_fraction_max: float = 0.02
    confirmations: int = 2


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the underlying; a price of 0 is none.

    `reference_usd` is the best price for choosing strikes by, be it the last close.
    """

    price_usd: float = 0.0
    at_ns: UnixNs = UnixNs(0)
    reference_usd: float = 0.0
    data_type: DataType = DataType.LIVE
    halted: bool = False
    pending_usd: float = 0.0
    confirmations: int = 0
    last_usd: float = 0.0
    bid_usd: float = 0.0
    ask_usd: float = 0.0


def observe_spot(spot: Spot, quote: Quote, *, by_middle: bool, limits: SpotLimits) -> Spot:
    """Return what is known after another quote of the underlying."""
    halted = spot.halted if quote.halted is None else quote.halted
    seen = msgspec.structs.replace(
        spot,
        data_type=quote.data_type,
        halted=halted,
        last_usd=_positive(quote.last_usd),
        bid_usd=_positive(quote.bid_usd),
        ask_usd=_positive(quote.ask_usd),
        reference_usd=spot.price_usd or _positive(quote.close_usd) or spot.reference_usd,
    )
    price = _middle(quote) if by_middle else 0.0
    price = price or _positive(quote.last_usd)
    if not price:
        return seen
    return _believed(seen, price, quote.at_ns, limits)


def invalidated(spot: Spot) -> Spot:
    """Return what is left when the link is gone: a price to choose strikes by, none to trade on."""
    return Spot(reference_usd=spot.price_usd or spot.reference_usd, halted=spot.halted)


def doubt_spot(spot: Spot, *, now_ns: int, limits: SpotLimits) -> SpotDoubt | None:
    """Return why the price may not be relied on, or None when it may."""
    checks = (
        (SpotDoubt.NO_PRICE, not spot.price_usd),
        (SpotDoubt.NOT_LIVE, spot.data_type is not DataType.LIVE),
        (SpotDoubt.HALTED, spot.halted),
        (SpotDoubt.JUMPED, bool(spot.pending_usd)),
        (SpotDoubt.FROM_THE_FUTURE, spot.at_ns > now_ns + limits.age_ns_max),
        (SpotDoubt.STALE, now_ns - spot.at_ns > limits.age_ns_max),
    )
    return next((doubt for doubt, applies in checks if applies), None)


def _believed(spot: Spot, price: float, at_ns: UnixNs, limits: SpotLimits) -> Spot:
    base = spot.price_usd
    if not base or _near(price, base, limits.jump_fraction_max):
        return msgspec.structs.replace(
            spot,
            price_usd=price,
            at_ns=at_ns,
            reference_usd=price,
            pending_usd=0.0,
            confirmations=0,
        )
    again = _near(price, spot.pending_usd, limits.jump_fraction_max)
    count = spot.confirmations + 1 if again else 0
    if count >= limits.confirmations:
        return msgspec.structs.replace(
            spot,
            price_usd=price,
            at_ns=at_ns,
            reference_usd=price,
            pending_usd=0.0,
            confirmations=0,
        )
    return msgspec.structs.replace(spot, pending_usd=price, confirmations=count)


def _near(price: float, base: float, fraction: float) -> bool:
    return bool(base) and abs(price - base) <= fraction * base


def _middle(quote: Quote) -> float:
    """Half-way between the sides of an honest, narrow quote, else 0."""
    bid, ask = _positive(quote.bid_usd), _positive(quote.ask_usd)
    return (bid + ask) / 2.0 if bid and bid <= ask <= 1.02 * bid else 0.0


def _positive(price: float | None) -> float:
    return price if price is not None and price > 0.0 and math.isfinite(price) else 0.0
