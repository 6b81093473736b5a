"""Looks at a trade through a chain's view: each leg with its quote and Greeks, or why without.

A leg whose quote may not be traded on has no prices at all; its Greeks are the model's and stay.
What is offered for next to nothing and bid for by nobody has a bid of nothing: it hides no trade.
Figures of the whole are per share of a unit, for as many units as its legs have in common. What
rests on an unknown is NaN.
"""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.view import (
    ChainRows,
    ChainView,
    SeriesView,
    find_series,
    places_of,
    row_doubt,
)
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.remembering import remembered
from thetawarden.domain.trades.trade import Trade
from thetawarden.domain.units import to_float

NAN = math.nan
SIGHTS_KEPT = 64


class LegSight(msgspec.Struct, frozen=True, kw_only=True):
    """One leg as it is held and seen; `doubt` is empty when it may be traded on."""

    instrument: Instrument
    ratio: int
    doubt: str
    bid_usd: float = NAN
    ask_usd: float = NAN
    bid_size: float = NAN
    ask_size: float = NAN
    volume: float = NAN
    open_interest: float = NAN
    iv_annual: float = NAN
    delta_per_share: float = NAN
    gamma_per_usd: float = NAN
    vega_usd_per_vol_point: float = NAN
    theta_usd_per_day: float = NAN
    quoted_ns: UnixNs = UnixNs(0)
    last_trade_ns: UnixNs = UnixNs(0)
    seen: bool = False

    @property
    def mid_usd(self) -> float:
        """Half-way between the sides."""
        return (self.bid_usd + self.ask_usd) / 2.0

    @property
    def is_option(self) -> bool:
        """Whether it is an option."""
        return self.instrument.kind is InstrumentKind.OPTION

    @property
    def is_short_option(self) -> bool:
        """Whether it is an option that was sold."""
        return self.is_option and self.ratio < 0

    @property
    def strike_usd(self) -> float:
        """The strike, NaN of what has none."""
        strike = self.instrument.strike
        return NAN if strike is None else to_float(strike)

    def inside_usd(self, spot_usd: float) -> float:
        """How far it is in the money, negative out of it; NaN of what has no strike."""
        away = spot_usd - self.strike_usd
        return away if self.instrument.right is Right.CALL else -away


