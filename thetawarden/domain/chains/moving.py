"""Says by how much an option was to move while its underlying went some way.

Pure. To the second order; on no part of the way does an option that gains by a rise lose by it, and
none becomes worth less than nothing.
"""

from __future__ import annotations

import numpy as np

from thetawarden.domain.pricing.arrays import FloatArray


def expected_move_usd(
    *,
    delta_per_share: FloatArray,
    gamma_per_usd: FloatArray,
    way_usd: FloatArray,
    worth_usd: FloatArray,
    greeks_at_end: bool,
) -> FloatArray:
    """Return the change of what was worth so much; the Greeks are those of one end of the way."""
    bend = -gamma_per_usd if greeks_at_end else gamma_per_usd
    turns = delta_per_share * (delta_per_share + bend * way_usd) < 0.0
    way = np.where(turns, -delta_per_share / bend, way_usd)
    change: FloatArray = np.maximum(delta_per_share * way + 0.5 * bend * way**2, -worth_usd)
    return change
