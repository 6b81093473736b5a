"""Interpolates smiles in time: any tenor's total variance, forward and discount.

Pure. Total variance is linear in time at equal log-moneyness, so that forward variance between two
expiries is constant; before the first and after the last expiry the volatility stays that of the
nearest. Forward and discount are log-linear in time and constant outside. Knows no calendar: a
caller who weighs trading days differently passes such times both to the fit and here.
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import FloatArray, Floats
from thetawarden.domain.surface.smile import Smiles, smile_values


class SurfaceGap(enum.StrEnum):
    """Why a surface cannot answer."""

    NO_SMILE = "no_smile"


class SurfacePoints(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What the surface says at some tenors and moneynesses."""

    total_variance: FloatArray
    iv_annual: FloatArray
    forward_usd: FloatArray
    discount: FloatArray


def surface_at(
    smiles: Smiles, *, tau_years: Floats, log_moneyness: Floats
) -> SurfacePoints | SurfaceGap:
    """Read the surface at positive tenors; both arguments broadcast against each other."""
    rows = smiles.fitted
    if not rows.size:
        return SurfaceGap.NO_SMILE
    rows = rows[np.argsort(smiles.tau_years[rows], kind="stable")]
    known = smiles.tau_years[rows]
    tau, k = np.broadcast_arrays(
        np.asarray(tau_years, dtype=np.float64), np.asarray(log_moneyness, dtype=np.float64)
    )
    after = np.searchsorted(known, tau).clip(0, len(known) - 1)
    before = np.where(tau < known[after], np.maximum(after - 1, 0), after)
    held = np.clip(tau, known[0], known[-1])
    gap = known[after] - known[before]
    share = np.where(gap > 0.0, (held - known[before]) / np.where(gap > 0.0, gap, 1.0), 0.0)
    total = (1.0 - share) * _total(smiles, rows[before], k) + share * _total(smiles, rows[after], k)
    total = total * tau / held
    return SurfacePoints(
        total_variance=total,
        iv_annual=np.sqrt(total / tau),
        forward_usd=np.exp(np.interp(tau, known, np.log(smiles.forward_usd[rows]))),
        discount=np.exp(np.interp(tau, known, np.log(smiles.discount[rows]))),
    )


def _total(smiles: Smiles, expiry: np.ndarray, log_moneyness: FloatArray) -> FloatArray:
    return smile_values(smiles, expiry=expiry, log_moneyness=log_moneyness).total_variance
