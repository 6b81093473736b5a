"""Draws the view of a chain from its table and its model.

Pure. Everything is judged at this instant: a quote that was usable at the last view may be too old
for this one though nothing was said of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.doubts import CODES, Doubt, DoubtLimits
from thetawarden.domain.chains.model import MODELS_KEPT, Fitted, SeriesModel
from thetawarden.domain.chains.plan import WatchedSeries
from thetawarden.domain.chains.spot import Spot, SpotDoubt
from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.chains.verdicts import Frame, doubt_rows
from thetawarden.domain.chains.view import ChainSummary, ChainView, SeriesView, pack_rows
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.pricing.arrays import BoolArray
from thetawarden.domain.pricing.reasons import Codes
from thetawarden.domain.remembering import remembered
from thetawarden.domain.surface.skew import SkewGap, percentile_in_history

_FROM_TABLE = (
    *("conid", "series", "strike_usd", "is_call", "bid_size", "ask_size", "volume"),
    *("open_interest", "iv_annual", "smile_iv_annual", "delta_per_share", "gamma_per_usd"),
    *("vega_usd_per_vol_point", "theta_usd_per_day", "broker_iv_annual", "broker_delta", "at_ns"),
)
_MODELLED = ("delta_per_share", "gamma_per_usd")  # of old, where there is no volatility
_CARRIED = ("tau_years", "forward_usd", "discount")
_FROM_MODEL = (
    *("tau_years", "forward_usd", "forward_error_usd", "discount", "atm_iv_annual"),
    *("smile_error_vol_points", "put_iv_annual", "call_iv_annual"),
    *("skew_log_ratio", "skew_normalised"),
)


def draw(
    *,
    underlying: str,
    number: int,
    epoch: int,
    series: Sequence[WatchedSeries],
    table: QuoteTable,
    fitted: Fitted | None,
    carried: SeriesModel | None,
    fitted_ns: UnixNs,
    spot: Spot,
    spot_doubt: SpotDoubt | None,
    skews: Sequence[float],
    frame: Frame,
    quote_codes: Codes,
    limits: DoubtLimits,
) -> ChainView:
    """Return the chain as it is; `quote_codes` are what the quotes themselves give.

    What was fitted is shown carried to this instant.
    """
    known = _modelled(fitted, len(series))
    codes = doubt_rows(table, quote_codes, has_forward=known, limits=limits)
    usable = codes == 0
    columns = {name: getattr(table, name) for name in _FROM_TABLE} | {"doubt": codes}
    bare = np.isnan(table.iv_annual) & np.isnan(table.smile_iv_annual) | ~known[table.series]
    for name in _MODELLED if bare.any() else ():
        columns[name] = np.where(bare, np.nan, columns[name])
    columns["bid_usd"] = np.where(usable, table.sound_bid_usd, table.bid_usd)
    columns["ask_usd"] = np.where(usable, table.sound_ask_usd, table.ask_usd)
    return ChainView(
        underlying=underlying,
        number=number,
        at_ns=UnixNs(frame.now_ns),
        epoch=epoch,
        spot_usd=spot.price_usd or None,
        spot_at_ns=spot.at_ns,
        spot_doubt=str(spot_doubt or ""),
        fitted_ns=fitted_ns,
        series=_series_views(series, table, usable, fitted=fitted, carried=carried, skews=skews),
        summary=_summary(table, codes, frame.now_ns),
        columns=pack_rows(columns),
    )


def _modelled(fitted: Fitted | None, size: int) -> BoolArray:
    if fitted is None:
        return np.zeros(size, dtype=np.bool_)
    return np.isfinite(fitted.model.forward_usd)


def _series_views(
    series: Sequence[WatchedSeries],
    table: QuoteTable,
    usable: BoolArray,
    *,
    fitted: Fitted | None,
    carried: SeriesModel | None,
    skews: Sequence[float],
) -> tuple[SeriesView, ...]:
    size, history = len(series), np.array(skews, dtype=np.float64)
    now = [_figures_now(carried, at) for at in range(size)]
    counts = np.bincount(table.series, minlength=size).tolist()
    good = np.bincount(table.series[usable], minlength=size).tolist()
    return tuple(
        _series_view(
            one,
            at,
            rows=counts[at],
            usable=good[at],
            now=now[at],
            fitted=fitted,
            history=history,
        )
        for at, one in enumerate(series)
    )


def _series_view(
    one: WatchedSeries,
    at: int,
    *,
    rows: int,
    usable: int,
    now: dict[str, float | None],
    fitted: Fitted | None,
    history: NDArray[np.float64],
) -> SeriesView:
    figures: dict[str, Any] = {}
    if fitted is not None:
        model, gaps = fitted.model, fitted.gaps
        figures, read = dict(_figures(model)[at]), gaps.read(at)
        found = percentile_in_history(float(model.skew_normalised[at]), history)
        unknown = isinstance(found, SkewGap)
        figures |= now | {
            "skew_percentile": None if unknown else found,
            "percentile_gap": str(found) if unknown else "",
            "forward_gap": gaps.forward[at],
            "smile_gap": gaps.smile[at],
            "skew_gap": gaps.skew[at],
            "read_ns": read.at_ns,
            "unread": read.gap,
        }
    return SeriesView(
        trading_class=one.key.trading_class,
        expiry=one.key.expiry,
        settlement=one.settlement,
        settles_ns=one.settles_ns,
        last_trade_ns=one.last_trade_ns,
        rows=rows,
        usable=usable,
        **figures,
    )


def _figures_now(carried: SeriesModel | None, at: int) -> dict[str, float | None]:
    if carried is None:
        return {}
    return {name: _known(float(getattr(carried, name)[at])) for name in _CARRIED}


@remembered(MODELS_KEPT)
def _figures(model: SeriesModel) -> tuple[dict[str, float | None], ...]:
    """What a model says of each series; None for what it could not find."""
    columns = [[_known(value) for value in getattr(model, name).tolist()] for name in _FROM_MODEL]
    return tuple(
        dict(zip(_FROM_MODEL, of_one, strict=True)) for of_one in zip(*columns, strict=True)
    )


def _summary(table: QuoteTable, codes: Codes, now_ns: int) -> ChainSummary:
    usable = codes == 0
    counts = np.bincount(codes, minlength=len(CODES) + 1).tolist()
    doubts = tuple((doubt, counts[CODES[doubt]]) for doubt in Doubt if counts[CODES[doubt]])
    if not usable.any():
        return ChainSummary(rows=len(codes), usable=0, doubts=doubts)
    bid, ask = table.sound_bid_usd[usable], table.sound_ask_usd[usable]
    return ChainSummary(
        rows=len(codes),
        usable=int(usable.sum()),
        doubts=doubts,
        widest_fraction=float(np.max(2.0 * (ask - bid) / (ask + bid))),
        oldest_ns=int(now_ns - table.at_ns[usable].min()),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
