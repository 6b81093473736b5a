"""The executor and the governor themselves, between a broker in memory and a market they see."""

from decimal import Decimal

import msgspec

from tests.actors import governed
from tests.actors.governed import Governed
from tests.actors.order_desk import SETTINGS, Desk
from thetawarden.actors.governor import Governor
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.risk.candidate import Purpose, WhatIf
from thetawarden.messages.books import (
    AccountReported,
    ExecutionReported,
    FillBooked,
    OrderReported,
    PositionExplained,
    PositionsValued,
)
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.trading import TradingHalted

PUT = governed.option("SPY", 540)


def mark(instrument):
    """What one of it is worth in this market."""
    return "1.00" if instrument.strike else str(governed.SPOT[instrument.symbol])


class Pair(Desk):
    """What the executor says the governor hears, and the other way round, as the routes have it."""

    def __init__(self, settings=SETTINGS):
        self.world = Governed(instruments=[PUT])
        super().__init__(settings, ready=False)
        self.now = self.world.now
        self.said, self.steps = [], []
        self.connect()
        self.see()

    @property
    def governor(self) -> Governor:
        return self.world.governor

    def hear(self, message):
        """Tell the governor, and the executor what it answers."""
        self.world.now = self.now
        for one in self.world.tell(message):
            match one:
                case PreviewMargin():
                    self.hear(self.margin_of(one))
                case OrderApproved() | OrderRefused() | RiskDemanded() | TradingHalted():
                    self.broker.outbox.append(one)
                case _:
                    pass

    def margin_of(self, asked):
        margin = WhatIf(
            units=asked.units,
            initial_change_usd=2_000.0 * asked.units,
            maintenance_change_usd=2_000.0 * asked.units,
            at_ns=self.now,
        )
        return MarginPreviewed(epoch=1, asked_by="governor", key=asked.key, answer=margin, words="")

    def perform(self, one):
        if isinstance(one, OrderStageChanged):
            self.hear(one)
        super().perform(one)

    def judge(self, asked):
        self.hear(ProposeOrder(proposal=asked))

    def tell(self, message):
        if isinstance(message, ExecutionReported):
            self.book(message.execution)
        if isinstance(message, OrderReported):
            self.hear(message)
        return super().tell(message)

    def book(self, execution):
        """The keeper books a fill and the account shows it."""
        if execution.instrument.kind is InstrumentKind.COMBO:
            return
        conid, count = execution.instrument.conid, execution.quantity
        before = self.world.rows.get(conid, (execution.instrument, 0))[1]
        self.world.rows[conid] = (execution.instrument, before + int(count))
        self.hear(
            FillBooked(
                fill=execution.execution_id[:-3],
                execution=execution,
                cause=Cause.TRADE,
                quantity=count,
                commission_usd=Decimal(1),
                commission_kind=CommissionKind.ESTIMATED,
                cash_usd=-count * execution.price_usd * 100 - 1,
                position_after=Decimal(before) + count,
                average_cost_usd=Decimal(),
                realised_usd=Decimal(),
            )
        )

    def see(self):
        """The market and the account are told anew to both."""
        self.world.now = self.now
        self.world.refresh()
        self.world.valued(
            *(governed.row(*one, mark=mark(one[0])) for one in self.world.rows.values())
        )
        self.quote("0.99", "1.01", PUT.conid)
        counts = [one for one, _ in self.world.heard if isinstance(one, PositionsValued)]
        self.tell(counts[-1])
        return self.settle()

    def raise_margin(self, margin_usd):
        """The broker asks for more margin of what is held: the account shows it to the governor."""
        self.world.now, self.world.margin = self.now, margin_usd
        self.hear(AccountReported(epoch=1, values=self.world.values()))
        return self.settle()

    def deliver(self, shares, count):
        """The put was assigned: shares for it, as the keeper explains it to both."""
        self.world.rows = {shares.conid: (shares, count)}
        explained = PositionExplained(
            account=governed.ACCOUNT,
            conid=shares.conid,
            contract=shares.symbol,
            before=Decimal(),
            after=Decimal(count),
            cause=Cause.ASSIGNMENT,
            cash_usd=Decimal(),
            words="",
            instrument=shares,
            because_of=PUT.conid,
        )
        self.hear(explained)
        self.tell(explained)
        self.wait(NS_PER_SECOND)
        return self.see()

    def propose(self, key, *, purpose=Purpose.OPEN, units=2, ratio=-1, limit="-1.00", exits=True):
        """The strategist proposes; nothing but the governor decides what comes of it."""
        asked = self.world.proposal(
            (PUT, ratio), key=key, purpose=purpose, units=units, limit=limit, trade="t1"
        )
        exits = Exits(take_profit_usd=Decimal("0.50"), stop_usd=Decimal(2)) if exits else None
        self.judge(msgspec.structs.replace(asked, exits=exits))
        return self.settle()

    def pass_time(self, seconds):
        for _ in range(seconds):
            self.wait(NS_PER_SECOND)
            self.settle()
        return self.see()
