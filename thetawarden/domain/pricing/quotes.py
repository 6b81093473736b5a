"""Decides which two-sided quotes deserve a volatility, and names why the others do not.

A quote is judged as a quote first (is it there, sane, fresh, tight?), its mid as a price after.
Refuses to know where the limits come from. The broker's -1 for "no quote" counts as negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import FloatArray, Floats, align
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.reasons import Codes, NoVolatility, first_reasons

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import Bools


class QuoteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a usable quote may be; a spread passes if either of its two limits lets it."""

    quote_age_ns_max: float
    spread_fraction_max: float  # of the mid
    spread_usd_always_fine: float


class QuotedVolatility(msgspec.Struct, frozen=True, kw_only=True):
    """Mids and their volatilities, both NaN wherever the reason code is not 0."""

    mid_usd: FloatArray
    iv_annual: FloatArray
    reason_code: Codes


def judge_quotes(
    *, bid_usd: Floats, ask_usd: Floats, quote_age_ns: Floats, limits: QuoteLimits
) -> Codes:
    """Return for each quote the code of the first reason not to use it, 0 if there is none."""
    shape, (bid, ask, age) = align(bid_usd, ask_usd, quote_age_ns)
    with np.errstate(all="ignore"):
        spread = ask - bid
        allowed = np.maximum(
            limits.spread_usd_always_fine, limits.spread_fraction_max * 0.5 * (bid + ask)
        )
        codes = first_reasons(
            {
                NoVolatility.NOT_FINITE: ~np.isfinite(bid + ask + age),
                NoVolatility.NEGATIVE_QUOTE: (bid < 0.0) | (ask < 0.0),
                NoVolatility.ZERO_BID: bid == 0.0,
                NoVolatility.ZERO_ASK: ask == 0.0,
                NoVolatility.CROSSED: spread < 0.0,
                NoVolatility.STALE: age > limits.quote_age_ns_max,
                NoVolatility.TOO_WIDE: spread > allowed,
            },
            bid.size,
        )
    return codes.reshape(shape)


def quoted_volatility(
    *,
    bid_usd: Floats,
    ask_usd: Floats,
    quote_age_ns: Floats,
    limits: QuoteLimits,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    is_call: Bools,
) -> QuotedVolatility:
    """Return the mid and the European volatility of each usable quote."""
    quote_codes = judge_quotes(
        bid_usd=bid_usd, ask_usd=ask_usd, quote_age_ns=quote_age_ns, limits=limits
    )
    with np.errstate(all="ignore"):
        middle = 0.5 * (np.asarray(bid_usd) + np.asarray(ask_usd))
    mid = np.where(quote_codes == 0, middle, np.nan)
    implied = implied_volatility(
        price_usd=mid,
        forward=forward,
        strike=strike,
        discount=discount,
        tau_years=tau_years,
        is_call=is_call,
    )
    codes = np.where(quote_codes != 0, quote_codes, implied.reason_code)
    return QuotedVolatility(
        mid_usd=np.where(codes == 0, mid, np.nan),
        iv_annual=implied.iv_annual,
        reason_code=codes,
    )
