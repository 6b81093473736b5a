"""Names why a quote may not be used, and within which limits it may.

A view carries the names as small integers: 0 says that nothing speaks against the quote, n is the
n-th member of `Doubt` counted from one. The order of the members is the order of judgement: the
first that applies is told. Whatever is unknown speaks against a quote.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.pricing.reasons import NoVolatility


class Doubt(enum.StrEnum):
    """Why a quote may not be used for a decision."""

    NOT_QUALIFIED = "not_qualified"
    EXPIRED = "expired"
    LINK_DOWN = "link_down"
    NO_QUOTE = "no_quote"
    OLD_LINK = "old_link"
    NOT_LIVE = "not_live"
    HALTED = "halted"
    UNDERLYING_UNSURE = "underlying_unsure"
    FROM_THE_FUTURE = "from_the_future"
    STALE = "stale"
    NOT_FINITE = "not_finite"
    NEGATIVE = "negative"
    ONE_SIDED = "one_sided"
    ZERO_BID = "zero_bid"
    ZERO_ASK = "zero_ask"
    NO_SIZE = "no_size"
    CROSSED = "crossed"
    LOCKED = "locked"
    JUMPED = "jumped"
    TOO_WIDE = "too_wide"
    FROZEN = "frozen"
    NO_FORWARD = "no_forward"
    BELOW_INTRINSIC = "below_intrinsic"
    NO_TIME_VALUE = "no_time_value"
    ABOVE_MAXIMUM = "above_maximum"
    NO_VOLATILITY = "no_volatility"
    GREEKS_DIVERGE = "greeks_diverge"


CODES: Final[dict[Doubt, int]] = {doubt: code for code, doubt in enumerate(Doubt, 1)}
_BY_CODE: Final[tuple[Doubt | None, ...]] = (None, *Doubt)
FROM_PRICING: Final[dict[NoVolatility, Doubt]] = {
    NoVolatility.BELOW_INTRINSIC: Doubt.BELOW_INTRINSIC,
    NoVolatility.NO_TIME_VALUE: Doubt.NO_TIME_VALUE,
    NoVolatility.ABOVE_MAXIMUM: Doubt.ABOVE_MAXIMUM,
}


class DoubtLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a usable quote may be.

    A spread passes if either of its two limits lets it. A jump is what the move of the underlying
    does not explain, beyond so many widths of the quote and that fraction of its price. A quote is
    frozen when the underlying's move should have carried it this many of its own widths, and it
    stood still for at least so long.
    """

    age_ns_max: int = 60 * NS_PER_SECOND
    future_ns_max: int = NS_PER_SECOND
    spread_fraction_max: float = 0.5
    spread_usd_always_fine: float = 0.10
    crossed_grace_ns: int = NS_PER_SECOND
    jump_widths: float = 3.0
    jump_fraction: float = 0.12
    jump_usd_min: float = 0.10
    confirmations: int = 2
    confirm_after_ns: int = NS_PER_SECOND
    frozen_widths: float = 3.0
    frozen_after_ns: int = 3 * NS_PER_SECOND
    iv_fraction_max: float = 0.35
    delta_difference_max: float = 0.10


def doubt_of(code: int) -> Doubt | None:
    """Return what a code stands for; None for 0, a quote that may be used."""
    return _BY_CODE[code]
