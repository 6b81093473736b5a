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

import msgspec
import numpy as np

from bench.harness import Figure, Goal
from thetawarden.actors.governing import GovernorSettings
from thetawarden.actors.governor import Governor
from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument as BrokerInstrument
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.chains.view import ROW_TYPES
from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.sights import Carry, Sight
from thetawarden.domain.governing.terms import Company, Terms
from thetawarden.domain.governing.trades import HeldRow, Trade
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.market.events import EarningsCalendar
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.market.ticks import tick_rule
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
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
from thetawarden.domain.risk.interlock import Connection
from thetawarden.domain.risk.limits import GreekLimits
from thetawarden.domain.risk.measure import BookMeasure, measure_book, measure_candidate
from thetawarden.domain.risk.review import review
from thetawarden.domain.risk.ruler import Ruler, ruler_of
from thetawarden.messages.orders import MarginPreviewed, ProposeOrder
from thetawarden.messages.timers import TimerFired

_NOW = UnixNs(1_790_000_000_000_000_000)
_DAY = dt.date(2026, 9, 21)
_NLV = 5_000_000.0
_POSITIONS = 200
_NAMES = 40
_ROUNDS = 400
_LIMITS = limits_of(RiskConfig())
_WIDE = msgspec.structs.replace(
    _LIMITS,
    greeks=GreekLimits(
        **dict.fromkeys(GreekLimits.__struct_fields__, 100.0)
        | {"theta_per_index_delta_min_usd": 0.0}
    ),
    stress=msgspec.structs.replace(
        _LIMITS.stress, entry_loss_fraction=1.0, reduce_loss_fraction=1.0
    ),
    margin=msgspec.structs.replace(_LIMITS.margin, stressed_utilisation_max_fraction=10.0),
    expiry=msgspec.structs.replace(_LIMITS.expiry, exempt_positions_max=1_000),
    concentration=msgspec.structs.replace(
        _LIMITS.concentration,
        positions_max=1_000,
        sector_underlyings_max=1_000,
        name_max_fraction=10.0,
    ),
    defined_risk=msgspec.structs.replace(_LIMITS.defined_risk, notional_max_nlv=100.0),
    orders=msgspec.structs.replace(
        _LIMITS.orders, entries_per_minute_max=1_000, orders_per_minute_max=1_000
    ),
)
"""Room for everything: whoever is let through is counted as well, which takes longest."""
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


def _ruler() -> Ruler:
    """A new look at the market: it keeps what it has measured, so nothing is measured by two."""
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
    book, desk, times = _book(), _desk(), []
    for number in range(_ROUNDS):
        candidate, ruler = _candidate(number % (2 * _NAMES)), _ruler()
        start = time.thread_time()
        review(candidate, book=book, ruler=ruler, desk=desk, limits=_LIMITS, now_ns=_NOW, day=_DAY)
        times.append(time.thread_time() - start)
    return _slowest_ms(times)


def _bare_ms() -> float:
    times = []
    for number in range(_ROUNDS):
        candidate, ruler = _candidate(number % (2 * _NAMES)), _ruler()
        start = time.thread_time()
        measure_candidate(candidate, ruler)
        times.append(time.thread_time() - start)
    return _slowest_ms(times)


def _sight(symbol: str) -> Sight:
    """A chain as the governor keeps it: what is held of it and what is asked for."""
    held = [number for number in range(_POSITIONS) if _option(number)[0].underlying == symbol]
    wanted = [leg.instrument for n in range(2 * _NAMES) for leg in _candidate(n).legs]
    con_ids = [*held, *(one.con_id for one in wanted if one.underlying == symbol)]
    size = len(con_ids)
    columns = {
        "conid": np.array(con_ids),
        "series": np.zeros(size),
        "bid_usd": np.full(size, 0.99),
        "ask_usd": np.full(size, 1.01),
        "iv_annual": np.full(size, 0.25),
        "smile_iv_annual": np.full(size, 0.25),
        "delta_per_share": np.full(size, -0.05),
        "at_ns": np.full(size, _NOW),
        "doubt": np.zeros(size),
    }
    view = next(one for one in _underlyings() if one.symbol == symbol)
    return Sight(
        underlying=symbol,
        number=1,
        at_ns=_NOW,
        epoch=1,
        spot_usd=view.spot_usd,
        spot_at_ns=_NOW,
        carries=(Carry(30 / 365, 0.04, 0.0),),
        columns={
            name: column.astype(ROW_TYPES[name]).tobytes() for name, column in columns.items()
        },
    )


