"""Decides on which days series expire, holidays included, and which of them are listed on a day.

Expiries are trading days. One that falls on a holiday moves to the trading day before it; only a
Monday expiry moves to the day after. VIX series expire 30 calendar days before the third Friday of
the month after (weeklies: before any Friday), counted from where that Friday's SPX expiry really
lies. Before February 2015 symbols carried the Saturday after; here it is always the trading day.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from thetawarden.domain.market.calendar import (
    next_session,
    session_on_or_after,
    session_on_or_before,
)
from thetawarden.domain.market.contracts import (
    QUARTER_MONTHS,
    ExpiryCycle,
    ListedCycle,
    OptionClass,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from thetawarden.domain.market.sessions import Sessions

MONDAY, FRIDAY = 0, 4
_VIX_LEAD = dt.timedelta(days=30)
_DAY = dt.timedelta(days=1)


def third_friday(year: int, month: int) -> dt.date:
    """Return the month's third Friday, holiday or not."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)


def monthly_expiry(*, year: int, month: int, sessions: Sessions) -> dt.date:
    """Return the month's standard expiry: its third Friday or the trading day before it."""
    return session_on_or_before(third_friday(year, month), sessions)


def vix_monthly_expiry(*, year: int, month: int, sessions: Sessions) -> dt.date:
    """Return the settlement day of the month's VIX future and standard VIX options."""
    next_year, next_month = _month_after(year, month)
    spx = monthly_expiry(year=next_year, month=next_month, sessions=sessions)
    return session_on_or_before(spx - _VIX_LEAD, sessions)


def month_end(*, year: int, month: int, sessions: Sessions) -> dt.date:
    """Return the last trading day of the month."""
    return session_on_or_before(dt.date(*_month_after(year, month), 1) - _DAY, sessions)


def is_triple_witching(day: dt.date, sessions: Sessions) -> bool:
    """Whether index futures, index options and stock options all expire on the day."""
    return day.month in QUARTER_MONTHS and _is_monthly(day, sessions)


def expiries_from(*, day: dt.date, listed: ListedCycle, sessions: Sessions) -> Iterator[dt.date]:
    """Yield the cycle's expiries from the day (included) onwards, in order, without end."""
    for expiry in _DAYS_OF_CYCLE[listed.cycle](day, sessions):
        if expiry >= day and expiry.month in listed.months:
            yield expiry


def listed_expiries(
    *, as_of: dt.date, option_class: OptionClass, sessions: Sessions
) -> tuple[dt.date, ...]:
    """Return the expiries an exchange shows for the class on a day, one expiring today included."""
    return tuple(
        sorted(
            {
                expiry
                for listed in option_class.listing
                for expiry in islice(
                    expiries_from(day=as_of, listed=listed, sessions=sessions), listed.ahead
                )
            }
        )
    )


def weekly_expiries(*, day: dt.date, weekday: int, sessions: Sessions) -> Iterator[dt.date]:
    """Yield the expiries of one weekday (Monday 0) from the week before the day onwards."""
    nominal = day - dt.timedelta(days=7)
    nominal += dt.timedelta(days=(weekday - nominal.weekday()) % 7)
    move = session_on_or_after if weekday == MONDAY else session_on_or_before
    while True:
        yield move(nominal, sessions)
        nominal += dt.timedelta(days=7)


def _trading_days(day: dt.date, sessions: Sessions) -> Iterator[dt.date]:
    one = session_on_or_after(day, sessions)
    while True:
        yield one
        one = next_session(one, sessions)


def _other_days(day: dt.date, sessions: Sessions) -> Iterator[dt.date]:
    return (one for one in _trading_days(day, sessions) if not _is_monthly(one, sessions))


def _fridays(day: dt.date, sessions: Sessions) -> Iterator[dt.date]:
    return weekly_expiries(day=day, weekday=FRIDAY, sessions=sessions)


def _by_month(
    expiry_of_month: Callable[..., dt.date], day: dt.date, sessions: Sessions
) -> Iterator[dt.date]:
    year, month = day.year, day.month
    while True:
        yield expiry_of_month(year=year, month=month, sessions=sessions)
        year, month = _month_after(year, month)


def _vix_weeklies(day: dt.date, sessions: Sessions) -> Iterator[dt.date]:
    """Settlements 30 days before each Friday's expiry, but for the monthly one's."""
    for spx in weekly_expiries(day=day + _VIX_LEAD, weekday=FRIDAY, sessions=sessions):
        if not _is_monthly(spx, sessions):
            yield session_on_or_before(spx - _VIX_LEAD, sessions)


def _is_monthly(day: dt.date, sessions: Sessions) -> bool:
    return day == monthly_expiry(year=day.year, month=day.month, sessions=sessions)


def _month_after(year: int, month: int) -> tuple[int, int]:
    return (year + month // 12, month % 12 + 1)


# Each yields the cycle's days in order, from some day before the one asked about.
_DAYS_OF_CYCLE: dict[ExpiryCycle, Callable[[dt.date, Sessions], Iterator[dt.date]]] = {
    ExpiryCycle.DAILY: _trading_days,
    ExpiryCycle.OTHER_DAY: _other_days,
    ExpiryCycle.FRIDAY: _fridays,
    ExpiryCycle.THIRD_FRIDAY: partial(_by_month, monthly_expiry),
    ExpiryCycle.MONTH_END: partial(_by_month, month_end),
    ExpiryCycle.VIX_MONTHLY: partial(_by_month, vix_monthly_expiry),
    ExpiryCycle.VIX_WEEKLY: _vix_weeklies,
}
