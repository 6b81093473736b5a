"""One desk in a calm market, each of its parts replaceable, with a bookful of positions."""

import datetime as dt
import math
import zlib
from decimal import Decimal

import msgspec
import pytest

from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.market.ticks import tick_rule
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.regime.assess import RegimeInputs, RegimeLimits, assess
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.risk.candidate import Candidate, Leg, OrderKind, Purpose, WhatIf
from thetawarden.domain.risk.case import Case, Desk, RegimeSeen
from thetawarden.domain.risk.equity import EquityState
from thetawarden.domain.risk.holdings import (
    Account,
    HeldBook,
    Holding,
    MarketView,
    PendingLeg,
    PendingOrder,
)
from thetawarden.domain.risk.instrument import Instrument, LegQuote, Marks, UnderlyingView
from thetawarden.domain.risk.measure import measure_book, measure_candidate
from thetawarden.domain.risk.review import review
from thetawarden.domain.risk.ruler import ruler_of

NOW_NS = 1_790_000_000_000_000_000
DAY = dt.date(2026, 9, 21)
LIMITS = limits_of(RiskConfig())
CENT = tick_rule(("0", "0.01"))
CALM = {
    "vix": 17.0,
    "vix3m": 20.0,
    "first_future": 18.0,
    "second_future": 19.5,
    "price": 110.0,
    "sma20": 105.0,
    "sma50": 100.0,
    "sma200": 90.0,
    "adx": 22.0,
    "breadth": 0.1,
    "average_correlation": 0.2,
}
CURVE = ("vix", "vix3m", "first_future", "second_future")
TREND = ("price", "sma20", "sma50", "sma200", "adx", "breadth")
UNDERLYINGS = {
    "SPX": (6000.0, 1.0, 1.0, "index", True),
    "XSP": (600.0, 1.0, 1.0, "index", True),
    "AAA": (100.0, 1.1, 1.1, "technology", False),
    "BBB": (50.0, 0.8, 0.9, "technology", False),
    "CCC": (40.0, 0.5, 0.8, "energy", False),
}


def underlying(symbol, **changes):
    spot, beta, iv_beta, sector, broad = UNDERLYINGS[symbol]
    view = UnderlyingView(
        symbol=symbol,
        spot_usd=spot,
        spot_at_ns=NOW_NS,
        beta=beta,
        iv_beta=iv_beta,
        sector=sector,
        broad_index=broad,
    )
    return msgspec.structs.replace(view, **changes)


def con_id_of(symbol, strike, is_call, days):
    return zlib.crc32(repr((symbol, float(strike), is_call, days)).encode())


def option(symbol, strike, *, days=30, is_call=False, american=True):
    american = american and not UNDERLYINGS[symbol][4]
    return Instrument(
        con_id=con_id_of(symbol, strike, is_call, days),
        underlying=symbol,
        kind=PositionKind.AMERICAN if american else PositionKind.EUROPEAN,
        multiplier=100.0,
        expiry=DAY + dt.timedelta(days=days),
        is_call=is_call,
        strike_usd=float(strike),
    )


def shares(symbol):
    return Instrument(
        con_id=con_id_of(symbol, 0.0, False, 0),
        underlying=symbol,
        kind=PositionKind.LINEAR,
        multiplier=1.0,
    )


def marks_of(instrument, iv=0.2):
    if not instrument.is_option:
        return Marks()
    days = (instrument.expiry - DAY).days
    return Marks(tau_years=max(days, 0) / 365, iv_annual=iv, rate_annual=0.03, yield_annual=0.01)


def hold(instrument, contracts, position="", margin=500.0):
    return Holding(
        instrument=instrument,
        contracts=float(contracts),
        position=position or f"p{instrument.con_id}",
        margin_usd=margin,
    )


def held_book(*holdings, **changes):
    book = HeldBook(version="b1", at_ns=NOW_NS, reconciled=True, holdings=tuple(holdings))
    return msgspec.structs.replace(book, **changes)


def regime(*, macro=(), days=(), previous=None, at_ns=NOW_NS, **changes):
    figures = CALM | changes

    def read(name):
        value = figures[name]
        return None if value is None else Reading(value=value, at_ns=at_ns)

    inputs = RegimeInputs(
        curve=VolCurve(**{name: read(name) for name in CURVE}),
        trend=TrendInputs(**{name: read(name) for name in TREND}),
        underlyings=3,
        average_correlation=read("average_correlation"),
        macro=macro,
        days=days,
    )
    return assess(inputs=inputs, previous_band=previous, now_ns=NOW_NS, limits=RegimeLimits())


def account(nlv=1_000_000.0, margin=100_000.0, **changes):
    return msgspec.structs.replace(
        Account(
            at_ns=NOW_NS,
            nlv_usd=nlv,
            initial_margin_usd=margin,
            excess_liquidity_usd=nlv - margin,
        ),
        **changes,
    )


def equity(nlv=1_000_000.0, **changes):
    start = EquityState(
        day=DAY,
        at_ns=NOW_NS,
        nlv_usd=nlv,
        day_start_usd=nlv,
        week_start_usd=nlv,
        month_start_usd=nlv,
        peak_usd=nlv,
        high_water_usd=nlv,
    )
    return msgspec.structs.replace(start, **changes)