def _governor() -> Governor:
    """A desk of 200 positions that has just been looked at."""
    settings = GovernorSettings(
        limits=_WIDE,
        terms=Terms(
            sessions=load_sessions(Exchange.NYSE),
            betas={
                one.symbol: Beta(symbol=one.symbol, beta=one.beta, iv_beta=one.iv_beta)
                for one in _underlyings()
            },
            companies={
                one.symbol: Company(
                    earnings=EarningsCalendar(
                        known_from=dt.date(2020, 1, 1),
                        known_until=dt.date(2030, 1, 1),
                        reports=(),
                    ),
                    dividends_until=dt.date(2030, 1, 1),
                )
                for one in _underlyings()
            },
        ),
        connection=Connection(
            live_mode=False,
            confirmed=False,
            port=0,
            account="",
            configured_account="",
            command_line_account="",
        ),
    )
    governor = Governor(settings=settings)
    state, desk = governor.state, _desk()
    reading = Reading(value=6000.0, at_ns=_NOW)
    state.frozen, state.epoch = {}, 1
    state.index, state.vix = reading, Reading(value=17.0, at_ns=_NOW)
    state.sights = {one.symbol: _sight(one.symbol) for one in _underlyings()}
    state.regime, state.equity = desk.regime, desk.equity
    state.values = AccountValues(
        account="DU1",
        at_ns=_NOW,
        ready=True,
        net_liquidation_usd=Decimal(int(_NLV)),
        initial_margin_usd=Decimal(int(0.2 * _NLV)),
        excess_liquidity_usd=Decimal(int(0.7 * _NLV)),
    )
    state.rows = tuple(
        HeldRow(
            instrument=one.instrument, name=one.position, contracts=-1.0, agreed=True, mark_usd=1.0
        )
        for one in _held().holdings
    )
    state.trades = {
        one.position: Trade(contracts={one.instrument.con_id: -1.0}, margin_usd=500.0)
        for one in _held().holdings
    }
    state.rows_ns = state.agreed_ns = _NOW
    state.reconciled = True
    governor.receive(TimerFired(name="look"), _NOW)
    return governor


def _proposal(number: int) -> Proposal:
    candidate = _candidate(number)
    legs = tuple(
        OrderLeg(
            instrument=BrokerInstrument(
                conid=leg.instrument.con_id,
                kind=InstrumentKind.OPTION,
                symbol=leg.instrument.underlying,
                multiplier=100,
                trading_class="SPXW" if leg.instrument.underlying == "SPX" else "",
                expiry=leg.instrument.expiry,
                strike=Decimal(str(leg.instrument.strike_usd)),
                right=Right.CALL if leg.instrument.is_call else Right.PUT,
            ),
            ratio=leg.ratio,
        )
        for leg in candidate.legs
    )
    price = Decimal(-len(legs))
    return Proposal(
        key=candidate.key,
        trade=f"T{number}",
        strategy="bench",
        purpose=Purpose.OPEN,
        underlying=candidate.underlying,
        legs=legs,
        units=3,
        limit_usd=price,
        worst_usd=price,
        pricing=Pricing.WALK,
        expires_ns=UnixNs(_NOW + 10**12),
    )


def _decision_ms() -> float:
    """The longest the actor is busy with a candidate: asked for, and again once margin is known."""
    governor, times = _governor(), []
    blank = msgspec.msgpack.encode(governor.state)
    kind = type(governor.state)
    for number in range(_ROUNDS // 2):
        if number % 20 == 0:
            governor.state = msgspec.msgpack.decode(blank, type=kind)
            governor.receive(TimerFired(name="look"), _NOW)
        proposal = _proposal(number % (2 * _NAMES))
        answer = WhatIf(units=3, initial_change_usd=3e3, maintenance_change_usd=3e3, at_ns=_NOW)
        told = MarginPreviewed(
            epoch=1, asked_by="governor", key=proposal.key, answer=answer, words=""
        )
        for message in (ProposeOrder(proposal=proposal), told):
            start = time.thread_time()
            governor.receive(message, _NOW)
            times.append(time.thread_time() - start)
    return _slowest_ms(times)


def _snapshot_kb() -> float:
    return len(msgspec.msgpack.encode(_governor().state)) / 1e3


def _book_ms() -> float:
    held, ruler = _held(), _ruler()
    start = time.thread_time()
    measure_book(held=held, pending=(), ruler=ruler)
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
        name="risk decision in the governor, one candidate on 200 positions, p99",
        unit="ms",
        measure=_decision_ms,
        reference="the bare verdict of the rules, p99",
        measure_reference=_verdict_ms,
        goals=(Goal(of="value", relation="<=", limit=20.0),),
        repetitions=3,
    ),
    Figure(
        name="risk governor's state with 200 positions and 40 chains",
        unit="kB",
        measure=_snapshot_kb,
        goals=(Goal(of="value", relation="<=", limit=1_000.0),),
        repetitions=1,
    ),
    Figure(
        name="risk measure of a book of 200 positions",
        unit="ms",
        measure=_book_ms,
        goals=(Goal(of="value", relation="<=", limit=100.0),),
        repetitions=9,
    ),
)
