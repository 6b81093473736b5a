"""Computes the same long-run figures from any market's daily series."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Figures: TypeAlias = dict[str, float]


def of_index(close: Floats) -> Figures:
    """Return moments of daily returns, clustering and drawdowns."""
    r = np.diff(np.log(close))
    z = (r - r.mean()) / r.std()
    size = np.abs(r)
    fall = close / np.maximum.accumulate(close) - 1.0
    return {
        "SPX return, % a year": 252e2 * float(r.mean()),
        "SPX volatility, % a year": 100.0 * float(r.std()) * 252**0.5,
        "SPX daily returns, skewness": float(np.mean(z**3)),
        "SPX daily returns, kurtosis": float(np.mean(z**4)),
        "SPX worst day, %": 100.0 * float(np.expm1(r.min())),
        "SPX best day, %": 100.0 * float(np.expm1(r.max())),
        "autocorrelation of daily move, 1 day": _lagged(size, 1),
        "autocorrelation of daily move, 20 days": _lagged(size, 20),
        "deepest drawdown, %": 100.0 * float(fall.min()),
        "share of days more than 10 % below the high": float(np.mean(fall < -0.10)),
        "share of days more than 20 % below the high": float(np.mean(fall < -0.20)),
    }


def of_vix(close: Floats, vix: Floats) -> Figures:
    """Return level and memory of the VIX, and how it stands to what comes after it."""
    r, log_vix = np.diff(np.log(close)), np.log(vix)
    moves = np.diff(log_vix)
    ahead = np.lib.stride_tricks.sliding_window_view(r, 21)
    realised = 100.0 * np.sqrt(12.0 * np.sum(ahead**2, axis=1))
    now = vix[: len(realised)]
    centred = (log_vix - log_vix.mean()) / log_vix.std()
    return {
        "VIX mean": float(vix.mean()),
        "VIX median": float(np.median(vix)),
        "VIX 5th percentile": float(np.quantile(vix, 0.05)),
        "VIX 95th percentile": float(np.quantile(vix, 0.95)),
        "VIX lowest": float(vix.min()),
        "VIX highest": float(vix.max()),
        "skewness of ln VIX": float(np.mean(centred**3)),
        "VIX autocorrelation, 1 day": _lagged(vix, 1),
        "VIX autocorrelation, 5 days": _lagged(vix, 5),
        "VIX autocorrelation, 21 days": _lagged(vix, 21),
        "VIX autocorrelation, 63 days": _lagged(vix, 63),
        "VIX autocorrelation, 252 days": _lagged(vix, 252),
        "daily change of ln VIX, sd %": 100.0 * float(moves.std()),
        "correlation of that with SPX return": float(np.corrcoef(moves, r)[0, 1]),
        "VIX less volatility realised after it, mean": float(np.mean(now - realised)),
        "the same, median": float(np.median(now - realised)),
        "share of days VIX exceeds what follows": float(np.mean(now > realised)),
    }


def of_curve(vix: Floats, vix3m: Floats, vix9d: Floats) -> Figures:
    """Return how often the curve of volatility indices rises, and where it inverts."""
    high = vix > 30.0
    return {
        "VIX / VIX3M, mean": float(np.mean(vix / vix3m)),
        "share of days VIX < VIX3M": float(np.mean(vix < vix3m)),
        "share of days VIX > VIX3M when VIX > 30": float(np.mean(vix[high] > vix3m[high])),
        "VIX9D / VIX, mean": float(np.mean(vix9d / vix)),
        "share of days VIX9D < VIX": float(np.mean(vix9d < vix)),
    }


def of_futures(first: Floats, second: Floats) -> Figures:
    """Return how the first two VIX futures stand to each other."""
    return {
        "share of days first VIX future < second": float(np.mean(first < second)),
        "second / first VIX future, mean": float(np.mean(second / first)),
    }


def of_stocks(returns: Floats, vix: Floats) -> Figures:
    """Return how large stocks move together in calm and in fear."""
    return {
        "mean correlation of stocks, VIX < 15": _together(returns[vix < 15.0]),
        "mean correlation of stocks, VIX > 30": _together(returns[vix > 30.0]),
    }


def memory(vix: Floats, lags: Floats) -> Floats:
    """Return the autocorrelation of the VIX at lags in sessions."""
    return np.array([_lagged(vix, int(lag)) for lag in lags])


def _lagged(values: Floats, lag: int) -> float:
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def _together(returns: Floats) -> float:
    matrix: Floats = np.atleast_2d(np.corrcoef(returns.T))
    return float(np.mean(matrix[np.triu_indices(len(matrix), 1)]))
