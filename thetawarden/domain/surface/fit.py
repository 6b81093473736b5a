"""Fits one smile per expiry to implied volatilities: smooth, robust, free of butterfly arbitrage.

Pure. Penalised least squares in total variance, quote by quote weighted with how well it is
known; quotes that disagree with their neighbours count less; where a smile would imply a negative
probability it is made stiffer until it does not (what is left is for `arbitrage` to report).
Linear and deterministic: no starting guess, no local minimum. Knows no prices: the caller brings
implied volatilities with their errors (half a spread, in annual volatility).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.surface.smile import (
    RATIO_MIN,
    SmileGap,
    Smiles,
    SmileValues,
    density_factor,
)
from thetawarden.domain.surface.spline import CURVATURES, KNOTS, ROUGHNESS, basis, evaluate

_WING_SLOPE_MAX: Final = 2.0
_HUBER_ERRORS: Final = 4.0
_ROBUST_ROUNDS: Final = 2
_DENSITY_MIN: Final = 0.005  # above 0: the grid may step over the lowest point
_ERROR_MIN: Final = 1e-4  # of a volatility; what counts as known exactly
_IV_MIN: Final = 1e-3  # outside these bounds, or not finite: no volatility anybody quoted
_IV_MAX: Final = 20.0
_LOG_MONEYNESS_MAX: Final = 20.0
_RIDGE: Final = 1e-9  # towards a flat smile; only felt where quotes determine nothing
_FLAT: Final[FloatArray] = _RIDGE * np.eye(len(KNOTS))
_UNIT_CURVATURES: Final[FloatArray] = np.ascontiguousarray(CURVATURES.T)
_GRID: Final[FloatArray] = np.union1d(KNOTS, np.linspace(KNOTS[0], KNOTS[-1], 165))
_GRID_MATRICES: Final = tuple(
    table.reshape(len(KNOTS), len(_GRID))
    for table in evaluate(
        np.eye(len(KNOTS)),
        _UNIT_CURVATURES,
        row=np.repeat(np.arange(len(KNOTS)), len(_GRID)),
        x=np.tile(_GRID, len(KNOTS)),
    )
)


class SmilePoints(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is fitted: one row per usable out-of-the-money quote."""

    expiry: NDArray[np.intp]
    log_moneyness: FloatArray
    iv_annual: FloatArray
    iv_error_annual: FloatArray


class FitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a smile weighs closeness against smoothness.

    Mids scatter far less than half a spread: `error_fraction` of it is taken as one standard
    error, never below `iv_error_min`. `roughness` is the price of squared curvature.
    """

    error_fraction: float = 0.25
    iv_error_min: float = 0.0003
    roughness: float = 3.0
    stiffen_factor: float = 4.0
    stiffen_rounds: int = 8
    quotes_min: int = 5


class SmileFit(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Smiles with their errors: root mean square in vol points and share of quotes met.

    The mean weighs quotes with their own precision; met is met within half a spread. Quotes
    beyond the outermost knots are neither fitted nor counted.
    """

    smiles: Smiles
    error_vol_points: FloatArray
    within_fraction: FloatArray
    quotes: NDArray[np.intp]


class _Rows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Points in rising expiry, standardised; `starts` brackets each expiry's rows."""

    expiry: NDArray[np.intp]
    iv_annual: FloatArray
    iv_error_annual: FloatArray
    x: FloatArray
    ratio: FloatArray
    weight: FloatArray
    basis: FloatArray
    starts: NDArray[np.intp]
    scale_variance: FloatArray

    def of(self, expiry: int) -> slice:
        """Where an expiry's rows are."""
        return slice(int(self.starts[expiry]), int(self.starts[expiry + 1]))


