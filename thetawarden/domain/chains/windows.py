"""Decides which expiries and strikes of a chain are looked at.

Pure. Expiries are chosen by days to go, strikes by their delta on the current smile, or by their
distance from the spot before there is one. A window in which too few qualify widens by itself,
step by step, and narrows again only when the narrower one holds clearly enough; a strike in use
stays in use until it is clearly outside. So a spot that wavers at an edge changes nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.identity import SeriesKey

CHOICES_KEPT = 256
_WEEK_DAYS = 7.0


class ExpiryWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Expiries from `dte_min` to `dte_max` calendar days away, the nearest first, at most some.

    With fewer than `expiries_min` inside it reaches on, day by day, by `dte_reach` at most.
    """

    dte_min: int = 0
    dte_max: int = 7
    expiries_min: int = 1
    expiries_max: int = 5
    dte_reach: int = 45


class StrikeWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Strikes out to `delta_min` on both sides, or `otm_fraction_week` from spot without a smile.

    The fraction is for a week and grows with the root of time. With fewer than `strikes_min` on a
    side the window widens by `widen_factor` a step, `steps_max` at most; it narrows when the
    narrower one has `spare_fraction` more than enough. `hold_fraction` of its breadth is how far
    outside a strike in use must lie before it is let go. More than `strikes_max` are thinned out.
    """

    delta_min: float = 0.02
    otm_fraction_week: float = 0.05
    strikes_min: int = 8
    strikes_max: int = 40
    widen_factor: float = 1.6
    steps_max: int = 4
    spare_fraction: float = 0.25
    hold_fraction: float = 0.1
    pairs: int = 6


class StrikeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen of one series: positions in its list of strikes, and by which window.

    Strikes among `paired` are watched on both rights, the others out of the money only. The
    entries are where a position would be opened now.
    """

    step: int = 0
    low_usd: float = 0.0
    high_usd: float = 0.0
    chosen: tuple[int, ...] = ()
    paired: tuple[int, ...] = ()
    entry_puts: tuple[int, ...] = ()
    entry_calls: tuple[int, ...] = ()


def next_step(*, step: int, counts: Sequence[int], enough: int, spare_fraction: float) -> int:
    """Return how far to widen: `counts` is what qualifies at each step and never falls.

    Widens at once to the first step with enough, or to the last; narrows only where the narrower
    window has that much to spare.
    """
    last = len(counts) - 1
    step = min(step, last)
    if counts[step] < enough:
        return next((wider for wider in range(step, last + 1) if counts[wider] >= enough), last)
    ample = math.ceil(enough * (1.0 + spare_fraction))
    return next((narrower for narrower in range(step) if counts[narrower] >= ample), step)


def choose_expiries(
    keys: Sequence[SeriesKey], *, today: dt.date, windows: Sequence[ExpiryWindow]
) -> tuple[SeriesKey, ...]:
    """Return the series whose expiry lies in any window, in order; both classes of a shared day."""
    return _chosen(tuple(keys), today, tuple(windows))


@functools.lru_cache(maxsize=CHOICES_KEPT)
def _chosen(
    keys: tuple[SeriesKey, ...], today: dt.date, windows: tuple[ExpiryWindow, ...]
) -> tuple[SeriesKey, ...]:
    days = sorted({key.expiry for key in keys if key.expiry >= today})
    wanted: set[dt.date] = set()
    for window in windows:
        wanted.update(_expiries_in(days, today=today, window=window))
    return tuple(sorted(key for key in keys if key.expiry in wanted))


def choose_strikes(
    strike_usd: NDArray[np.float64],
    *,
    before: StrikeChoice,
    edges: NDArray[np.float64],
    spot_usd: float,
    near_usd: Sequence[float],
    window: StrikeWindow,
) -> StrikeChoice:
    """Choose among a series' rising strikes; `edges` is low and high of each step's window.

    `near_usd` are prices around which every strike is kept when the rest is thinned out: the spot
    and where entries are looked for.
    """
    below, above = strike_usd <= spot_usd, strike_usd >= spot_usd
    inside = (strike_usd >= edges[:, :1]) & (strike_usd <= edges[:, 1:])
    counts = np.minimum((inside & below).sum(axis=1), (inside & above).sum(axis=1))
    step = next_step(
        step=before.step,
        counts=counts.tolist(),
        enough=window.strikes_min,
        spare_fraction=window.spare_fraction,
    )
    low, high = edges[step].tolist()
    chosen = inside[step] | _held(strike_usd, before=before, low=low, high=high, window=window)
    paired = nearest_strikes(strike_usd, spot_usd, count=window.pairs, before=before.paired)
    chosen[list(paired)] = True
    kept = _thinned(strike_usd, chosen=chosen, near_usd=(spot_usd, *near_usd), window=window)
    return StrikeChoice(
        step=step,
        low_usd=low,
        high_usd=high,
        chosen=tuple(sorted({*np.flatnonzero(kept).tolist(), *paired})),
        paired=paired,
    )


