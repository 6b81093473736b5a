"""Decides when an option stops trading, when it is settled, and how much time that leaves.

AM-settled classes trade for the last time the session before expiry and are settled by the opening
prints of expiry day (third-Friday index options; VIX on its Wednesday). PM-settled ones are settled
at the exchange's close, 16:00 New York or 13:00 on a half day, and may trade a little longer.
Time to expiry runs to the settlement instant: in calendar years of 365 days, or in trading years
of 252 full sessions, where nights and weekends count nothing and half days half.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE, UnixNs
from thetawarden.domain.market.calendar import previous_session, session_row
from thetawarden.domain.market.contracts import OptionClass, Settlement
from thetawarden.domain.market.hours import Phase, segments_on

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from thetawarden.domain.market.sessions import Sessions

CALENDAR_YEAR_NS = 365 * NS_PER_DAY
TRADING_YEAR_NS = 252 * 390 * NS_PER_MINUTE


class ExpiryFault(enum.StrEnum):
    """Why a date is no expiry."""

    NOT_A_SESSION = "not_a_session"


class ExpiryTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one series: last trading day and instant, and the instant that fixes its value."""

    last_trade_date: dt.date
    last_trade_ns: UnixNs
    settlement_ns: UnixNs


def expiry_terms(
    *, option_class: OptionClass, expiry: dt.date, sessions: Sessions
) -> ExpiryTerms | ExpiryFault:
    """Return when a class's options of this expiry end; `sessions` are New York's."""
    row = session_row(expiry, sessions)
    if row is None:
        return ExpiryFault.NOT_A_SESSION
    if option_class.settlement is Settlement.AM:
        last_day = previous_session(expiry, sessions)
        return ExpiryTerms(
            last_trade_date=last_day,
            last_trade_ns=_regular_close_ns(last_day, option_class, sessions),
            settlement_ns=UnixNs(int(sessions.open_ns[row])),
        )
    close_ns = int(sessions.close_ns[row])
    return ExpiryTerms(
        last_trade_date=expiry,
        last_trade_ns=UnixNs(close_ns + option_class.expiring_lag_minutes * NS_PER_MINUTE),
        settlement_ns=UnixNs(close_ns),
    )


def tau_calendar_years(*, now_ns: int, settlement_ns: ArrayLike) -> NDArray[np.float64]:
    """Return the calendar years left to each settlement, never below zero."""
    left_ns = np.asarray(settlement_ns, dtype=np.int64) - now_ns
    return np.asarray(np.maximum(left_ns, 0) / CALENDAR_YEAR_NS, dtype=np.float64)


def tau_trading_years(
    *, now_ns: int, settlement_ns: ArrayLike, sessions: Sessions
) -> NDArray[np.float64]:
    """Return the trading years left to each settlement, never below zero."""
    until = _traded_ns(np.asarray(settlement_ns, dtype=np.int64), sessions)
    left_ns = until - _traded_ns(np.asarray(now_ns, dtype=np.int64), sessions)
    return np.asarray(np.maximum(left_ns, 0) / TRADING_YEAR_NS, dtype=np.float64)


def _traded_ns(instants_ns: NDArray[np.int64], sessions: Sessions) -> NDArray[np.int64]:
    """Open nanoseconds from the table's beginning to each instant."""
    length_ns = sessions.close_ns - sessions.open_ns
    before_ns = np.concatenate(([0], np.cumsum(length_ns)[:-1]))
    row = np.maximum(np.searchsorted(sessions.open_ns, instants_ns, side="right") - 1, 0)
    within_ns = np.clip(instants_ns - sessions.open_ns[row], 0, length_ns[row])
    return np.asarray(before_ns[row] + within_ns, dtype=np.int64)


def _regular_close_ns(day: dt.date, option_class: OptionClass, sessions: Sessions) -> UnixNs:
    segments = segments_on(trading_day=day, hours=option_class.hours, sessions=sessions)
    return next(one.close_ns for one in segments if one.phase is Phase.REGULAR)
