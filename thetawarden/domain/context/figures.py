"""Computes what daily bars say of one instrument, and how alike several of them move.

Pure. A figure that the history is too short for is None. Volatilities are annual (0.18), averages
in the price's own unit.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from thetawarden.domain.indicators.adx import directional_movement
from thetawarden.domain.indicators.averages import ema, sma
from thetawarden.domain.indicators.correlation import (
    average_correlation,
    correlation_matrix,
    effective_bets,
)
from thetawarden.domain.indicators.realised import close_to_close, log_returns
from thetawarden.domain.surface.skew import SkewGap, percentile_in_history

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from thetawarden.domain.broker.bars import DailyBar
    from thetawarden.domain.context.histories import History

CORRELATION_DAYS = 60
IV_DAYS, IV_DAYS_MIN = 252, 200
_SAME_INDEX = {"XSP": "SPX", "SPY": "SPX", "QQQ": "NDX", "IWM": "RUT"}
"""What follows an index to the letter: held beside it, it is the same bet and no pair with it."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's daily figures as of its latest session.

    The implied volatility is that of thirty days at the money, at the close of `iv_day`. Its rank
    is where it lay between the lowest and the highest close of the year until then, its percentile
    the share of those closes that were lower.
    """

    day: dt.date
    close_usd: float
    change_fraction: float | None
    sma20: float | None
    sma50: float | None
    sma200: float | None
    ema20: float | None
    ema50: float | None
    ema200: float | None
    adx: float | None
    realised5_annual: float | None
    realised10_annual: float | None
    realised21_annual: float | None
    realised63_annual: float | None
    iv_day: dt.date | None = None
    iv_annual: float | None = None
    iv_rank_fraction: float | None = None
    iv_percentile_fraction: float | None = None


class Likenesses(msgspec.Struct, frozen=True, kw_only=True):
    """How alike the instruments moved until a day; None when a pair cannot be measured."""

    day: dt.date
    symbols: tuple[str, ...]
    average: float | None
    effective_bets: float | None


def figures_of(history: History, implied: History | None = None) -> Figures | None:
    """Return the figures of the latest session, or None without any bar."""
    if not history.bars:
        return None
    bars = history.bars
    close = _column(bars, "close_usd")
    high, low = _column(bars, "high_usd"), _column(bars, "low_usd")
    movement = directional_movement(high=high, low=low, close=close)
    return Figures(
        day=bars[-1].day,
        close_usd=bars[-1].close_usd,
        change_fraction=float(close[-1] / close[-2] - 1.0) if len(close) > 1 else None,
        sma20=_last(sma(close, 20)),
        sma50=_last(sma(close, 50)),
        sma200=_last(sma(close, 200)),
        ema20=_last(ema(close, 20)),
        ema50=_last(ema(close, 50)),
        ema200=_last(ema(close, 200)),
        adx=_last(movement.adx),
        realised5_annual=_last(close_to_close(close, 5)),
        realised10_annual=_last(close_to_close(close, 10)),
        realised21_annual=_last(close_to_close(close, 21)),
        realised63_annual=_last(close_to_close(close, 63)),
        **({} if implied is None else _implied(implied)),
    )


def likenesses_of(
    histories: Mapping[str, History], *, symbols: tuple[str, ...], days: int = CORRELATION_DAYS
) -> Likenesses | None:
    """Return how alike these moved over the latest days all of them have, None if that is none.

    A symbol without a long enough history leaves the average unknown, never out.
    """
    named = tuple(sorted(set(symbols)))
    closes = [
        {bar.day: bar.close_usd for bar in histories[each].bars} if each in histories else {}
        for each in named
    ]
    common = sorted(set.intersection(*map(set, closes))) if closes else []
    if not common:
        return None
    if len(common) <= days:
        return Likenesses(day=common[-1], symbols=named, average=None, effective_bets=None)
    latest = common[-days - 1 :]
    returns = [log_returns(np.array([each[day] for day in latest]))[1:] for each in closes]
    matrix = correlation_matrix(np.column_stack(returns))
    return Likenesses(
        day=common[-1],
        symbols=named,
        average=_known(average_correlation(matrix)),
        effective_bets=_known(effective_bets(matrix)),
    )


def bets_of(held: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is held with one name an index, the one that is held of it, each once.

    How alike an index and its own fund move says nothing of how the book is spread; how much of
    that one bet is held, the limits of the whole book say.
    """
    named: dict[str, str] = {}
    for symbol in sorted(set(held)):
        index = _SAME_INDEX.get(symbol, symbol)
        if index not in named or symbol == index:
            named[index] = symbol
    return tuple(sorted(named.values()))


def breadth_of(figures: Mapping[str, Figures]) -> tuple[dt.date, float] | None:
    """Return the latest session and how many rose in it less how many fell."""
    days = [each.day for each in figures.values() if each.change_fraction is not None]
    if not days:
        return None
    day = max(days)
    changes = [
        each.change_fraction
        for each in figures.values()
        if each.day == day and each.change_fraction is not None
    ]
    return day, float(sum(change > 0.0 for change in changes) - sum(c < 0.0 for c in changes))


def _implied(history: History) -> dict[str, Any]:
    """Where the latest implied volatility stands among those of a year; too few say nothing."""
    if not history.bars:
        return {}
    latest = history.bars[-1]
    found: dict[str, Any] = {"iv_day": latest.day, "iv_annual": latest.close_usd}
    closes = _column(history.bars[-IV_DAYS:], "close_usd")
    if len(closes) < IV_DAYS_MIN:
        return found
    low, high = float(closes.min()), float(closes.max())
    share = percentile_in_history(latest.close_usd, closes[:-1])
    return found | {
        "iv_rank_fraction": (latest.close_usd - low) / (high - low) if high > low else None,
        "iv_percentile_fraction": None if isinstance(share, SkewGap) else share,
    }


def _column(bars: tuple[DailyBar, ...], name: str) -> NDArray[np.float64]:
    return np.array([getattr(bar, name) for bar in bars], dtype=np.float64)


def _last(series: NDArray[np.float64]) -> float | None:
    return _known(float(series[-1])) if len(series) else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
