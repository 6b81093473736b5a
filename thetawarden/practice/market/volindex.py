"""Computes VIX, VIX9D and VIX3M from the market's own SPX options by the published method.

Terms are the listed SPX and SPXW expiries around the target, PM weeklies and the AM monthly alike,
one per day; quotes are those anybody is shown. Like the real ones the indices are recomputed every
fifteen seconds of the regular session and stand still otherwise.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.surface.vix import Strip as VixStrip
from thetawarden.domain.surface.vix import (
    StripVariance,
    VixGap,
    strip_variance,
    volatility_index,
)

Floats: TypeAlias = NDArray[np.float64]
STEP_NS = 15_000_000_000


def index_value(*, near: VixStrip, far: VixStrip, target_days: float) -> float | VixGap:
    """Return the index from the quotes of the two terms around its target."""
    variances = [strip_variance(one) for one in (near, far)]
    first, second = variances
    if not isinstance(first, StripVariance):
        return first
    if not isinstance(second, StripVariance):
        return second
    return volatility_index(near=first, far=second, target_days=target_days)
