"""Names why a quote or a price has no volatility, so that nobody trades on a made-up number.

Arrays carry the reasons as small integers: code 0 says there is none, code n is the n-th member
of `NoVolatility` counted from one. The order of the members is the order in which a quote is
judged: the first that applies is the one told.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import BoolArray

Codes: TypeAlias = npt.NDArray[np.int8]


class NoVolatility(enum.StrEnum):
    """Why no volatility could be implied."""

    NOT_FINITE = "not_finite"
    OUT_OF_DOMAIN = "out_of_domain"
    EXPIRED = "expired"
    NEGATIVE_QUOTE = "negative_quote"
    ZERO_BID = "zero_bid"
    ZERO_ASK = "zero_ask"
    CROSSED = "crossed"
    STALE = "stale"
    TOO_WIDE = "too_wide"
    BELOW_INTRINSIC = "below_intrinsic"
    NO_TIME_VALUE = "no_time_value"
    ABOVE_MAXIMUM = "above_maximum"


CODE_OF: Final[dict[NoVolatility, int]] = {
    reason: code for code, reason in enumerate(NoVolatility, 1)
}
_BY_CODE: Final[tuple[NoVolatility | None, ...]] = (None, *NoVolatility)


def reason_of(code: int) -> NoVolatility | None:
    """Return the reason an array's code stands for; None for 0."""
    return _BY_CODE[code]


def first_reasons(findings: dict[NoVolatility, BoolArray], size: int) -> Codes:
    """Return the code of the first finding that applies to each entry, 0 where none does."""
    codes = np.zeros(size, dtype=np.int8)
    for reason in reversed(NoVolatility):
        found = findings.get(reason)
        if found is not None:
            codes[found] = CODE_OF[reason]
    return codes
