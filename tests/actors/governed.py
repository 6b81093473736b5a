"""A governor with a market, an account and a book, told in messages as its neighbours tell them."""

import datetime as dt
from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.actors.governing import GovernorSettings
from thetawarden.actors.governor import Governor
from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import Execution
from thetawarden.domain.chains.doubts import CODES
from thetawarden.domain.chains.view import (
    ROW_TYPES,
    ChainSummary,
    ChainView,
    SeriesView,
    pack_rows,
)
from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.terms import Terms
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.contracts import Right, Settlement
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.assess import RegimeInputs, RegimeLimits, assess
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.risk.candidate import Purpose, WhatIf
from thetawarden.domain.risk.interlock import Connection
from thetawarden.messages.books import AccountReported, BookJudged, FillBooked, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import BetasMeasured, ContextTaken
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.timers import TimerFired

DAY = dt.date(2026, 9, 22)
T0 = new_york_ns(DAY, dt.time(10, 0))
LIMITS = limits_of(RiskConfig())
ACCOUNT = "DU1234567"
PAPER = Connection(
    live_mode=False,
    confirmed=False,
    port=0,
    account="",
    configured_account="",
    command_line_account="",
)
SPOT = {"SPX": 6000.0, "XSP": 600.0, "SPY": 598.0, "AAPL": 200.0, "XOM": 110.0, "JPM": 280.0}
CLASS = {"SPX": "SPXW", "XSP": "XSPW"}
_SESSIONS = load_sessions(Exchange.NYSE)


def settings(**changes):
    usual = GovernorSettings(limits=LIMITS, terms=Terms(sessions=_SESSIONS), connection=PAPER)
    return msgspec.structs.replace(usual, **changes)


def limits(**groups):
    """The default limits with some numbers of some groups changed."""
    changed = {
        name: msgspec.structs.replace(getattr(LIMITS, name), **numbers)
        for name, numbers in groups.items()
    }
    return msgspec.structs.replace(LIMITS, **changed)


def only(said, kind):
    return [each for each in said if isinstance(each, kind)]


def conid_of(symbol, strike, *, days=30, call=False):
    return 1 + list(SPOT).index(symbol) * 10**8 + int(strike) * 1000 + days * 2 + call


def option(symbol="XSP", strike=540, *, days=30, call=False):
    return Instrument(
        conid=conid_of(symbol, strike, days=days, call=call),
        kind=InstrumentKind.OPTION,
        symbol=symbol,
        multiplier=100,
        trading_class=CLASS.get(symbol, symbol),
        expiry=DAY + dt.timedelta(days=days),
        strike=Decimal(strike),
        right=Right.CALL if call else Right.PUT,
    )


def stock(symbol="AAPL"):
    return Instrument(conid=77 + list(SPOT).index(symbol), kind=InstrumentKind.STOCK, symbol=symbol)


def view(symbol, instruments, *, now, mid=1.0, iv=0.2, delta=-0.06, epoch=1, doubt=None, **changes):
    """What a chain of these looks like; every option costs the same, unless `mid` says by conid."""
    ends = sorted({one.expiry for one in instruments})
    spot = SPOT[symbol]
    price = (lambda one: mid.get(one.conid, 1.0)) if isinstance(mid, dict) else (lambda _: mid)
    columns = {name: np.zeros(len(instruments)) for name in ROW_TYPES}
    columns |= {
        "conid": np.array([one.conid for one in instruments]),
        "series": np.array([ends.index(one.expiry) for one in instruments]),
        "strike_usd": np.array([float(one.strike) for one in instruments]),
        "is_call": np.array([one.right is Right.CALL for one in instruments]),
        "bid_usd": np.array([price(one) - 0.01 for one in instruments]),
        "ask_usd": np.array([price(one) + 0.01 for one in instruments]),
        "iv_annual": np.full(len(instruments), iv),
        "smile_iv_annual": np.full(len(instruments), iv),
        "delta_per_share": np.full(len(instruments), delta),
        "at_ns": np.full(len(instruments), now),
        "doubt": np.full(len(instruments), 0 if doubt is None else CODES[doubt]),
    }
    series = tuple(
        SeriesView(
            trading_class=CLASS.get(symbol, symbol),
            expiry=end,
            settlement=Settlement.PM,
            settles_ns=now,
            last_trade_ns=now,
            rows=1,
            usable=1,
            tau_years=max((end - DAY).days, 0.2) / 365,
            forward_usd=spot,
            discount=0.999,
        )
        for end in ends
    )
    shown = ChainView(
        underlying=symbol,
        number=int(now - T0) // NS_PER_SECOND + 1,
        at_ns=now,
        epoch=epoch,
        spot_usd=spot,
        spot_at_ns=now,
        spot_doubt="",
        fitted_ns=now,
        series=series,
        summary=ChainSummary(rows=len(instruments), usable=len(instruments), doubts=()),
        columns=pack_rows(columns),
    )
    return ChainViewed(underlying=symbol, view=msgspec.structs.replace(shown, **changes))


