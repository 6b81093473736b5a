"""I05, I16: whatever is lost, repeated, late or raced with, we end with the broker's book."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actors.test_keeper import Desk, judged, only
from tests.domain.books.accounts import ACCOUNT, SECOND, T0, bought, cost, option, position, stock
from thetawarden.domain.books.book import cash_usd, holdings
from thetawarden.messages.books import (
    CommissionReported,
    ExecutionReported,
    PositionExplained,
    PositionReported,
)

START = Decimal(100_000)
INSTRUMENTS = (stock(), option(2), option(4, "510"))


class Broker:
    """A broker's truth, of which the keeper hears what a test lets through."""

    def __init__(self):
        self.fills, self.costs = {}, {}
        self.desk = Desk(cash=str(START))
        self.said = list(self.desk.fetch())

    def trade(self, instrument, quantity, cents, ours):
        number = len(self.fills) + 1
        changes = {} if ours else {"order_ref": "", "client_id": 0}
        at_s = (self.desk.now - T0) // SECOND
        self.fills[number] = bought(
            instrument, quantity, Decimal(cents) / 100, number=number, at_s=at_s, **changes
        )
        self.costs[number] = cost(number, "1.05")
        return number

    def correct(self, number, cents):
        before = self.fills[number]
        revision = int(before.execution_id[-2:]) + 1
        self.fills[number] = msgspec.structs.replace(
            before,
            execution_id=f"{before.execution_id[:-2]}{revision:02d}",
            price_usd=Decimal(cents) / 100,
        )
        fee = "1.05" if cents else "0"
        self.costs[number] = cost(number, fee, revision=revision)

    @property
    def cash(self):
        gross = sum(
            one.quantity * one.price_usd * one.instrument.multiplier for one in self.fills.values()
        )
        return START - gross - sum(one.commission_usd for one in self.costs.values())

    @property
    def positions(self):
        counts = {}
        for one in self.fills.values():
            moved = one.quantity if one.price_usd else 0
            counts[one.instrument] = counts.get(one.instrument, 0) + moved
        return tuple(position(one, count) for one, count in counts.items() if count)

    def tell(self, number):
        self._hear(ExecutionReported(epoch=1, execution=self.fills[number]))

    def tell_cost(self, number):
        self._hear(CommissionReported(epoch=1, commission=self.costs[number]))

    def tell_position(self, instrument):
        count = next((one.quantity for one in self.positions if one.instrument == instrument), 0)
        self._hear(PositionReported(epoch=1, position=position(instrument, count)))

    def fetch(self, *, raced=0):
        """A whole fetch; one that raced does not list the latest fills it counts already."""
        desk = self.desk
        desk.cash, desk.positions = str(self.cash), self.positions
        listed = list(self.fills)[: len(self.fills) - raced]
        desk.executions = tuple(self.fills[number] for number in listed)
        desk.commissions = tuple(self.costs[number] for number in listed)
        said = desk.fetch()
        self.said += said
        return judged(said)

    def _hear(self, message):
        self.said += self.desk.tell(message)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_keeper_ends_with_the_brokers_book_and_explains_nothing_away(data):
    broker = Broker()
    for _ in range(data.draw(st.integers(1, 14))):
        number = data.draw(st.integers(1, max(len(broker.fills), 1)))
        match data.draw(
            st.sampled_from(("trade", "trade", "tell", "cost", "look", "mend", "race"))
        ):
            case "trade":
                quantity = data.draw(st.integers(-4, 4).filter(bool))
                broker.trade(
                    data.draw(st.sampled_from(INSTRUMENTS)),
                    quantity,
                    data.draw(st.integers(1, 900)),
                    data.draw(st.booleans()),
                )
            case "tell" if broker.fills:
                broker.tell(number)
            case "cost" if broker.fills:
                broker.tell_cost(number)
            case "look":
                broker.tell_position(data.draw(st.sampled_from(INSTRUMENTS)))
            case "mend" if broker.fills:
                broker.correct(number, data.draw(st.integers(0, 900)))
            case "race":
                broker.fetch(raced=data.draw(st.integers(1, 2)))
                broker.fetch()

    verdict = broker.fetch()

    book = broker.desk.state.book
    held = {one.instrument: one.quantity for one in holdings(book).values() if one.quantity}
    assert verdict.agreed
    assert held == {one.instrument: one.quantity for one in broker.positions}
    assert cash_usd(book, ACCOUNT) == broker.cash
    causes = {one.cause for one in only(broker.said, PositionExplained)}
    assert causes <= {"manual_trade", "correction"}