class TradeSight(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A trade as it stands in the market at an instant; `legs` is one unit of it.

    What follows from it is asked for by many rules, and computed once.
    """

    trade: Trade
    legs: tuple[LegSight, ...]
    units: int
    multiplier: int
    at_ns: UnixNs
    view_number: int = 0
    spot_usd: float = NAN
    atm_iv_annual: float = NAN

    @cached_property
    def options(self) -> tuple[LegSight, ...]:
        """Its options."""
        return tuple(one for one in self.legs if one.is_option)

    @cached_property
    def shorts(self) -> tuple[LegSight, ...]:
        """Its sold options."""
        return tuple(one for one in self.legs if one.is_short_option)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why it may not be traded on now, leg by leg."""
        return tuple(
            f"{one.instrument.local_symbol or one.instrument.conid}: {one.doubt}"
            for one in self.legs
            if one.doubt
        )

    @cached_property
    def cost_usd(self) -> float:
        """What buying a unit back at the middle costs, per share; below 0 it brings something."""
        return -math.fsum(one.ratio * one.mid_usd for one in self.options)

    @property
    def natural_usd(self) -> float:
        """What buying a unit back at once costs, per share."""
        return math.fsum(
            -one.ratio * (one.ask_usd if one.ratio < 0 else one.bid_usd) for one in self.options
        )

    @cached_property
    def premium_usd(self) -> float:
        """What opening the options of a unit brought, per share; below 0 it was paid."""
        if not self.units or not self.multiplier:
            return NAN
        return to_float(self.trade.premium_usd) / (self.units * self.multiplier)

    @cached_property
    def profit_fraction(self) -> float:
        """Which part of the premium is earned by now; below 0 a loss; NaN where none was taken."""
        premium = self.premium_usd
        return (premium - self.cost_usd) / premium if premium > 0.0 else NAN

    @property
    def delta_per_share(self) -> float:
        """Delta of a unit per share; shares count as they are held."""
        return math.fsum(
            one.ratio * (one.delta_per_share if one.is_option else 1.0 / (self.multiplier or 1))
            for one in self.legs
        )

    @cached_property
    def short_delta(self) -> float:
        """The largest delta of a sold option, without sign; NaN while any is unknown."""
        deltas = [abs(one.delta_per_share) for one in self.shorts]
        return NAN if any(map(math.isnan, deltas)) else max(deltas, default=0.0)

    @cached_property
    def worst_short(self) -> LegSight | None:
        """The sold option with the largest known delta, of those unknown the dearest."""
        return max(self.shorts, key=_danger, default=None)

    @cached_property
    def known_short_delta(self) -> float:
        """The largest delta that is known of a sold option, without sign; NaN when none is."""
        worst = self.worst_short
        return NAN if worst is None else abs(worst.delta_per_share)


def _danger(one: LegSight) -> tuple[float, float]:
    delta, mid = abs(one.delta_per_share), one.mid_usd
    return (delta if math.isfinite(delta) else -1.0, mid if math.isfinite(mid) else -1.0)


@remembered(SIGHTS_KEPT)
def look_at(trade: Trade, view: ChainView | None, rows: ChainRows | None) -> TradeSight:
    """Return a trade as a view shows it, or without anything seen."""
    held = trade.held
    counts = [int(one.quantity) for one in held if one.instrument.kind is InstrumentKind.OPTION]
    shares = [int(one.quantity) for one in held if one.instrument.kind is not InstrumentKind.OPTION]
    units = math.gcd(*counts) if counts else math.gcd(*shares)
    places = {} if rows is None else _places(rows, [one.instrument.conid for one in held])
    legs = tuple(
        _leg(one.instrument, int(one.quantity), units=units, view=view, rows=rows, places=places)
        for one in held
    )
    options = [one for one in held if one.instrument.kind is InstrumentKind.OPTION]
    multiplier = options[0].instrument.multiplier if options else 1
    known = view is not None and view.spot_usd is not None and not view.spot_doubt
    return TradeSight(
        trade=trade,
        legs=legs,
        units=units,
        multiplier=multiplier,
        at_ns=UnixNs(0) if view is None else view.at_ns,
        view_number=0 if view is None else view.number,
        spot_usd=view.spot_usd if known and view is not None and view.spot_usd else NAN,
        atm_iv_annual=_atm_iv(view, legs),
    )


def _places(rows: ChainRows, conids: list[int]) -> dict[int, int]:
    """Where these contracts stand among the rows; those that do not are left out."""
    known = places_of(rows)
    return {conid: known[conid] for conid in conids if conid in known}


def days_left(leg: LegSight, now_ns: int) -> int | None:
    """Return the days until a leg ends; None of what never ends."""
    expiry = leg.instrument.expiry
    return None if expiry is None else (expiry - new_york_date(now_ns)).days


def first_expiry(sight: TradeSight) -> dt.date | None:
    """Return when the first of its options ends."""
    ends = [one.instrument.expiry for one in sight.options if one.instrument.expiry is not None]
    return min(ends, default=None)


def series_of(view: ChainView, option: Instrument) -> SeriesView | None:
    """Return the series an option belongs to; None of what is none, or is not watched."""
    if option.expiry is None:
        return None
    return find_series(view, trading_class=option.trading_class, expiry=option.expiry)


def _leg(
    instrument: Instrument,
    quantity: int,
    *,
    units: int,
    view: ChainView | None,
    rows: ChainRows | None,
    places: dict[int, int],
) -> LegSight:
    ratio = quantity // units if units else 0
    if instrument.kind is not InstrumentKind.OPTION:
        return _linear(instrument, ratio, view)
    row = places.get(instrument.conid)
    if view is None or rows is None or row is None:
        return LegSight(instrument=instrument, ratio=ratio, doubt="not watched")
    believed = bool(rows.leavable[row])
    doubt = None if believed else row_doubt(rows, row)
    series = view.series[int(rows.series[row])]
    own, smile = float(rows.iv_annual[row]), float(rows.smile_iv_annual[row])
    return LegSight(
        instrument=instrument,
        ratio=ratio,
        doubt="" if doubt is None else doubt.value.replace("_", " "),
        bid_usd=float(rows.leaving_bid_usd[row]) if believed else NAN,
        ask_usd=float(rows.ask_usd[row]) if believed else NAN,
        bid_size=float(rows.bid_size[row]),
        ask_size=float(rows.ask_size[row]),
        volume=float(rows.volume[row]),
        open_interest=float(rows.open_interest[row]),
        iv_annual=own if believed and math.isfinite(own) else smile,
        delta_per_share=float(rows.delta_per_share[row]),
        gamma_per_usd=float(rows.gamma_per_usd[row]),
        vega_usd_per_vol_point=float(rows.vega_usd_per_vol_point[row]),
        theta_usd_per_day=float(rows.theta_usd_per_day[row]),
        quoted_ns=UnixNs(int(rows.at_ns[row])),
        last_trade_ns=series.last_trade_ns,
        seen=True,
    )


def _linear(instrument: Instrument, ratio: int, view: ChainView | None) -> LegSight:
    if view is None or view.spot_usd is None or view.spot_doubt:
        doubt = "not watched" if view is None else view.spot_doubt or "no price"
        return LegSight(instrument=instrument, ratio=ratio, doubt=doubt)
    return LegSight(
        instrument=instrument,
        ratio=ratio,
        doubt="",
        bid_usd=view.spot_usd,
        ask_usd=view.spot_usd,
        delta_per_share=1.0,
        quoted_ns=view.spot_at_ns,
        seen=True,
    )


def _atm_iv(view: ChainView | None, legs: tuple[LegSight, ...]) -> float:
    """At-the-money volatility of the first series that is held."""
    ends = [one.instrument.expiry for one in legs if one.instrument.expiry is not None]
    if view is None or not ends:
        return NAN
    held = [
        series
        for one in legs
        if one.instrument.expiry == min(ends)
        and (series := series_of(view, one.instrument)) is not None
    ]
    first = min(held, key=lambda one: one.settles_ns, default=None)
    return NAN if first is None or first.atm_iv_annual is None else first.atm_iv_annual
