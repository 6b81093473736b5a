"""Says how an underlying follows the index, where it belongs, and when its company reports.

Pure lookups: what a person configured stands before what was measured; what nobody knows is NaN or
unknown, so that no entry rests on it.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from thetawarden.domain.context.beta import Beta
from thetawarden.domain.market.calendar import is_session, next_session
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.events import (
    EarningsCalendar,
    EarningsRisk,
    ExDividend,
    earnings_risk,
    next_ex_dividend,
)
from thetawarden.domain.market.products import (
    classes_of,
)
from thetawarden.domain.market.sectors import BENCHMARK_LIKE, BROAD, sector_of
from thetawarden.domain.market.sessions import Sessions


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """What a person knows of one company; its dividends are complete until `dividends_until`."""

    earnings: EarningsCalendar | None = None
    dividends: tuple[ExDividend, ...] = ()
    dividends_until: dt.date | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All that is configured about underlyings, and the calendar."""

    sessions: Sessions
    betas: dict[str, Beta] = {}
    sectors: dict[str, str] = {}
    companies: dict[str, Company] = {}


def beta_of(symbol: str, *, terms: Terms, measured: dict[str, Beta]) -> Beta:
    """Return how an underlying follows the index; NaN when nobody knows."""
    configured = terms.betas.get(symbol)
    if configured is not None:
        return configured
    if symbol in BENCHMARK_LIKE:
        return Beta(symbol=symbol, beta=1.0, iv_beta=1.0)
    return measured.get(symbol, Beta(symbol=symbol, beta=math.nan, iv_beta=math.nan))


def sector_named(symbol: str, *, terms: Terms) -> str:
    """Return the sector an underlying counts in."""
    return terms.sectors.get(symbol) or sector_of(symbol)


def is_broad(symbol: str) -> bool:
    """Whether an underlying is a whole market."""
    return symbol in BROAD


def earnings_of(
    symbol: str, *, terms: Terms, entry_day: dt.date, until: dt.date
) -> EarningsRisk | None:
    """Return whether a company reports until a day; None for what never does."""
    classes = classes_of(symbol)
    kinds = (UnderlyingKind.INDEX, UnderlyingKind.ETF)
    if is_broad(symbol) or (classes and classes[0].underlying_kind in kinds):
        return None
    company = terms.companies.get(symbol, Company())
    return earnings_risk(entry_day=entry_day, expiry=until, calendar=company.earnings)


def ex_dividend_tonight(symbol: str, *, terms: Terms, day: dt.date) -> bool | None:
    """Return whether who holds it tonight gets a dividend; None when nobody knows.

    Every ex day up to the next session counts as tonight: all of them must be known.
    """
    classes = classes_of(symbol)
    if classes and classes[0].underlying_kind is UnderlyingKind.INDEX:
        return False
    company = terms.companies.get(symbol, Company())
    if not is_session(day, terms.sessions):
        return None
    due = next_ex_dividend(day=day, dividends=company.dividends, sessions=terms.sessions)
    if due is not None:
        return True
    known = company.dividends_until
    return False if known is not None and next_session(day, terms.sessions) <= known else None
