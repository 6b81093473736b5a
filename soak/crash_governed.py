"""The same seller by the governor's leave: every order judged, every demand heeded, all checked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from typing_extensions import override

from soak.crash_market import SESSIONS, UNDERLYING, chain_view, regime_inputs
from soak.crash_seller import UNITS, Seller, Sold
from thetawarden.actors.governing import GovernorSettings, desk_of, measured
from thetawarden.actors.governor import Governor, Hears
from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.governing.terms import Terms
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.assess import RegimeLimits, assess
from thetawarden.domain.regime.vix_limits import VixBand
from thetawarden.domain.risk.candidate import Purpose, WhatIf
from thetawarden.domain.risk.demands import DemandKind
from thetawarden.domain.risk.interlock import Connection
from thetawarden.domain.risk.usage import LimitUse, limits_in_use
from thetawarden.domain.units import to_float
from thetawarden.messages.base import Message
from thetawarden.messages.books import AccountReported, BookJudged, FillBooked, PositionsValued
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.timers import TimerFired
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice import model
from thetawarden.sim.broker.translate import execution_of, instrument_of

LIMITS = limits_of(RiskConfig())
TO_CLOSE = (DemandKind.CLOSE_NAKED, DemandKind.REDUCE, DemandKind.CLOSE_WEAKEST)


class GovernedSeller(Seller):
    """The same seller; every order needs the governor's leave, and its demands are heeded."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.settings = GovernorSettings(
            limits=LIMITS,
            terms=Terms(sessions=SESSIONS),
            connection=Connection(
                live_mode=False,
                confirmed=False,
                port=0,
                account="",
                configured_account="",
                command_line_account="",
            ),
        )
        self.governor = Governor(settings=self.settings)
        self.band: VixBand | None = None
        self.views = 0
        self.tell(Begin(incarnation=1, resumed=False))
        self.tell(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why="agreed"))

    def tell(self, message: Hears) -> tuple[Message, ...]:
        """Say something to the governor, and note what it does about it."""
        said = self.governor.receive(message, self.market.now)
        self.outcome.messages += 1
        for one in said:
            match one:
                case TradingHalted(halt=halt):
                    self.note(self.outcome.halts, halt.reason)
                case RiskDemanded(demands=demands):
                    kinds = sorted({one.kind.value for one in demands})
                    self.note(self.outcome.demands, ", ".join(kinds) or "nothing")
                case _:
                    pass
        return said

    def note(self, where: list[str], words: str) -> None:
        """Keep something with its date."""
        where.append(f"{new_york_date(self.market.now)} {words}")

    @override
    def look(self, day: dt.date) -> None:
        """Let the governor see, heed what it demands, and go on as usual."""
        self.see(day)
        self.heed()
        super().look(day)
        self.see(day)

    def see(self, day: dt.date) -> None:
        """Everything is told anew: regime, chain, account, positions; then the governor looks."""
        inputs = regime_inputs(self.market, self.market.daily(day))
        regime = assess(
            inputs=inputs, previous_band=self.band, now_ns=self.market.now, limits=RegimeLimits()
        )
        self.band = regime.vix.band or self.band
        self.tell(ContextTaken(inputs=inputs, trading=True))
        self.tell(RegimeAssessed(regime=regime))
        self.views += 1
        held = [one.instrument for one in self.held.values()]
        shown = {one.conid: one for one in (*self.market.puts(day), *held)}
        self.tell(chain_view(self.market, list(shown.values()), self.views))
        self.tell(AccountReported(epoch=1, values=self.market.values()))
        self.tell(BookJudged(epoch=1, round=1, agreed=True, unexplained=()))
        self.count()
        self.tell(TimerFired(name="look"))

    def count(self) -> None:
        """What the account holds, as the keeper would tell it."""
        held = self.market.exchange.portfolio(self.market.account)
        self.tell(
            PositionsValued(
                agreed_ns=self.market.now,
                reconciled=True,
                positions=tuple(_row(one) for one in held if one.position.quantity),
                results={},
                cash_usd={},
                values=(),
                working_orders=0,
            )
        )

    def heed(self) -> None:
        """Close what the governor demands to be closed: the dearest first, or all that is naked."""
        demands = [one for one in self.governor.state.demands if one.kind in TO_CLOSE]
        for demand in demands:
            names = demand.positions or tuple(self.held)[:1]
            if demand.kind is DemandKind.REDUCE:
                names = names[:1]
            for name in names:
                sold = self.held.get(name)
                quote = None
                if sold is not None:
                    quote = self.market.exchange.market.quote(sold.instrument.conid)
                if sold is not None and quote is not None and quote.ask:
                    self.close(sold, quote.ask)

    def ask(self, proposal: Proposal) -> OrderApproved | None:
        """Ask for an order to be let through; margin is previewed when that is wanted."""
        before = self.uses()
        said = self.tell(ProposeOrder(proposal=proposal))
        for one in said:
            if isinstance(one, PreviewMargin):
                said = self.tell(self.preview(one))
        for one in said:
            if isinstance(one, OrderApproved):
                self.outcome.approved += 1
                self.check(one, before)
                return one
            if isinstance(one, OrderRefused):
                self.outcome.refused += 1
        return None

    def preview(self, asked: PreviewMargin) -> MarginPreviewed:
        """The exchange's own word on what an order would do to margin."""
        leg, limit = asked.legs[0], abs(to_float(asked.limit_usd))
        request = self.market.request(
            leg.instrument, units=leg.ratio * asked.units, limit_usd=limit, ref="preview"
        )
        told = self.market.exchange.what_if(request)
        answer = None
        if told.initial_change_usd is not None and told.maintenance_change_usd is not None:
            answer = WhatIf(
                units=asked.units,
                initial_change_usd=to_float(told.initial_change_usd),
                maintenance_change_usd=to_float(told.maintenance_change_usd),
                at_ns=self.market.now,
            )
        return MarginPreviewed(
            epoch=1, asked_by=asked.asked_by, key=asked.key, answer=answer, words=""
        )

    def uses(self) -> dict[tuple[str, str], LimitUse]:
        """How much of every limit is used, by a measure of our own of what the governor knows."""
        state = self.governor.state
        stock, desk = measured(state, self.settings, None), desk_of(state, self.settings)
        if stock is None or desk.account is None:
            return {}
        most = LIMITS.concentration.positions_max
        found = limits_in_use(
            stock.book,
            account=desk.account,
            limits=LIMITS,
            positions_max=most,
        )
        return {(one.rule.value, one.name): one for one in found}

    def check(self, approved: OrderApproved, before: dict[tuple[str, str], LimitUse]) -> None:
        """An approval may bring no limit beyond itself, nor make one that is passed any worse."""
        for name, use in self.uses().items():
            was = before[name].used if name in before else 0.0
            if use.used > max(use.limit, was) + 1e-6 and not approved.approval.reducing:
                words = f"{approved.proposal.key} {name}: {use.used:.4f} of {use.limit:.4f}"
                self.note(self.outcome.broken, words)

    @override
    def send_entry(self, trade: str, instrument: Instrument, bid: float) -> bool:
        """Sell by the governor's leave."""
        wanted = OrderLeg(instrument=instrument, ratio=-1)
        proposal = self.proposal(trade, wanted, units=UNITS, price=bid, purpose=Purpose.OPEN)
        filled = self.carry_out(proposal, OrderRole.ENTRY)
        if filled:
            self.held[trade] = Sold(
                trade=trade, instrument=instrument, units=filled, credit_usd=bid
            )
        return filled > 0

    @override
    def close(self, sold: Sold, ask: float) -> None:
        """Buy back by the governor's leave."""
        self.serial += 1
        proposal = self.proposal(
            sold.trade,
            OrderLeg(instrument=sold.instrument, ratio=1),
            units=sold.units,
            price=ask * 1.05,
            purpose=Purpose.CLOSE,
        )
        self.shrink(sold, self.carry_out(proposal, OrderRole.EXIT))

    def proposal(
        self, trade: str, leg: OrderLeg, *, units: int, price: float, purpose: Purpose
    ) -> Proposal:
        """An order at one price; what is sold brings it."""
        limit = Decimal(str(round(price, 2))) * leg.ratio
        return Proposal(
            key=f"P{self.serial}",
            trade=trade,
            strategy="crash seller",
            purpose=purpose,
            underlying=UNDERLYING,
            legs=(leg,),
            units=units,
            limit_usd=limit,
            worst_usd=limit,
            pricing=Pricing.FIXED,
            expires_ns=UnixNs(self.market.now + 10 * NS_PER_MINUTE),
        )

    def carry_out(self, proposal: Proposal, role: OrderRole) -> int:
        """Send what is approved, follow it to its end, and tell the governor all of it."""
        approved = self.ask(proposal)
        if approved is None:
            return 0
        ref = f"{proposal.trade}.{proposal.key}"
        self.stage(approved, role=role, ref=ref, stage=Stage.INTENDED, filled=0)
        self.stage(approved, role=role, ref=ref, stage=Stage.WORKING, filled=0)
        leg, units = proposal.legs[0], approved.approval.units
        before = len(self.market.fills)
        limit = abs(to_float(proposal.limit_usd))
        filled = self.trade(leg.instrument, units=leg.ratio * units, limit_usd=limit, ref=ref)
        for one in self.market.fills[before:]:
            if one.order_ref == ref:
                self.book(one)
        ended = Stage.FILLED if filled == units else Stage.CANCELLED
        self.stage(approved, role=role, ref=ref, stage=ended, filled=filled)
        self.tell(AccountReported(epoch=1, values=self.market.values()))
        self.count()
        return filled

    def stage(
        self, approved: OrderApproved, *, role: OrderRole, ref: str, stage: Stage, filled: int
    ) -> None:
        """Say where an order stands."""
        self.tell(
            OrderStageChanged(
                order_ref=ref,
                trade=approved.proposal.trade,
                strategy=approved.proposal.strategy,
                role=role,
                approval_key=approved.approval.key,
                proposal_key=approved.proposal.key,
                stage=stage,
                units=approved.approval.units,
                units_filled=filled,
                perm_id=1,
                words="",
            )
        )

    def book(self, fill: model.Execution) -> None:
        """Say that a fill stands in the book."""
        execution = execution_of(fill)
        price, count = execution.price_usd, execution.quantity
        self.tell(
            FillBooked(
                fill=execution.execution_id,
                execution=execution,
                cause=Cause.TRADE,
                quantity=count,
                commission_usd=Decimal(1),
                commission_kind=CommissionKind.ESTIMATED,
                cash_usd=-count * price * 100,
                position_after=count,
                average_cost_usd=Decimal(0),
                realised_usd=Decimal(0),
            )
        )

    @override
    def state(self) -> str:
        """What the governor lets it do."""
        state = self.governor.state
        return "halted" if state.latch.halt else ("cautious" if state.cautions else "running")


def _row(held: model.PortfolioRow) -> PositionRow:
    quantity, zero = Decimal(held.position.quantity), Decimal(0)
    return PositionRow(
        account=held.position.account,
        instrument=instrument_of(held.position.contract),
        contract=str(held.position.contract.con_id),
        quantity=quantity,
        book_quantity=quantity,
        average_cost_usd=zero,
        mark_usd=Decimal(str(held.market_price)),
        marked_ns=None,
        value_usd=None,
        unrealised_usd=None,
        realised_usd=zero,
        realised_today_usd=zero,
        day_usd=None,
        fees_usd=zero,
        delta_shares=None,
    )
