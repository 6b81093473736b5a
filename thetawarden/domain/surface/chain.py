"""What a quoted chain is: one row per option, grouped into expiries.

Pure data, and the matching of calls with puts. Prices are in points of the underlying (`_usd` per
share), times in years of 365 days.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray


class ChainQuotes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A chain as it was quoted; the age is one for all rows or one per row.

    `expiry_index` points into `tau_years`. The spot should be a last price of trading hours: an
    index's own bid and ask are wide and stale after the close.
    """

    spot_usd: float
    tau_years: FloatArray
    expiry_index: NDArray[np.intp]
    strike_usd: FloatArray
    is_call: BoolArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    quote_age_ns: NDArray[np.int64] | int
    exercise: ExerciseStyle

    @property
    def mid_usd(self) -> FloatArray:
        """Half-way between bid and ask, whether the quote is usable or not."""
        return (self.bid_usd + self.ask_usd) / 2.0

    @property
    def width_usd(self) -> FloatArray:
        """From bid to ask."""
        return self.ask_usd - self.bid_usd


def matched_rows(
    quotes: ChainQuotes, usable: BoolArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of calls and of the puts of the same strike and expiry, both usable."""
    rows = np.flatnonzero(usable & np.isfinite(quotes.strike_usd))
    order = np.lexsort((quotes.is_call[rows], quotes.strike_usd[rows], quotes.expiry_index[rows]))
    put, call = rows[order][:-1], rows[order][1:]
    match = (
        (quotes.expiry_index[put] == quotes.expiry_index[call])
        & (quotes.strike_usd[put] == quotes.strike_usd[call])
        & quotes.is_call[call]
        & ~quotes.is_call[put]
    )
    return call[match], put[match]