CALM = {
    "vix": 17.0,
    "vix3m": 20.0,
    "first_future": 18.0,
    "second_future": 19.5,
    "price": 6000.0,
    "sma20": 5900.0,
    "sma50": 5800.0,
    "sma200": 5500.0,
    "adx": 22.0,
    "breadth": 0.1,
}


def inputs(now, **changes):
    figures = CALM | changes

    def read(name):
        value = figures[name]
        return None if value is None else Reading(value=value, at_ns=now)

    curve = {name: read(name) for name in ("vix", "vix3m", "first_future", "second_future")}
    trend = {name: read(name) for name in ("price", "sma20", "sma50", "sma200", "adx", "breadth")}
    return RegimeInputs(
        curve=VolCurve(**curve),
        trend=TrendInputs(**trend),
        underlyings=1,
        average_correlation=None,
        macro=(),
        days=(),
    )


def row(instrument, quantity, *, book=None, mark="1.00"):
    return PositionRow(
        account=ACCOUNT,
        instrument=instrument,
        contract=f"{instrument.symbol} {instrument.strike or ''}".strip(),
        quantity=Decimal(quantity),
        book_quantity=Decimal(quantity if book is None else book),
        average_cost_usd=Decimal(0),
        mark_usd=Decimal(mark),
        marked_ns=T0,
        value_usd=None,
        unrealised_usd=None,
        realised_usd=Decimal(0),
        realised_today_usd=Decimal(0),
        day_usd=None,
        fees_usd=Decimal(0),
        delta_shares=None,
    )