def fit_smiles(
    points: SmilePoints,
    *,
    tau_years: FloatArray,
    forward_usd: FloatArray,
    discount: FloatArray,
    settings: FitSettings | None = None,
) -> SmileFit:
    """Fit every expiry that has a forward, time left and enough quotes; the others say why not."""
    settings = settings or FitSettings()
    rows = _standardise(
        points, tau_years=tau_years, alive=np.isfinite(forward_usd), settings=settings
    )
    counts = np.diff(rows.starts)
    gaps = _gaps(tau_years, forward_usd, counts >= settings.quotes_min)
    wanted = np.flatnonzero([gap is None for gap in gaps])
    low, high = np.full(len(tau_years), np.nan), np.full(len(tau_years), np.nan)
    for expiry in wanted.tolist():
        mine = rows.x[rows.of(expiry)]
        low[expiry], high[expiry] = mine.min(), mine.max()
    values = _smooth(rows, wanted=wanted, low=low, high=high, settings=settings)
    for expiry in wanted[~_positive(values[wanted], low[wanted], high[wanted])]:
        gaps[expiry], values[expiry] = SmileGap.NOT_POSITIVE, np.nan
    curvatures = values @ CURVATURES.T
    steepest = _WING_SLOPE_MAX / np.sqrt(rows.scale_variance)
    everywhere = np.arange(len(tau_years))
    with np.errstate(invalid="ignore"):
        _, low_slope, _ = evaluate(values, curvatures, row=everywhere, x=np.nan_to_num(low))
        _, high_slope, _ = evaluate(values, curvatures, row=everywhere, x=np.nan_to_num(high))
    smiles = Smiles(
        tau_years=tau_years,
        forward_usd=forward_usd,
        discount=discount,
        gaps=tuple(gaps),
        scale_variance=rows.scale_variance,
        low=low,
        high=high,
        low_slope=np.clip(low_slope, -steepest, 0.0),
        high_slope=np.clip(high_slope, 0.0, steepest),
        knot_ratio=values,
        knot_curvature=curvatures,
    )
    return _with_errors(smiles, rows)


def _standardise(
    points: SmilePoints, *, tau_years: FloatArray, alive: BoolArray, settings: FitSettings
) -> _Rows:
    """Drop what cannot be fitted, bring the rest into moneyness and variance of order one."""
    size = len(tau_years)
    kept = (
        (alive & (tau_years > 0.0))[points.expiry]
        & (np.abs(points.log_moneyness) < _LOG_MONEYNESS_MAX)
        & (points.iv_annual > _IV_MIN)
        & (points.iv_annual < _IV_MAX)
        & (points.iv_error_annual >= 0.0)
        & (points.iv_error_annual < _IV_MAX)
    )
    order = np.flatnonzero(kept)
    order = order[np.argsort(points.expiry[order], kind="stable")]
    scale = _at_the_money(points, order=order, tau_years=tau_years)
    x = points.log_moneyness[order] / np.sqrt(scale[points.expiry[order]])
    near = (x > KNOTS[0]) & (x < KNOTS[-1])
    order, x = order[near], x[near]
    expiry, iv = points.expiry[order], points.iv_annual[order]
    unit = tau_years[expiry] / scale[expiry]
    error = points.iv_error_annual[order]
    one_error = np.maximum(error * settings.error_fraction, settings.iv_error_min)
    return _Rows(
        expiry=expiry,
        iv_annual=iv,
        iv_error_annual=error,
        x=x,
        ratio=iv**2 * unit,
        weight=1.0 / (2.0 * iv * unit * one_error),
        basis=basis(x),
        starts=np.searchsorted(expiry, np.arange(size + 1)),
        scale_variance=scale,
    )


def _at_the_money(
    points: SmilePoints, *, order: NDArray[np.intp], tau_years: FloatArray
) -> FloatArray:
    """Total variance of each expiry's quote nearest to the money; NaN where there is none."""
    scale = np.full(len(tau_years), np.nan)
    farthest_first = order[np.argsort(-np.abs(points.log_moneyness[order]), kind="stable")]
    expiry = points.expiry[farthest_first]
    scale[expiry] = points.iv_annual[farthest_first] ** 2 * tau_years[expiry]  # the last one stays
    return scale


