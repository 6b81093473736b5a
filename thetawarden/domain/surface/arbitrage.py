"""Finds where fitted smiles would let a butterfly or a calendar spread be had for less than 0.

Pure: reports, repairs nothing. Butterflies are judged within an expiry (probability density),
calendars between neighbouring expiries (total variance must not fall with time at equal
log-moneyness), each only where quotes reach. Shortfalls of calendars are in vol points of the
later expiry.
"""

from __future__ import annotations

import msgspec
import numpy as np

from thetawarden.domain.surface.smile import Smiles, density_factor, smile_values

_POINTS = 257


class ButterflyBreach(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one smile with negative probability, and its worst density factor."""

    expiry: int
    log_moneyness_low: float
    log_moneyness_high: float
    density_factor: float


class CalendarBreach(msgspec.Struct, frozen=True, kw_only=True):
    """Where a later expiry has least total variance against an earlier one, and how much less."""

    near_expiry: int
    far_expiry: int
    log_moneyness: float
    shortfall_vol_points: float


def find_butterflies(smiles: Smiles) -> tuple[ButterflyBreach, ...]:
    """One breach at most per expiry, from the first to the last offending point."""
    rows = smiles.fitted
    deviation = np.sqrt(smiles.scale_variance[rows])
    k = np.linspace(smiles.low[rows] * deviation, smiles.high[rows] * deviation, _POINTS, axis=1)
    values = smile_values(smiles, expiry=rows[:, None], log_moneyness=k)
    factor = density_factor(values, log_moneyness=k)
    breaches = []
    for place in np.flatnonzero((factor < 0.0).any(axis=1)):
        negative = k[place][factor[place] < 0.0]
        breaches.append(
            ButterflyBreach(
                expiry=int(rows[place]),
                log_moneyness_low=float(negative[0]),
                log_moneyness_high=float(negative[-1]),
                density_factor=float(factor[place].min()),
            )
        )
    return tuple(breaches)


def find_calendars(
    smiles: Smiles, *, tolerance_vol_points: float = 0.0
) -> tuple[CalendarBreach, ...]:
    """One breach at most per pair of neighbours in time, at its worst point."""
    rows = smiles.fitted
    rows = rows[np.argsort(smiles.tau_years[rows], kind="stable")]
    near, far = rows[:-1], rows[1:]
    deviation = np.sqrt(smiles.scale_variance)
    low = np.maximum((smiles.low * deviation)[near], (smiles.low * deviation)[far])
    high = np.minimum((smiles.high * deviation)[near], (smiles.high * deviation)[far])
    k = np.linspace(low, high, _POINTS, axis=1)
    later = smiles.tau_years[far][:, None]
    earlier_iv, later_iv = (
        np.sqrt(smile_values(smiles, expiry=side[:, None], log_moneyness=k).total_variance / later)
        for side in (near, far)
    )
    shortfall = np.where((low < high)[:, None], 100.0 * (earlier_iv - later_iv), -np.inf)
    worst = shortfall.argmax(axis=1)
    return tuple(
        CalendarBreach(
            near_expiry=int(near[pair]),
            far_expiry=int(far[pair]),
            log_moneyness=float(k[pair, at]),
            shortfall_vol_points=float(shortfall[pair, at]),
        )
        for pair, at in enumerate(worst)
        if shortfall[pair, at] > tolerance_vol_points
    )
