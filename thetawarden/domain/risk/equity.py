"""Remembers what losses are measured from: the start of day, week and month, and the peak.

Pure transitions of one state, to be kept by the governor and written down with it. A day's loss
counts from the last figure of the day before, so that a gap over night belongs to the day it opens.
Money that is paid in or out moves every reference with it: it is neither a profit nor a loss.
There are two peaks: `high_water_usd` is the true one; `peak_usd`, which the drawdown brake watches,
starts afresh when a person has reviewed a drawdown halt, or nobody could ever trade again.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from thetawarden.domain.instants import UnixNs


class EquityState(msgspec.Struct, frozen=True, kw_only=True):
    """The last known figure and what it is compared with; None before the first."""

    day: dt.date | None = None
    at_ns: UnixNs = UnixNs(0)
    nlv_usd: float | None = None
    day_start_usd: float = 0.0
    week_start_usd: float = 0.0
    month_start_usd: float = 0.0
    peak_usd: float = 0.0
    high_water_usd: float = 0.0
    losing_streak: int = 0
    last_loss_day: dt.date | None = None


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Losses as fractions of where they are measured from; 0 for a profit, NaN when unknown."""

    day: float
    week: float
    month: float
    drawdown: float
    from_high_water: float


def observe_nlv(state: EquityState, *, nlv_usd: float, day: dt.date, at_ns: UnixNs) -> EquityState:
    """Take in a figure; one that is no number changes nothing.

    By a clock that was set back over midnight the day goes on: losses are measured from its start.
    """
    if not math.isfinite(nlv_usd):
        return state
    before, last = state.day, state.nlv_usd
    day = day if before is None else max(day, before)
    if before is None or last is None:
        return EquityState(
            day=day,
            at_ns=at_ns,
            nlv_usd=nlv_usd,
            day_start_usd=nlv_usd,
            week_start_usd=nlv_usd,
            month_start_usd=nlv_usd,
            peak_usd=nlv_usd,
            high_water_usd=nlv_usd,
            losing_streak=state.losing_streak,
            last_loss_day=state.last_loss_day,
        )
    new_week = day.isocalendar()[:2] != before.isocalendar()[:2]
    new_month = (day.year, day.month) != (before.year, before.month)
    return msgspec.structs.replace(
        state,
        day=day,
        at_ns=at_ns,
        nlv_usd=nlv_usd,
        day_start_usd=last if day != before else state.day_start_usd,
        week_start_usd=last if new_week else state.week_start_usd,
        month_start_usd=last if new_month else state.month_start_usd,
        peak_usd=max(state.peak_usd, nlv_usd),
        high_water_usd=max(state.high_water_usd, nlv_usd),
    )


def record_flow(state: EquityState, *, amount_usd: float) -> EquityState:
    """Money paid in (> 0) or out moves every reference; the next figure will contain it."""
    if state.nlv_usd is None or not math.isfinite(amount_usd):
        return state
    moved = {
        name: getattr(state, name) + amount_usd
        for name in EquityState.__struct_fields__
        if name.endswith("_usd")
    }
    return msgspec.structs.replace(state, **moved)


def explain_flow(state: EquityState, *, before: EquityState, amount_usd: float) -> EquityState:
    """Money was paid in or out after `before`, and only now it is known to be no profit or loss.

    The figures since then contain it, so it is moved into what they are compared with.
    """
    if before.nlv_usd is None or state.nlv_usd is None or state.day is None:
        return state
    moved = record_flow(before, amount_usd=amount_usd)
    seen = observe_nlv(moved, nlv_usd=state.nlv_usd, day=state.day, at_ns=state.at_ns)
    return msgspec.structs.replace(
        seen, losing_streak=state.losing_streak, last_loss_day=state.last_loss_day
    )


def record_trade(state: EquityState, *, profit_usd: float, day: dt.date) -> EquityState:
    """A closed trade's net profit: a loss lengthens the streak, a gain ends it."""
    if profit_usd < 0.0:
        return msgspec.structs.replace(
            state, losing_streak=state.losing_streak + 1, last_loss_day=day
        )
    return msgspec.structs.replace(state, losing_streak=0) if profit_usd > 0.0 else state


def review_drawdown(state: EquityState) -> EquityState:
    """A person has reviewed the drawdown: the brake measures from here."""
    if state.nlv_usd is None:
        return state
    return msgspec.structs.replace(state, peak_usd=state.nlv_usd)


def losses_of(state: EquityState) -> Losses:
    """What has been lost, from where."""
    return Losses(
        day=_lost(state.day_start_usd, state.nlv_usd),
        week=_lost(state.week_start_usd, state.nlv_usd),
        month=_lost(state.month_start_usd, state.nlv_usd),
        drawdown=_lost(state.peak_usd, state.nlv_usd),
        from_high_water=_lost(state.high_water_usd, state.nlv_usd),
    )


def _lost(start_usd: float, nlv_usd: float | None) -> float:
    if nlv_usd is None:
        return math.nan
    if start_usd <= 0.0:
        return 0.0 if nlv_usd > start_usd else 1.0
    return max(0.0, (start_usd - nlv_usd) / start_usd)