def _gaps(
    tau_years: FloatArray, forward_usd: FloatArray, enough: BoolArray
) -> list[SmileGap | None]:
    reasons: list[SmileGap | None] = [None] * len(tau_years)
    for expiry, tau in enumerate(tau_years):
        if not tau > 0.0:
            reasons[expiry] = SmileGap.EXPIRED
        elif not np.isfinite(forward_usd[expiry]):
            reasons[expiry] = SmileGap.NO_FORWARD
        elif not enough[expiry]:
            reasons[expiry] = SmileGap.TOO_FEW_QUOTES
    return reasons


def _smooth(
    rows: _Rows,
    *,
    wanted: NDArray[np.intp],
    low: FloatArray,
    high: FloatArray,
    settings: FitSettings,
) -> FloatArray:
    """Knot values of every wanted expiry, NaN elsewhere; stiffer where probability is negative."""
    values = np.full((len(low), len(KNOTS)), np.nan)
    stiffness = np.full(len(wanted), settings.roughness)
    density = _Density.within(low[wanted], high[wanted], scale_variance=rows.scale_variance[wanted])
    quotes, todo = _equations(rows, rows.weight, expiries=wanted), np.arange(len(wanted))
    for _ in range(settings.stiffen_rounds):
        if not todo.size:
            break
        values[wanted[todo]] = quotes.of(todo).smoothed(stiffness[todo])
        for _ in range(_ROBUST_ROUNDS - 1):
            weight = _robust_weight(rows, values)
            again = _equations(rows, weight, expiries=wanted[todo])
            values[wanted[todo]] = again.smoothed(stiffness[todo])
        lowest = density.lowest(values[wanted[todo]], expiries=todo)
        todo = todo[lowest < _DENSITY_MIN]
        stiffness[todo] *= settings.stiffen_factor
    return values


class _Equations(msgspec.Struct, frozen=True, eq=False):
    """What each expiry's quotes say of the knots, by least squares."""

    gram: FloatArray
    right: FloatArray

    def of(self, expiries: NDArray[np.intp]) -> _Equations:
        """Those of some expiries."""
        return _Equations(self.gram[expiries], self.right[expiries])

    def smoothed(self, stiffness: FloatArray) -> FloatArray:
        """The knot values where the quotes and a smooth curve are in balance."""
        gram = stiffness[:, None, None] * ROUGHNESS
        gram += self.gram
        found = np.linalg.solve(gram, self.right[..., None])[..., 0]
        return found.astype(np.float64, copy=False)


def _equations(rows: _Rows, weight: FloatArray, *, expiries: NDArray[np.intp]) -> _Equations:
    size = len(KNOTS)
    gram, right = np.empty((len(expiries), size, size)), np.empty((len(expiries), size))
    weighted = rows.basis * weight[:, None]
    target = rows.ratio * weight
    for place, expiry in enumerate(expiries.tolist()):
        mine = rows.of(expiry)
        block = weighted[mine]
        np.matmul(block.T, block, out=gram[place])
        np.matmul(target[mine], block, out=right[place])
    gram += _FLAT
    right += _RIDGE
    return _Equations(gram, right)


def _robust_weight(rows: _Rows, values: FloatArray) -> FloatArray:
    """Weights of the next round: a quote far off its smile pulls no harder than one a bit off."""
    fitted = np.einsum("ij,ij->i", rows.basis, values[rows.expiry])
    deviation = np.abs(fitted - rows.ratio) * rows.weight
    weight: FloatArray = rows.weight * np.sqrt(
        np.minimum(1.0, _HUBER_ERRORS / np.maximum(deviation, _HUBER_ERRORS))
    )
    return weight


def _inside(low: FloatArray, high: FloatArray) -> BoolArray:
    inside: BoolArray = (low[:, None] <= _GRID) & (high[:, None] >= _GRID)
    return inside