def desk(**changes):
    calm = Desk(
        account=account(),
        regime=RegimeSeen(regime=regime(), at_ns=NOW_NS),
        equity=equity(),
        link_epoch=1,
    )
    return msgspec.structs.replace(calm, **changes)


def quote(mid, *, width=0.02, **changes):
    bid, ask = (Decimal(str(round(mid + side * width / 2, 2))) for side in (-1, 1))
    fresh = LegQuote(seq=7, bid_usd=bid, ask_usd=ask, at_ns=NOW_NS, epoch=1)
    return msgspec.structs.replace(fresh, **changes)


def leg(instrument, ratio, *, mid=1.0, delta=-0.06, iv=0.2, **changes):
    found = Leg(
        instrument=instrument,
        ratio=ratio,
        marks=marks_of(instrument, iv),
        quote=quote(mid),
        delta_per_share=delta,
    )
    return msgspec.structs.replace(found, **changes)


def candidate(*legs, units=1, limit=None, margin=500.0, **changes):
    """A limit at the legs' mid; margin is the broker's answer for one unit."""
    legs = legs or (leg(option("XSP", 540), -1),)
    multiplier = next((x.instrument.multiplier for x in legs if x.instrument.is_option), 1.0)
    if limit is None:
        limit = sum(
            x.ratio
            * x.instrument.multiplier
            / multiplier
            * float((x.quote.bid_usd + x.quote.ask_usd) / 2)
            for x in legs
            if x.quote is not None
        )
    answer = WhatIf(
        units=units,
        initial_change_usd=margin * units,
        maintenance_change_usd=margin * units,
        at_ns=NOW_NS,
    )
    found = Candidate(
        key="c1",
        strategy="daily_puts",
        purpose=Purpose.OPEN,
        legs=tuple(legs),
        units=units,
        limit_usd=Decimal(str(round(limit, 2))),
        kind=OrderKind.LIMIT,
        ticks=CENT,
        whatif=answer,
    )
    return msgspec.structs.replace(found, **changes)


def pending(cand, *, key="A1", units=None, reducing=False):
    return PendingOrder(
        key=key,
        strategy=cand.strategy,
        legs=tuple(
            PendingLeg(instrument=x.instrument, ratio=x.ratio, marks=x.marks) for x in cand.legs
        ),
        units=cand.units if units is None else units,
        margin_usd_per_unit=cand.whatif.initial_change_usd / cand.whatif.units,
        reducing=reducing,
        auto_selected=cand.auto_selected,
    )


def market(*instruments, symbols=tuple(UNDERLYINGS), **changes):
    calm = MarketView(
        at_ns=NOW_NS,
        index_usd=6000.0,
        vix_points=17.0,
        underlyings=tuple(underlying(symbol) for symbol in symbols),
        marks={one.con_id: marks_of(one) for one in instruments if one.is_option},
    )
    return msgspec.structs.replace(calm, **changes)


class World:
    """Everything a review needs; whatever is named differently replaces the calm default."""

    NOW_NS, DAY, LIMITS = NOW_NS, DAY, LIMITS
    option, shares, hold, leg, quote = (staticmethod(f) for f in (option, shares, hold, leg, quote))
    held_book, regime, account, equity, desk = (
        staticmethod(f) for f in (held_book, regime, account, equity, desk)
    )
    candidate, pending, market, underlying, marks_of = (
        staticmethod(f) for f in (candidate, pending, market, underlying, marks_of)
    )

    @staticmethod
    def seen(at_ns=NOW_NS, **changes):
        return RegimeSeen(regime=regime(**changes), at_ns=at_ns)

    @staticmethod
    def limits(**groups):
        """Limits with some numbers of some groups changed."""
        changed = {
            name: msgspec.structs.replace(getattr(LIMITS, name), **numbers)
            for name, numbers in groups.items()
        }
        return msgspec.structs.replace(LIMITS, **changed)

    @staticmethod
    def ruler(*, held=None, view=None, limits=LIMITS):
        held = held or held_book()
        view = view or market(*(one.instrument for one in held.holdings))
        return ruler_of(view, limits)

    @classmethod
    def case(
        cls, cand=None, *, held=None, orders=(), own_desk=None, view=None, limits=LIMITS, **changes
    ):
        cand, held = cand or candidate(), held or held_book()
        ruler = cls.ruler(held=held, view=view, limits=limits)
        found = Case(
            candidate=cand,
            added=measure_candidate(cand, ruler),
            book=measure_book(held=held, pending=tuple(orders), ruler=ruler),
            desk=own_desk or desk(),
            market=ruler.market,
            limits=limits,
            now_ns=NOW_NS,
            day=DAY,
        )
        return msgspec.structs.replace(found, **changes)

    @classmethod
    def review(
        cls, cand=None, *, held=None, orders=(), own_desk=None, view=None, limits=LIMITS, **more
    ):
        cand, held = cand or candidate(), held or held_book()
        ruler = cls.ruler(held=held, view=view, limits=limits)
        return review(
            cand,
            book=measure_book(held=held, pending=tuple(orders), ruler=ruler),
            ruler=ruler,
            desk=own_desk or desk(),
            limits=limits,
            now_ns=NOW_NS,
            day=DAY,
            **more,
        )

    @staticmethod
    def finding(findings, check):
        (found,) = [one for one in findings if one.check == check]
        return found


@pytest.fixture(scope="session")
def world():
    assert math.isfinite(LIMITS.margin.utilisation_max_fraction)
    return World
