"""Puts together what the regime looks at: every figure with the instant at which it was true.

Pure. What is not there is None, so that the regime names it as missing; nothing is carried over
from an older day without its age. Futures are counted by their last trading day.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.context.figures import Figures, Likenesses, bets_of, breadth_of
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.market.calendar import is_session
from thetawarden.domain.market.events import MacroDates, day_notes, macro_notes
from thetawarden.domain.regime.assess import RegimeInputs
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thetawarden.domain.broker.instrument import Instrument
    from thetawarden.domain.market.sessions import Sessions

BENCHMARK = "SPX"
VIX, VIX3M = "VIX", "VIX3M"
_CLOSE = dt.time(16)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at hand at an instant: quotes and figures by name, and the two VIX futures."""

    quotes: Mapping[str, Quote]
    vix_futures: tuple[Quote | None, ...]
    figures: Mapping[str, Figures]
    likenesses: Likenesses | None
    held: tuple[str, ...]


def regime_inputs(
    seen: Seen, *, day: dt.date, macro: MacroDates, sessions: Sessions
) -> RegimeInputs:
    """Return what the regime looks at on a day; a day without a session has no notes."""
    first, second = (*seen.vix_futures, None, None)[:2]
    trading = is_session(day, sessions)
    return RegimeInputs(
        curve=VolCurve(
            vix=price_reading(seen.quotes.get(VIX)),
            vix3m=price_reading(seen.quotes.get(VIX3M)),
            first_future=price_reading(first),
            second_future=price_reading(second),
        ),
        trend=_trend(seen),
        underlyings=len(bets_of(seen.held)),
        average_correlation=_likeness(seen.likenesses),
        macro=macro_notes(day=day, macro=macro, sessions=sessions) if trading else (),
        days=day_notes(day, sessions) if trading else (),
    )


def price_reading(quote: Quote | None) -> Reading | None:
    """Return a line's price: the last trade, or the middle where nothing trades; live data only."""
    if quote is None or quote.data_type is not DataType.LIVE:
        return None
    if quote.last_usd is not None:
        return Reading(value=quote.last_usd, at_ns=quote.at_ns)
    if quote.bid_usd is None or quote.ask_usd is None or quote.bid_usd > quote.ask_usd:
        return None
    return Reading(value=(quote.bid_usd + quote.ask_usd) / 2.0, at_ns=quote.at_ns)


def front_futures(
    months: tuple[Instrument, ...], *, day: dt.date, count: int, leave_days: int = 0
) -> tuple[Instrument, ...]:
    """Return the next months that still trade after the days in which one has left them."""
    ahead = day + dt.timedelta(days=leave_days)
    dated = sorted(
        (each.expiry, each.conid, each)
        for each in months
        if each.expiry is not None and each.expiry > ahead
    )
    return tuple(each for _, _, each in dated[:count])


def _trend(seen: Seen) -> TrendInputs:
    figures = seen.figures.get(BENCHMARK)
    breadth = breadth_of(seen.figures)
    return TrendInputs(
        price=price_reading(seen.quotes.get(BENCHMARK)),
        sma20=_daily(figures, "sma20"),
        sma50=_daily(figures, "sma50"),
        sma200=_daily(figures, "sma200"),
        adx=_daily(figures, "adx"),
        breadth=None if breadth is None else Reading(value=breadth[1], at_ns=_at_close(breadth[0])),
    )


def _daily(figures: Figures | None, name: str) -> Reading | None:
    value = None if figures is None else getattr(figures, name)
    if figures is None or value is None:
        return None
    return Reading(value=value, at_ns=_at_close(figures.day))


def _likeness(likenesses: Likenesses | None) -> Reading | None:
    if likenesses is None or likenesses.average is None:
        return None
    return Reading(value=likenesses.average, at_ns=_at_close(likenesses.day))


def _at_close(day: dt.date) -> UnixNs:
    return new_york_ns(day, _CLOSE)