def _positive(values: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    above = (values @ _GRID_MATRICES[0] > RATIO_MIN) | ~_inside(low, high)
    return np.asarray(above.all(axis=1))


class _Density(msgspec.Struct, frozen=True, eq=False):
    """Where the densities of some expiries are looked at: on the grid, and where the wings begin.

    `edges` are what knot values make of value, slope and curvature there; `told` marks the places
    within an expiry's quotes. The wing beyond an edge has no curvature.
    """

    x: FloatArray
    told: BoolArray
    edges: tuple[FloatArray, ...]
    scale_variance: FloatArray

    @classmethod
    def within(cls, low: FloatArray, high: FloatArray, *, scale_variance: FloatArray) -> _Density:
        """Lay out the places of every expiry."""
        at = np.stack([low, high], axis=1)
        knots, size = len(KNOTS), at.size
        edges = evaluate(
            np.eye(knots),
            _UNIT_CURVATURES,
            row=np.repeat(np.arange(knots), size),
            x=np.tile(at.ravel(), knots),
        )
        by_expiry = [table.reshape(knots, *at.shape).transpose(1, 0, 2) for table in edges]
        grid = np.broadcast_to(_GRID, (len(at), _GRID.size))
        inside = [_inside(low, high), np.ones(at.shape, dtype=np.bool_)]
        return cls(np.hstack([grid, at]), np.hstack(inside), tuple(by_expiry), scale_variance)

    def lowest(self, values: FloatArray, *, expiries: NDArray[np.intp]) -> FloatArray:
        """The lowest density factor of each of these smiles within its quotes."""
        ratio, slope, curvature = np.empty((3, len(values), _GRID.size + 2))
        for out, grid, edges in zip(
            (ratio, slope, curvature), _GRID_MATRICES, self.edges, strict=True
        ):
            np.matmul(values, grid, out=out[:, :-2])
            out[:, -2:] = np.matmul(values[:, None, :], edges[expiries])[:, 0]
        wings = curvature[:, -2:]
        np.minimum(wings, 0.0, out=wings)
        scale = self.scale_variance[expiries]
        density = _density(self.x[expiries], ratio, slope, curvature, scale_variance=scale)
        lowest: FloatArray = np.where(self.told[expiries], density, np.inf).min(axis=1)
        return lowest


def _density(
    x: FloatArray,
    ratio: FloatArray,
    slope: FloatArray,
    curvature: FloatArray,
    *,
    scale_variance: FloatArray,
) -> FloatArray:
    scale = scale_variance[:, None]
    deviation = np.sqrt(scale)
    standard = SmileValues(
        total_variance=scale * np.maximum(ratio, RATIO_MIN),
        slope=deviation * slope,
        curvature=curvature,
    )
    return density_factor(standard, log_moneyness=x * deviation)


def _with_errors(smiles: Smiles, rows: _Rows) -> SmileFit:
    size = len(smiles.tau_years)
    ratio = np.einsum("ij,ij->i", rows.basis, smiles.knot_ratio[rows.expiry])
    unit = rows.scale_variance[rows.expiry] / smiles.tau_years[rows.expiry]
    off = np.sqrt(np.maximum(ratio, RATIO_MIN) * unit) - rows.iv_annual
    precision = 1.0 / np.maximum(rows.iv_error_annual, _ERROR_MIN) ** 2
    counts = np.bincount(rows.expiry, minlength=size)
    within = np.abs(off) <= rows.iv_error_annual
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.bincount(rows.expiry, weights=precision * off**2, minlength=size)
        mean_square = squares / np.bincount(rows.expiry, weights=precision, minlength=size)
        share = np.bincount(rows.expiry, weights=within, minlength=size) / counts
    return SmileFit(
        smiles=smiles,
        error_vol_points=100.0 * np.sqrt(mean_square),
        within_fraction=np.where(np.isnan(mean_square), np.nan, share),
        quotes=counts,
    )
