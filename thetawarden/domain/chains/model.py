"""Defines what is known of each series beyond its quotes, and how far that holds as time goes on.

Pure. A model is carried along: rate, yield and volatilities stay, these where they are in the
smile's own standardised moneyness. A series of which too little was quoted when all were fitted
anew keeps what was read of it before, carried to this instant, unless too much of the market's way
or of its own time lies between; then it has no model. What was read and cannot be is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.expiry import CALENDAR_YEAR_NS
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows
from thetawarden.domain.remembering import remembered
from thetawarden.domain.surface.parity import ForwardGap
from thetawarden.domain.surface.smile import SmileGap, Smiles

_AGED_BY_MOVE = 0.001
_AGED_BY_TIME = 0.1  # of what an expiry had left
_KEPT_MOVE_FRACTION_MAX = 0.01
_KEPT_TIME_FRACTION_MAX = 0.2  # of what an expiry had left when it was read
MODELS_KEPT = 64
_SAID_TOO_LITTLE = frozenset({str(ForwardGap.TOO_FEW_PAIRS), str(SmileGap.TOO_FEW_QUOTES)})
_OF_FORWARD = frozenset({"tau_years", "spot_usd", "forward_usd", "forward_error_usd", "discount"})
_WORDS = ("forward", "smile", "skew")
NOT_FITTED = "not_fitted"
"""The gap of a series that came after the last fit."""


class SeriesModel(msgspec.Struct, kw_only=True, eq=False):
    """What the last fit found or kept, one entry per series; NaN where there is nothing."""

    tau_years: FloatArray
    spot_usd: FloatArray
    forward_usd: FloatArray
    forward_error_usd: FloatArray
    discount: FloatArray
    atm_iv_annual: FloatArray
    smile_error_vol_points: FloatArray
    put_iv_annual: FloatArray
    call_iv_annual: FloatArray
    skew_log_ratio: FloatArray
    skew_normalised: FloatArray
    scale_variance: FloatArray
    low: FloatArray
    high: FloatArray
    low_slope: FloatArray
    high_slope: FloatArray
    knot_ratio: FloatArray
    knot_curvature: FloatArray


class Read(msgspec.Struct, frozen=True, array_like=True):
    """When a series was read off its quotes, where the underlying stood, and why not since then.

    Of one that has no forward there is nothing to tell.
    """

    at_ns: UnixNs = UnixNs(0)
    spot_usd: float = 0.0
    gap: str = ""


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """Why a series has no forward, no smile, no skew; empty words where it has.

    `reads` has one entry a series, none in older logs.
    """

    forward: tuple[str, ...]
    smile: tuple[str, ...]
    skew: tuple[str, ...]
    reads: tuple[Read, ...] = ()

    def read(self, at: int) -> Read:
        """When and why not since, of one series."""
        return self.reads[at] if self.reads else Read()

    @property
    def unread(self) -> tuple[str, ...]:
        """Why the last fit could not read each series, empty words where it could."""
        return tuple(self.read(at).gap for at in range(len(self.forward)))


class Fitted(msgspec.Struct, frozen=True, eq=False):
    """A model with its gaps."""

    model: SeriesModel
    gaps: Gaps

    @property
    def has_smile(self) -> BoolArray:
        """Which series have a smile, hence a forward."""
        return np.isfinite(self.model.atm_iv_annual)


def has_aged(model: SeriesModel, *, spot_usd: float, since_ns: int) -> bool:
    """Whether the underlying or time has left a model behind."""
    moved = np.abs(spot_usd / model.spot_usd - 1.0)
    passed = since_ns / CALENDAR_YEAR_NS / model.tau_years[model.tau_years > 0.0]
    fresh = (moved < _AGED_BY_MOVE).all() and (passed < _AGED_BY_TIME).all()
    return not fresh  # what cannot be compared is not fresh


def carried(model: SeriesModel, *, spot_usd: FloatArray, tau_years: FloatArray) -> SeriesModel:
    """Return the model as the underlying and the time left are at another instant."""
    with np.errstate(all="ignore"):
        shorter = tau_years / model.tau_years
        return msgspec.structs.replace(
            model,
            tau_years=tau_years,
            spot_usd=spot_usd,
            forward_usd=spot_usd * (model.forward_usd / model.spot_usd) ** shorter,
            discount=model.discount**shorter,
            scale_variance=model.scale_variance * shorter,
        )


def with_known(
    found: Fitted, before: Fitted, *, now_ns: UnixNs, kept_ns_max: int
) -> tuple[Fitted, BoolArray]:
    """Add what is known still of the series of which too little was said now; and say which.

    Both are of the same series. Where a forward was read it stands, and only the smile is kept.
    """
    size = len(found.model.tau_years)
    by_smile, whole = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    reads = list(found.gaps.reads)
    for at in range(size):
        forward_gap = found.gaps.forward[at]
        gap, read = forward_gap or found.gaps.smile[at], before.gaps.read(at)
        had = np.isfinite(before.model.forward_usd[at]) if forward_gap else before.has_smile[at]
        left_years, spot_usd = found.model.tau_years[at], found.model.spot_usd[at]
        if gap not in _SAID_TOO_LITTLE or not had or now_ns - read.at_ns > kept_ns_max:
            continue
        if _holds(read, now_ns=now_ns, left_years=float(left_years), spot_usd=float(spot_usd)):
            (whole if forward_gap else by_smile)[at] = True
            reads[at] = msgspec.structs.replace(read, gap=gap)
    kept = whole | by_smile
    if not kept.any():
        return found, kept
    now = found.model
    model = _merged(
        carried(before.model, spot_usd=now.spot_usd, tau_years=now.tau_years),
        now,
        whole=whole,
        by_smile=by_smile,
    )
    words = {name: _kept_words(name, found, before, kept=kept) for name in _WORDS}
    return Fitted(model, Gaps(**words, reads=tuple(reads))), kept


def _merged(
    old: SeriesModel, new: SeriesModel, *, whole: BoolArray, by_smile: BoolArray
) -> SeriesModel:
    columns = {}
    for name in SeriesModel.__struct_fields__:
        ours, theirs = getattr(old, name), getattr(new, name)
        kept = whole if name in _OF_FORWARD else whole | by_smile
        columns[name] = np.where(kept if ours.ndim == 1 else kept[:, None], ours, theirs)
    return SeriesModel(**columns)


def _kept_words(name: str, found: Fitted, before: Fitted, *, kept: BoolArray) -> tuple[str, ...]:
    old, new = getattr(before.gaps, name), getattr(found.gaps, name)
    return tuple(old[at] if keeps else new[at] for at, keeps in enumerate(kept))


def _holds(read: Read, *, now_ns: int, left_years: float, spot_usd: float) -> bool:
    """Whether neither the underlying nor the time has gone too far since a series was read."""
    age_years = (now_ns - read.at_ns) / CALENDAR_YEAR_NS
    return (
        bool(read.spot_usd)
        and age_years <= _KEPT_TIME_FRACTION_MAX * (left_years + age_years)
        and abs(spot_usd / read.spot_usd - 1.0) <= _KEPT_MOVE_FRACTION_MAX
    )


@remembered(MODELS_KEPT)
def smiles_of(fitted: Fitted) -> Smiles:
    """Return the fitted smiles, for strikes by delta and volatilities anywhere."""
    names = {name for name in Smiles.__struct_fields__ if name != "gaps"}
    return Smiles(
        gaps=tuple(gap or None for gap in fitted.gaps.smile),  # type: ignore[misc]  # words will do
        **{name: getattr(fitted.model, name) for name in names},
    )


def reordered(fitted: Fitted, order: Sequence[int]) -> Fitted:
    """Return what is known for another list of series; -1 stands for one that is new to it."""
    model, gaps, at = fitted.model, fitted.gaps, np.array(order, dtype=np.intp)
    new = at < 0
    columns = {}
    for name in SeriesModel.__struct_fields__:
        column = getattr(model, name)[at] if len(model.tau_years) else _nothing(model, name, at)
        column[new] = np.nan
        columns[name] = column
    words = {
        name: tuple(getattr(gaps, name)[one] if one >= 0 else NOT_FITTED for one in order)
        for name in _WORDS
    }
    reads = tuple(gaps.read(one) if one >= 0 else Read() for one in order)
    return Fitted(SeriesModel(**columns), Gaps(**words, reads=reads))


def _nothing(model: SeriesModel, name: str, at: Rows) -> FloatArray:
    return np.full((len(at), *getattr(model, name).shape[1:]), np.nan)
