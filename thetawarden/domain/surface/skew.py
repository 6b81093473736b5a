"""Measures how much dearer puts are than calls at equal delta, and how unusual that is.

Pure. The measure is ln(put IV / call IV) at equal absolute forward delta: 0 for a symmetric smile,
positive when puts are dear. It grows with time to expiry, so that expiries are compared after
scaling to a reference tenor with a power of time. History is the caller's; a skew read off the
extrapolated wing of a smile is no measurement and says so.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.surface.strikes import delta_strike

if TYPE_CHECKING:
    from thetawarden.domain.surface.smile import Smiles


class SkewGap(enum.StrEnum):
    """Why there is no skew or no percentile."""

    NO_SMILE = "no_smile"
    BEYOND_QUOTES = "beyond_quotes"
    NOT_FINITE = "not_finite"
    SHORT_HISTORY = "short_history"


class SkewSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where skew is read and how it is brought to the reference tenor.

    The exponent is the growth of the log ratio with time: measured on an index chain it is about
    0.25 (docs/surface-and-portfolio.md); 0 compares expiries as they are.
    """

    delta: float = 0.25
    tau_years_reference: float = 30.0 / 365.0
    tenor_exponent: float = 0.25


class Skews(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per expiry, NaN where `gaps` names a reason."""

    put_iv_annual: FloatArray
    call_iv_annual: FloatArray
    log_ratio: FloatArray
    normalised: FloatArray
    gaps: tuple[SkewGap | None, ...]


def measure_skews(smiles: Smiles, *, settings: SkewSettings) -> Skews:
    """Skew of every expiry at the configured delta."""
    size = len(smiles.tau_years)
    found = delta_strike(
        smiles,
        expiry=np.repeat(np.arange(size), 2).reshape(size, 2),
        delta=np.array([-settings.delta, settings.delta]),
        is_call=np.array([False, True]),
    )
    beyond = np.asarray(found.extrapolated.any(axis=1))
    gaps = tuple(
        SkewGap.NO_SMILE if gap is not None else SkewGap.BEYOND_QUOTES if outside else None
        for gap, outside in zip(smiles.gaps, beyond, strict=True)
    )
    iv = np.where(np.array([gap is None for gap in gaps])[:, None], found.iv_annual, np.nan)
    log_ratio: FloatArray = np.log(iv[:, 0] / iv[:, 1])
    with np.errstate(all="ignore"):
        tenor = (settings.tau_years_reference / smiles.tau_years) ** settings.tenor_exponent
    return Skews(
        put_iv_annual=iv[:, 0],
        call_iv_annual=iv[:, 1],
        log_ratio=log_ratio,
        normalised=log_ratio * tenor,
        gaps=gaps,
    )


def percentile_in_history(
    value: float, history: FloatArray, *, observations_min: int = 20
) -> float | SkewGap:
    """Share of the finite past observations below the value, ties counting half: 0 to 1."""
    if not np.isfinite(value):
        return SkewGap.NOT_FINITE
    past = history[np.isfinite(history)]
    if len(past) < observations_min:
        return SkewGap.SHORT_HISTORY
    return float((np.sum(past < value) + 0.5 * np.sum(past == value)) / len(past))
