"""One candidate's verdict on a book of 200 positions, and counting the book anew.

The share of the slowest one per cent is what the desk waits for, so it is the figure; beside it
stands the bare revaluation of the candidate's legs, without which no rule could speak. CPU time, so
that a loaded machine does not decide.
"""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from functools import cache

import numpy as np

from bench.harness import Figure, Goal
from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.ticks import tick_rule
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.regime.assess import RegimeInputs, RegimeLimits, assess
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.risk.candidate import Candidate, Leg, OrderKind, Purpose, WhatIf
from thetawarden.domain.risk.case import Desk, RegimeSeen
from thetawarden.domain.risk.equity import EquityState, observe_nlv
from thetawarden.domain.risk.holdings import Account, HeldBook, Holding, MarketView
from thetawarden.domain.risk.instrument import ConId, Instrument, LegQuote, Marks, UnderlyingView
from thetawarden.domain.risk.measure import (
    BookMeasure,
    Ruler,
    measure_book,
    measure_candidate,
    ruler_of,
)
from thetawarden.domain.risk.review import review

_NOW = UnixNs(1_790_000_000_000_000_000)
_DAY = dt.date(2026, 9, 21)
_NLV = 5_000_000.0
_POSITIONS = 200
_NAMES = 40
_ROUNDS = 400
_LIMITS = limits_of(RiskConfig())
_CENT = tick_rule(("0", "0.01"))


@cache
def _underlyings() -> tuple[UnderlyingView, ...]:
    generator = np.random.default_rng(1)
    return tuple(
        UnderlyingView(
            symbol=f"U{number}" if number else "SPX",
            spot_usd=float(generator.uniform(30.0, 500.0)) if number else 6000.0,
            spot_at_ns=_NOW,
            beta=float(generator.uniform(0.5, 1.8)) if number else 1.0,
            iv_beta=1.0,
            sector=f"S{number % 11}",
            broad_index=not number,
        )
        for number in range(_NAMES)
    )


def _option(number: int, *, is_call: bool = False) -> tuple[Instrument, Marks]:
    view = _underlyings()[number % _NAMES]
    days = 1 + number % 45
    out = 1.08 if is_call else 0.9 - 0.002 * (number % 20)
    instrument = Instrument(
        con_id=ConId(number),
        underlying=view.symbol,
        kind=PositionKind.EUROPEAN if view.broad_index else PositionKind.AMERICAN,
        multiplier=100.0,
        expiry=_DAY + dt.timedelta(days=days),
        is_call=is_call,
        strike_usd=round(view.spot_usd * out, 2),
    )
    return instrument, Marks(tau_years=days / 365, iv_annual=0.25, rate_annual=0.04)


@cache
def _ruler() -> Ruler:
    marks = {ConId(number): _option(number)[1] for number in range(_POSITIONS)}
    market = MarketView(
        at_ns=_NOW, index_usd=6000.0, vix_points=17.0, underlyings=_underlyings(), marks=marks
    )
    return ruler_of(market, _LIMITS)


@cache
def _held() -> HeldBook:
    return HeldBook(
        version="b1",
        at_ns=_NOW,
        reconciled=True,
        holdings=tuple(
            Holding(
                instrument=_option(number)[0],
                contracts=-1.0,
                position=f"p{number}",
                margin_usd=500.0,
            )
            for number in range(_POSITIONS)
        ),
    )


@cache
def _book() -> BookMeasure:
    return measure_book(held=_held(), pending=(), ruler=_ruler())


@cache
def _desk() -> Desk:
    def read(value: float) -> Reading:
        return Reading(value=value, at_ns=_NOW)

    regime = assess(
        inputs=RegimeInputs(
            curve=VolCurve(
                vix=read(17.0),
                vix3m=read(20.0),
                first_future=read(18.0),
                second_future=read(19.5),
            ),
            trend=TrendInputs(
                price=read(110.0),
                sma20=read(105.0),
                sma50=read(100.0),
                sma200=read(90.0),
                adx=read(22.0),
            ),
            underlyings=_NAMES,
            average_correlation=read(0.2),
            macro=(),
            days=(),
        ),
        previous_band=None,
        now_ns=_NOW,
        limits=RegimeLimits(),
    )
    account = Account(
        at_ns=_NOW, nlv_usd=_NLV, initial_margin_usd=0.2 * _NLV, excess_liquidity_usd=0.7 * _NLV
    )
    equity = observe_nlv(EquityState(), nlv_usd=_NLV, day=_DAY, at_ns=_NOW)
    return Desk(account=account, regime=RegimeSeen(regime=regime, at_ns=_NOW), equity=equity)


@cache
def _candidate(number: int) -> Candidate:
    """In turn a short put and a strangle, on the index and on every name."""
    sides = (False,) if number % 2 else (False, True)
    legs = []
    for is_call in sides:
        instrument, marks = _option(1_000 + number, is_call=is_call)
        quote = LegQuote(
            seq=1, bid_usd=Decimal("0.99"), ask_usd=Decimal("1.01"), at_ns=_NOW, epoch=0
        )
        legs.append(
            Leg(
                instrument=Instrument(
                    **{
                        name: getattr(instrument, name)
                        for name in Instrument.__struct_fields__
                        if name != "con_id"
                    },
                    con_id=ConId(10_000 + 2 * number + is_call),
                ),
                ratio=-1,
                marks=marks,
                quote=quote,
                delta_per_share=-0.05,
            )
        )
    answer = WhatIf(units=3, initial_change_usd=3e3, maintenance_change_usd=3e3, at_ns=_NOW)
    return Candidate(
        key=f"c{number}",
        strategy="bench",
        purpose=Purpose.OPEN,
        legs=tuple(legs),
        units=3,
        limit_usd=Decimal(-1) * len(legs),
        kind=OrderKind.LIMIT,
        ticks=_CENT,
        whatif=answer,
    )


def _slowest_ms(times_s: list[float]) -> float:
    return float(np.quantile(times_s, 0.99)) * 1e3


def _verdict_ms() -> float:
    book, ruler, desk, times = _book(), _ruler(), _desk(), []
    for number in range(_ROUNDS):
        candidate = _candidate(number % (2 * _NAMES))
        start = time.thread_time()
        review(candidate, book=book, ruler=ruler, desk=desk, limits=_LIMITS, now_ns=_NOW, day=_DAY)
        times.append(time.thread_time() - start)
    return _slowest_ms(times)


def _bare_ms() -> float:
    ruler, times = _ruler(), []
    for number in range(_ROUNDS):
        candidate = _candidate(number % (2 * _NAMES))
        start = time.thread_time()
        measure_candidate(candidate, ruler)
        times.append(time.thread_time() - start)
    return _slowest_ms(times)


def _book_ms() -> float:
    start = time.thread_time()
    measure_book(held=_held(), pending=(), ruler=_ruler())
    return (time.thread_time() - start) * 1e3


FIGURES = (
    Figure(
        name="risk verdict, one candidate on 200 positions, p99",
        unit="ms",
        measure=_verdict_ms,
        reference="revaluation of its legs alone, p99",
        measure_reference=_bare_ms,
        goals=(
            Goal(of="value", relation="<=", limit=20.0),
            Goal(of="ratio", relation="<=", limit=3.0),
        ),
        repetitions=5,
    ),
    Figure(
        name="risk measure of a book of 200 positions",
        unit="ms",
        measure=_book_ms,
        goals=(Goal(of="value", relation="<=", limit=100.0),),
        repetitions=9,
    ),
)
