"""Splits what a trade makes from mark to mark, so that every cent of a day has its name.

A mark values each leg at the middle of a usable quote, else at its last mark, else at what it was
opened for. Between marks nothing is traded: a fill ends one interval and begins the next, and what
it brought or cost against the marks of its instant, commissions included, is named trading. All in
whole cents; sums of parts are the profit exactly, whatever is unknown stands in the residual.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.portfolio.attribution import PositionSnapshot, attribute
from thetawarden.domain.pricing.arrays import FloatArray

_NAN = math.nan
_EXPLAINED = ("delta_cents", "gamma_cents", "theta_cents", "vega_cents")


class LegMark(msgspec.Struct, frozen=True, kw_only=True):
    """One leg at an instant; Greeks are of all its contracts."""

    conid: int
    quantity: Decimal
    value_cents: int
    spot_usd: float = _NAN
    iv_annual: float = _NAN
    delta_shares: float = _NAN
    gamma_shares_per_usd: float = _NAN
    theta_usd_per_day: float = _NAN
    vega_usd_per_vol_point: float = _NAN


class TradeMark(msgspec.Struct, frozen=True, kw_only=True):
    """A trade at an instant; `cash_cents` is all its cash until then."""

    at_ns: UnixNs
    cash_cents: int
    legs: tuple[LegMark, ...]

    @property
    def worth_cents(self) -> int:
        """What it is worth and has brought."""
        return self.cash_cents + sum(one.value_cents for one in self.legs)


class DaySums(msgspec.Struct, frozen=True, kw_only=True):
    """What moved a trade's result on a day."""

    day: dt.date
    delta_cents: int = 0
    gamma_cents: int = 0
    theta_cents: int = 0
    vega_cents: int = 0
    trading_cents: int = 0
    residual_cents: int = 0
    complete: bool = True

    @property
    def profit_cents(self) -> int:
        """The sum of all parts."""
        explained = self.delta_cents + self.gamma_cents + self.theta_cents + self.vega_cents
        return explained + self.trading_cents + self.residual_cents


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """What moved a trade between two marks; `complete` when nothing of it is unknown."""

    delta_cents: int = 0
    gamma_cents: int = 0
    theta_cents: int = 0
    vega_cents: int = 0
    residual_cents: int = 0
    complete: bool = True


def between(start: TradeMark, end: TradeMark) -> Interval:
    """Return what happened between two marks of the same holdings."""
    ends = {one.conid: one for one in end.legs}
    pairs = [(one, ends[one.conid]) for one in start.legs if one.conid in ends]
    total = end.worth_cents - start.worth_cents
    if not pairs or len(pairs) != len(start.legs) or len(pairs) != len(end.legs):
        return Interval(residual_cents=total, complete=not total)
    found = attribute(
        _snapshot(start.at_ns, [one for one, _ in pairs]),
        _snapshot(end.at_ns, [other for _, other in pairs]),
    )
    parts = {name: sum(getattr(found, name).tolist()) for name in _EXPLAINED}
    return Interval(
        **parts,
        residual_cents=total - sum(parts.values()),
        complete=not found.incomplete.any(),
    )


def with_interval(sums: DaySums, interval: Interval) -> DaySums:
    """Add what happened between two marks."""
    moved = {
        name: getattr(sums, name) + getattr(interval, name)
        for name in (*_EXPLAINED, "residual_cents")
    }
    return msgspec.structs.replace(sums, **moved, complete=sums.complete and interval.complete)


def with_trading(sums: DaySums, before: TradeMark, after: TradeMark) -> DaySums:
    """Add what a fill brought or cost against the marks of its instant."""
    change = after.worth_cents - before.worth_cents
    return msgspec.structs.replace(sums, trading_cents=sums.trading_cents + change)


def _snapshot(at_ns: int, legs: list[LegMark]) -> PositionSnapshot:
    def column(name: str) -> FloatArray:
        return np.array([getattr(one, name) for one in legs], dtype=np.float64)

    return PositionSnapshot(
        at_ns=at_ns,
        value_cents=np.array([one.value_cents for one in legs], dtype=np.int64),
        spot_usd=column("spot_usd"),
        iv_annual=column("iv_annual"),
        delta_shares=column("delta_shares"),
        gamma_shares_per_usd=column("gamma_shares_per_usd"),
        theta_usd_per_day=column("theta_usd_per_day"),
        vega_usd_per_vol_point=column("vega_usd_per_vol_point"),
    )
