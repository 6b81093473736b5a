"""Says what happens next on the floor and lets it happen, at instants that depend on nothing else.

Midnight in New York begins a day; the overnight run at 02:30 moves what expired, assigns, pays
dividends and interest; margin is checked on a grid while New York trades; orders have their looks.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_date, new_york_ns
from thetawarden.domain.market.calendar import next_session, session_row
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.practice.account.book import end_day
from thetawarden.practice.account.holdings import begin_day
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import appraisal, expiry, fills, liquidation, looks, overnight
from thetawarden.practice.exchange.hours import con_ids_of

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder

MIDNIGHT = dt.time(0)
OVERNIGHT = dt.time(2, 30)
_DAY = dt.timedelta(days=1)


def next_due_ns(floor: Floor) -> int:
    """Return when something happens next; never before now."""
    state = floor.state
    due = [state.next_midnight_ns, state.next_overnight_ns, next_check_ns(floor)]
    due += [
        one
        for order in state.orders.values()
        if (one := looks.next_look_ns(floor, order)) is not None
    ]
    if state.next_report_ns is not None:
        due.append(state.next_report_ns)
    settlement = expiry.next_settlement_ns(floor)
    if settlement is not None:
        due.append(settlement)
    return max(min(due), state.now_ns)


def run(floor: Floor) -> None:
    """Do everything that is due now, in a fixed order."""
    state = floor.state
    while state.next_midnight_ns <= floor.now_ns:
        _begin_day(floor)
    while state.next_overnight_ns <= floor.now_ns:
        overnight.run(floor)
        state.next_overnight_ns = _next_clock(state.next_overnight_ns, OVERNIGHT)
    expiry.settle_prices(floor)
    if next_check_ns(floor) <= floor.now_ns:
        state.checked_ns = floor.now_ns
        liquidation.check(floor)
    fills.late_reports(floor)
    due = [one for one in state.orders.values() if _is_due(floor, one)]
    open_to = [one for one in due if not floor.outlook.nothing_happens(floor, one)]
    with floor.at_hand(con_id for one in open_to for con_id in con_ids_of(one.contract)):
        for order in due:
            if order.perm_id in state.orders and _is_due(floor, order):
                looks.look(floor, order)


def first_midnight_ns(now_ns: int) -> int:
    """Return the next beginning of a day in New York."""
    return new_york_ns(new_york_date(now_ns) + _DAY, MIDNIGHT)


def first_overnight_ns(now_ns: int) -> int:
    """Return the next overnight run."""
    today = new_york_ns(new_york_date(now_ns), OVERNIGHT)
    return today if today > now_ns else _next_clock(today, OVERNIGHT)


def next_check_ns(floor: Floor) -> int:
    """Return the next instant of the margin grid at which New York trades."""
    step = floor.terms.margin_check_ns
    following = (floor.state.checked_ns // step + 1) * step
    known = floor.check_instant
    if known is not None and known[0] == following:
        return known[1]
    at = _within_session(following)
    floor.check_instant = (following, at)
    return at


def _within_session(at_ns: int) -> int:
    sessions = load_sessions(Exchange.NYSE)
    day = new_york_date(at_ns)
    row = session_row(day, sessions)
    if row is not None and at_ns < int(sessions.close_ns[row]):
        return max(at_ns, int(sessions.open_ns[row]))
    later = session_row(next_session(day, sessions), sessions)
    return at_ns if later is None else int(sessions.open_ns[later])


def _begin_day(floor: Floor) -> None:
    state = floor.state
    state.day = new_york_date(state.next_midnight_ns)
    state.next_midnight_ns = _next_clock(state.next_midnight_ns, MIDNIGHT)
    state.completed.clear()
    state.uncosted += fills.awaiting_cost(state.executions)
    state.executions.clear()
    state.taken.clear()
    for book in state.books.values():
        end_day(book)
        with appraisal.holdings_quoted(floor, book):
            book.day_start_usd = appraisal.net_liquidation_usd(floor, book)
            for holding in book.holdings.values():
                mark = appraisal.mark_of(floor, holding.contract, holding.last_mark)
                holding.last_mark = mark
                begin_day(holding, price_usd(mark))


def _next_clock(at_ns: int, clock: dt.time) -> int:
    return new_york_ns(new_york_date(at_ns) + _DAY, clock)


def _is_due(floor: Floor, order: LiveOrder) -> bool:
    at_ns = looks.next_look_ns(floor, order)
    return at_ns is not None and at_ns <= floor.now_ns