class Governed:
    """A governor that hears what it should, at a time that the test moves."""

    def __init__(self, *, nlv=1_000_000, own=None, instruments=(), begin=True):
        self.governor = Governor(settings=own or settings())
        self.now = T0
        self.nlv, self.margin = nlv, 100_000
        self.instruments = list(instruments or [option()])
        self.rows = {}
        self.said = []
        self.heard = []
        self.fills = 0
        if begin:
            self.tell(Begin(incarnation=1, resumed=False))
            self.tell(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why="agreed"))
            self.refresh()

    @property
    def state(self):
        return self.governor.state

    def tell(self, message):
        self.heard.append((message, self.now))
        said = self.governor.receive(message, self.now)
        self.said += said
        return said

    def wait(self, seconds):
        self.now += round(seconds * NS_PER_SECOND)
        return self

    def refresh(self, **figures):
        """Everything is told anew: the market, the account, the book; then the governor looks."""
        self.tell(BetasMeasured(betas=tuple(Beta(symbol=s, beta=1.1, iv_beta=1.1) for s in SPOT)))
        self.context(**figures)
        self.views()
        self.account()
        self.tell(BookJudged(epoch=1, round=1, agreed=True, unexplained=()))
        self.valued()
        return self.look()

    def look(self):
        return self.tell(TimerFired(name="look"))

    def context(self, **figures):
        seen = inputs(self.now, **figures)
        regime = assess(inputs=seen, previous_band=None, now_ns=self.now, limits=RegimeLimits())
        self.tell(ContextTaken(inputs=seen, trading=True))
        return self.tell(RegimeAssessed(regime=regime))

    def views(self, **changes):
        for symbol in dict.fromkeys(one.symbol for one in self.instruments):
            of = [one for one in self.instruments if one.symbol == symbol and one.strike]
            self.tell(view(symbol, of, now=self.now, **changes))

    def account(self, nlv=None, margin=None):
        self.nlv = self.nlv if nlv is None else nlv
        self.margin = self.margin if margin is None else margin
        return self.tell(AccountReported(epoch=1, values=self.values()))

    def values(self):
        return AccountValues(
            account=ACCOUNT,
            at_ns=self.now,
            ready=True,
            net_liquidation_usd=Decimal(self.nlv),
            initial_margin_usd=Decimal(self.margin),
            excess_liquidity_usd=Decimal(self.nlv - self.margin),
        )

    def valued(self, *rows, reconciled=True):
        rows = rows or tuple(row(one, count) for one, count in self.rows.values())
        return self.tell(
            PositionsValued(
                agreed_ns=self.now,
                reconciled=reconciled,
                positions=tuple(rows),
                results={},
                cash_usd={},
                values=(self.values(),),
                working_orders=0,
            )
        )

    def proposal(self, *legs, units=1, limit="-1.00", key="P1", purpose=Purpose.OPEN, **changes):
        legs = legs or ((option(), -1),)
        usual = Proposal(
            key=key,
            trade=f"T{key}",
            strategy="daily_puts",
            purpose=purpose,
            underlying=legs[0][0].symbol,
            legs=tuple(OrderLeg(instrument=one, ratio=ratio) for one, ratio in legs),
            units=units,
            limit_usd=Decimal(limit),
            worst_usd=Decimal(limit),
            pricing=Pricing.WALK,
            expires_ns=self.now + 60 * NS_PER_SECOND,
        )
        return msgspec.structs.replace(usual, **changes)

    def propose(self, *legs, **told):
        return self.tell(ProposeOrder(proposal=self.proposal(*legs, **told)))

    def answer(self, said, *, margin=2_000.0, units=None, words=""):
        """The broker's answer to the preview that was asked for."""
        (asked,) = only(said, PreviewMargin)
        units = asked.units if units is None else units
        whatif = None
        if margin is not None:
            whatif = WhatIf(
                units=units,
                initial_change_usd=margin * units,
                maintenance_change_usd=margin * units,
                at_ns=self.now,
            )
        return self.tell(
            MarginPreviewed(epoch=1, asked_by="governor", key=asked.key, answer=whatif, words=words)
        )

    def approve(self, *legs, margin=2_000.0, **told):
        """An approved entry."""
        said = self.propose(*legs, **told)
        (approved,) = only(self.answer(said, margin=margin), OrderApproved)
        return approved

    def stage(self, approved, stage, *, filled=0, ref=None, words=""):
        proposal, approval = approved.proposal, approved.approval
        return self.tell(
            OrderStageChanged(
                order_ref=ref or f"{proposal.trade}.1",
                trade=proposal.trade,
                strategy=proposal.strategy,
                role=OrderRole.ENTRY if proposal.purpose is Purpose.OPEN else OrderRole.EXIT,
                approval_key=approval.key,
                proposal_key=proposal.key,
                stage=stage,
                units=approval.units,
                units_filled=filled,
                perm_id=1,
                words=words,
            )
        )

    def fill(self, approved, *, units=1, ref=None, price="1.00", legs=None):
        """Fills of every leg of so many units, booked and soon in the account's count."""
        for leg in legs or approved.proposal.legs:
            self.fills += 1
            count = leg.ratio * units
            before = self.rows.get(leg.instrument.conid, (leg.instrument, 0))[1]
            self.rows[leg.instrument.conid] = (leg.instrument, before + count)
            execution = Execution(
                execution_id=f"e{self.fills}.01",
                instrument=leg.instrument,
                quantity=Decimal(count),
                price_usd=Decimal(price),
                at_ns=self.now,
                perm_id=1,
                order_id=1,
                client_id=17,
                order_ref=ref or f"{approved.proposal.trade}.1",
                account=ACCOUNT,
            )
            self.tell(
                FillBooked(
                    fill=f"e{self.fills}",
                    execution=execution,
                    cause=Cause.TRADE,
                    quantity=Decimal(count),
                    commission_usd=Decimal(1),
                    commission_kind=CommissionKind.ESTIMATED,
                    cash_usd=-Decimal(count) * Decimal(price) * 100 - 1,
                    position_after=Decimal(before + count),
                    average_cost_usd=Decimal(0),
                    realised_usd=Decimal(0),
                )
            )

    def hold(self, approved, *, units=None):
        """The whole way of an order that fills."""
        units = approved.approval.units if units is None else units
        self.stage(approved, Stage.INTENDED)
        self.stage(approved, Stage.WORKING)
        self.fill(approved, units=units)
        self.stage(approved, Stage.FILLED, filled=units)
        self.valued()
        return self
