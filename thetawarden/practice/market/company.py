"""Writes a company's calendar: earnings, dividends, splits."""

from __future__ import annotations

import datetime as dt

from thetawarden.domain.instants import new_york_date
from thetawarden.domain.market.events import EarningsTime
from thetawarden.practice.market.parts import Motion
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.model import CorporateEvent, CorporateEventKind

_TIMES = {EarningsTime.BEFORE_OPEN: "BMO", EarningsTime.AFTER_CLOSE: "AMC"}


def corporate_events(
    motion: Motion, symbol: str, *, first: dt.date, last: dt.date
) -> tuple[CorporateEvent, ...]:
    """Return a company's events from one day to another, both included, oldest first."""
    con_id = UNDERLYINGS[symbol].con_id
    unit = motion.levers.unit(symbol)
    events = [
        CorporateEvent(
            con_id=con_id,
            kind=CorporateEventKind.EARNINGS,
            day=report.day,
            time_of_day=_TIMES.get(report.time, ""),
        )
        for report in motion.earnings.reports(symbol, first, last)
    ]
    events += [
        CorporateEvent(
            con_id=con_id,
            kind=CorporateEventKind.DIVIDEND,
            day=dividend.ex_day,
            amount_usd=round(dividend.amount_usd * unit, 4),
        )
        for dividend in motion.carry.dividends(symbol)
        if first <= dividend.ex_day <= last
    ]
    events += [
        CorporateEvent(
            con_id=con_id,
            kind=CorporateEventKind.SPLIT,
            day=new_york_date(split.at_ns),
            split_new_shares=split.new_shares,
            split_old_shares=split.old_shares,
        )
        for split in motion.levers.splits(symbol)
        if first <= new_york_date(split.at_ns) <= last
    ]
    return tuple(sorted(events, key=lambda one: (one.day, one.kind)))
