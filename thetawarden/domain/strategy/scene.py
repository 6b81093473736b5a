"""Gathers all that a strategy may look at: one chain, the market's state, and what is held."""

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.view import (
    ChainRows,
    ChainView,
    read_rows,
    row_liquidity,
)
from thetawarden.domain.context.figures import Figures
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.contracts import OptionClass, Right, UnderlyingKind
from thetawarden.domain.market.events import EarningsCalendar
from thetawarden.domain.market.products import (
    CENT_THEN_NICKEL,
    OPTION_CLASSES,
    classes_of,
    stock_option_class,
)
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBand
from thetawarden.domain.strategy.candidate import CandidateLeg
from thetawarden.domain.strategy.portfolio import Portfolio
from thetawarden.domain.surface.liquidity import Liquidity, LiquidityScale
from thetawarden.domain.units import as_written

_NORMAL = next(band for band in DEFAULT_BANDS if band.band is VixBand.NORMAL)
_POINT_SCALES = {"XSP": 0.1, "SPY": 0.1, "QQQ": 0.1, "IWM": 0.1}


class Scene(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One underlying at an instant.

    `otm_fraction` is how far out of the money each row is, of the spot, negative in the money;
    `mid_usd` is NaN for rows that may not be traded on. `earnings` None is not known.
    `known`, `legs` and `picked` are what was looked for already: strategies look for much the same.
    """

    view: ChainView
    rows: ChainRows
    liquidity: Liquidity
    now_ns: UnixNs
    today: dt.date
    spot_usd: float
    regime: Regime | None
    figures: Figures | None
    portfolio: Portfolio
    earnings: EarningsCalendar | None
    otm_fraction: FloatArray
    mid_usd: FloatArray
    known: dict[tuple[int, bool], Rows]
    legs: dict[tuple[int, int], CandidateLeg]
    picked: dict[tuple[float, ...], int | None]

    @property
    def underlying(self) -> str:
        """Whose chain it is."""
        return self.view.underlying

    @property
    def kind(self) -> UnderlyingKind:
        """What the options are written on."""
        return kind_of(self.underlying)

    @property
    def point_scale(self) -> float:
        """What a point of a full-sized index is here."""
        return _POINT_SCALES.get(self.underlying, 1.0)

    @property
    def delta_scale(self) -> float:
        """What the market's state leaves of a delta aimed at: 1 in a normal market, never more."""
        if self.regime is None:
            return 1.0
        terms = self.regime.vix.terms
        band = 1.0
        if terms is not None:
            middle = terms.delta_per_share_min + terms.delta_per_share_max
            band = middle / (_NORMAL.delta_per_share_min + _NORMAL.delta_per_share_max)
        return min(band, 1.0) * min(self.regime.delta_fraction, 1.0)

    def dte(self, series: int) -> int:
        """Calendar days to the expiry of a series."""
        return (self.view.series[series].expiry - self.today).days

    def series_within(self, dte_min: int, dte_max: int) -> tuple[int, ...]:
        """The series of these days to go that still trade, the nearest first."""
        return tuple(
            sorted(
                (
                    place
                    for place, one in enumerate(self.view.series)
                    if dte_min <= self.dte(place) <= dte_max and one.last_trade_ns > self.now_ns
                ),
                key=lambda place: (self.view.series[place].expiry, place),
            )
        )

    def side(self, series: int, *, is_call: bool) -> Rows:
        """The usable rows of one series and right that have a delta; looked for once."""
        found = self.known.get((series, is_call))
        if found is None:
            rows = self.rows
            mask = (rows.series == series) & (rows.is_call == is_call) & np.isfinite(self.mid_usd)
            found = np.flatnonzero(mask & np.isfinite(rows.delta_per_share))
            self.known[series, is_call] = found
        return found

    def is_held(self, rows: Rows, *, long: bool) -> BoolArray:
        """Which rows some trade is long of, or short of: their other side would undo that trade."""
        held = (self.portfolio.longs if long else self.portfolio.shorts)(self.underlying)
        conids = {one.conid for one in held}
        if not conids:
            return np.zeros(len(rows), dtype=np.bool_)
        return np.array(
            [conid in conids for conid in self.rows.conid[rows].tolist()], dtype=np.bool_
        )

    def instrument(self, row: int) -> Instrument:
        """One row as the broker is told of it."""
        return option_of(self.view, self.rows, row)

    def terms(self, trading_class: str) -> OptionClass:
        """The exchange's terms of a class; a class of no terms of its own is a stock's."""
        return class_terms(trading_class, self.underlying)


def option_of(view: ChainView, rows: ChainRows, row: int) -> Instrument:
    """Return a row of a chain as the broker is told of it."""
    series = view.series[int(rows.series[row])]
    return Instrument(
        conid=int(rows.conid[row]),
        kind=InstrumentKind.OPTION,
        symbol=view.underlying,
        multiplier=class_terms(series.trading_class, view.underlying).multiplier,
        trading_class=series.trading_class,
        expiry=series.expiry,
        strike=as_written(float(rows.strike_usd[row])),
        right=Right.CALL if rows.is_call[row] else Right.PUT,
    )


def open_scene(
    view: ChainView,
    *,
    now_ns: UnixNs,
    regime: Regime | None,
    figures: Figures | None,
    portfolio: Portfolio,
    earnings: EarningsCalendar | None = None,
    scale: LiquidityScale | None = None,
) -> Scene | str:
    """Return the scene of a view, or in words why its chain cannot be judged at all."""
    spot = view.spot_usd
    if spot is None or view.spot_doubt:
        return f"the price of {view.underlying} is {view.spot_doubt or 'unknown'}"
    if not view.fitted_ns:
        return f"no model has been fitted to the chain of {view.underlying} yet"
    rows = read_rows(view)
    with np.errstate(all="ignore"):
        liquidity = row_liquidity(rows, scale)
    away = rows.strike_usd / spot - 1.0
    return Scene(
        view=view,
        rows=rows,
        liquidity=liquidity,
        now_ns=now_ns,
        today=new_york_date(now_ns),
        spot_usd=spot,
        regime=regime,
        figures=figures,
        portfolio=portfolio,
        earnings=earnings,
        otm_fraction=np.where(rows.is_call, away, -away),
        mid_usd=rows.mid_usd,
        known={},
        legs={},
        picked={},
    )


def kind_of(underlying: str) -> UnderlyingKind:
    """Return what an underlying is; a name without classes of its own is a stock's."""
    classes = classes_of(underlying)
    return classes[0].underlying_kind if classes else UnderlyingKind.STOCK


def class_terms(trading_class: str, underlying: str) -> OptionClass:
    """Return the terms of a class listed on an underlying."""
    known = OPTION_CLASSES.get(trading_class)
    return known or stock_option_class(underlying, ticks=CENT_THEN_NICKEL)