def edges_by_distance(*, spot_usd: float, dte: float, window: StrikeWindow) -> NDArray[np.float64]:
    """Low and high of every step's window around the spot, for a series without a smile."""
    steps = np.arange(window.steps_max + 1)
    reach = window.otm_fraction_week * math.sqrt(max(dte, 1.0) / _WEEK_DAYS)
    fraction = np.minimum(reach * window.widen_factor**steps, 0.95)
    return np.stack([spot_usd * (1.0 - fraction), spot_usd * (1.0 + fraction)], axis=1)


def edges_by_delta(
    strike_usd: NDArray[np.float64], call_delta: NDArray[np.float64], *, window: StrikeWindow
) -> NDArray[np.float64]:
    """Low and high of every step's window, from what a call of each rising strike has of delta.

    Where the listed strikes end before the delta does, the window ends with them.
    """
    steps = np.arange(window.steps_max + 1, dtype=np.float64)
    delta: NDArray[np.float64] = window.delta_min / window.widen_factor**steps
    edges = [price_of_delta(strike_usd, call_delta, wanted) for wanted in (1.0 - delta, delta)]
    return np.stack(edges, axis=1)


def price_of_delta(
    strike_usd: NDArray[np.float64],
    call_delta: NDArray[np.float64],
    wanted: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Return the price at which a call's delta is as wanted, between the nearest strikes.

    A put's delta is its call's less one. Good enough to choose strikes by, at the cost of a look.
    """
    found = np.interp(wanted, call_delta[::-1], strike_usd[::-1])
    return np.asarray(found, dtype=np.float64)


def nearest_strikes(
    strike_usd: NDArray[np.float64], price_usd: float, *, count: int, before: Sequence[int]
) -> tuple[int, ...]:
    """Return the strikes closest to a price; one that was among them stays while barely farther."""
    if not math.isfinite(price_usd) or count <= 0:
        return ()
    away = np.abs(strike_usd - price_usd)
    ranked = np.argsort(away, kind="stable")[: count + 1].tolist()
    kept = [at for at in before if at in ranked][:count]
    fresh = [at for at in ranked if at not in kept]
    return tuple(sorted((*kept, *fresh)[:count]))


def _expiries_in(
    days: Sequence[dt.date], *, today: dt.date, window: ExpiryWindow
) -> Sequence[dt.date]:
    """Those of rising days that a window takes, reached beyond its end where it has too few."""
    away = [(day - today).days for day in days]
    first = bisect_left(away, window.dte_min)
    ends = [bisect_right(away, window.dte_max + more) for more in range(window.dte_reach + 1)]
    counts = [max(0, end - first) for end in ends]
    reach = next_step(step=0, counts=counts, enough=window.expiries_min, spare_fraction=0.0)
    return days[first : ends[reach]][: window.expiries_max]


def _held(
    strike_usd: NDArray[np.float64],
    *,
    before: StrikeChoice,
    low: float,
    high: float,
    window: StrikeWindow,
) -> NDArray[np.bool_]:
    """The strikes in use that are not clearly outside."""
    held = np.zeros(len(strike_usd), dtype=np.bool_)
    slack = window.hold_fraction * (high - low)
    used = [at for at in before.chosen if at < len(strike_usd)]
    held[used] = (strike_usd[used] >= low - slack) & (strike_usd[used] <= high + slack)
    return held


def _thinned(
    strike_usd: NDArray[np.float64],
    *,
    chosen: NDArray[np.bool_],
    near_usd: Sequence[float],
    window: StrikeWindow,
) -> NDArray[np.bool_]:
    """Every second, fourth … strike of the list where there are too many, all of them near."""
    count = int(chosen.sum())
    if count <= window.strikes_max:
        return chosen
    stride = 2 ** math.ceil(math.log2(count / window.strikes_max))
    kept: NDArray[np.bool_] = chosen & (np.arange(len(strike_usd)) % stride == 0)
    for price in near_usd:
        if math.isfinite(price):
            closest = np.argsort(np.abs(strike_usd - price), kind="stable")[: window.pairs]
            kept[closest[chosen[closest]]] = True
    return kept
