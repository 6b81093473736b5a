"""A broker in memory that behaves: it keeps orders, fills them, and may lose, repeat and reorder.

It knows nothing of the executor but its commands. What it would say is queued in `outbox`; a test
delivers it whole, in part, twice or in another order.
"""

from decimal import Decimal

from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerOrder, BrokerOrderState, Execution
from thetawarden.domain.orders.intent import Withheld
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported
from thetawarden.messages.orders import OrderSent, OrderTroubled, OrderWithheld

CLIENT = 7
ACCOUNT = "DU1"


class Placed:
    """One order as the broker keeps it; `fills` are units, `dead` how it ended."""

    def __init__(self, intent, number):
        self.intent, self.number, self.perm_id = intent, number, 9000 + number
        self.units, self.filled, self.state = intent.units, 0, BrokerOrderState.WORKING
        self.limit = intent.limit_usd

    @property
    def is_open(self):
        return self.state is BrokerOrderState.WORKING


class FakeBroker:
    """Takes commands, keeps the truth, and queues what it says of it."""

    def __init__(self):
        self.orders, self.held, self.executions, self.outbox = {}, {}, [], []
        self.placements = []  # every reference that ever arrived, in order
        self.number = self.rounds = 0
        self.deaf = False  # commands get lost on the way
        self.mute = False  # what it says gets lost on the way back
        self.stubborn = False  # cancels are not carried out
        self.refusing = set()  # of these it refuses changes
        self.unlisted = set()  # of these the gate finds nothing to change

    def place(self, submitted):
        """Take an order with its exits."""
        if self.deaf:
            return
        for intent in (submitted.intent, *submitted.exits):
            self.number += 1
            self.placements.append(intent.order_ref)
            self.orders[intent.order_ref] = Placed(intent, self.number)
            self.say(OrderSent(epoch=1, order_ref=intent.order_ref, order_id=self.number))
            self.report(intent.order_ref)

    def modify(self, asked):
        """Change price or size of an order that works; 104 of one that does not."""
        if self.deaf:
            return
        if asked.intent.order_ref in self.unlisted:
            self.withhold(asked)
            return
        self.say(
            OrderSent(
                epoch=1,
                order_ref=asked.intent.order_ref,
                order_id=self.orders[asked.intent.order_ref].number,
                number=asked.number,
            )
        )
        order = self.orders[asked.intent.order_ref]
        if not order.is_open or asked.intent.order_ref in self.refusing:
            self.trouble(asked.intent.order_ref, 104, "Cannot modify a filled order.")
            return
        order.limit, order.units, order.intent = (
            asked.intent.limit_usd,
            asked.intent.units,
            asked.intent,
        )
        self._finish(order)
        self.report(asked.intent.order_ref)

    def withhold(self, asked):
        """The gate keeps a change back."""
        self.say(
            OrderWithheld(
                epoch=1,
                order_ref=asked.intent.order_ref,
                why=Withheld.NOT_SENDABLE,
                words="the broker lists no such order under our number",
                number=asked.number,
            )
        )

    def cancel(self, asked):
        """End an order, with the exits that wait for it; 10147 and 10148 where it cannot."""
        if self.deaf or self.stubborn:
            return
        order = self.orders.get(asked.order_ref)
        if order is None:
            self.trouble(asked.order_ref, 10147, "OrderId that needs to be cancelled is not found.")
        elif not order.is_open:
            self.trouble(asked.order_ref, 10148, f"cannot be cancelled, state: {order.state}.")
        else:
            self.end(asked.order_ref, BrokerOrderState.CANCELLED)

    def end(self, ref, state):
        """An order ends; exits of a parent that bought nothing end with it, others shrink."""
        order = self.orders[ref]
        order.state = state
        self.report(ref)
        for child in self.children(ref):
            if order.filled == 0:
                self.end(child.intent.order_ref, BrokerOrderState.CANCELLED)
            elif order.filled < child.units:
                child.units = order.filled
                self._finish(child)
                self.report(child.intent.order_ref)

    def children(self, ref):
        return [one for one in self.orders.values() if one.intent.parent_ref == ref and one.is_open]

    def fill(self, ref, units=None):
        """Fill units of an order: fills of its legs (and of the combination), then reports."""
        order = self.orders[ref]
        units = order.units - order.filled if units is None else units
        order.filled += units
        legs = order.intent.legs
        price = abs(order.limit or Decimal(1))
        if len(legs) > 1:
            self._execute(order, bag(legs), Decimal(units), price)
        for leg in legs:
            self._execute(order, leg.instrument, Decimal(units * leg.ratio), price)
            self.held[leg.instrument.conid] = (
                self.held.get(leg.instrument.conid, Decimal()) + units * leg.ratio
            )
        self._finish(order)
        self.report(ref)
        group = order.intent.oca_group
        for other in list(self.orders.values()):
            if group and other is not order and other.intent.oca_group == group and other.is_open:
                other.units -= units
                if other.units <= other.filled:
                    self.end(other.intent.order_ref, BrokerOrderState.CANCELLED)
                else:
                    self.report(other.intent.order_ref)

    @staticmethod
    def _finish(order):
        """What is wholly filled is over, also when it was made smaller."""
        if order.filled >= order.units:
            order.state = BrokerOrderState.FILLED

    def reject(self, ref, code=201, words="Order rejected - reason:margin"):
        """Refuse an order: the code, and the report that it is inactive."""
        self.trouble(ref, code, words)
        self.end(ref, BrokerOrderState.INACTIVE)

    def trouble(self, ref, code, words):
        number = self.orders[ref].number if ref in self.orders else 0
        self.say(OrderTroubled(epoch=1, order_ref=ref, order_id=number, code=code, words=words))

    def report(self, ref):
        self.say(OrderReported(epoch=1, order=self.shown(self.orders[ref])))

    def say(self, message):
        if not self.mute:
            self.outbox.append(message)

    def shown(self, order):
        """An order as the broker shows it."""
        legs = order.intent.legs
        each = legs[0].ratio if len(legs) == 1 else 1
        return BrokerOrder(
            perm_id=order.perm_id,
            order_id=order.number,
            client_id=CLIENT,
            order_ref=order.intent.order_ref,
            instrument=legs[0].instrument if len(legs) == 1 else bag(legs),
            state=order.state,
            quantity=Decimal(order.units * each),
            filled=Decimal(order.filled * each),
            order_type="LMT",
            limit_usd=order.limit,
            stop_usd=order.intent.stop_usd,
            oca_group=order.intent.oca_group,
        )

    def book(self, epoch=1, missing=()):
        """Everything, as one answer."""
        self.rounds += 1
        ended = [one for one in self.orders.values() if not one.is_open]
        return BookFetched(
            epoch=epoch,
            round=self.rounds,
            missing=missing,
            orders=tuple(self.shown(one) for one in self.orders.values() if one.is_open),
            completed=tuple(self.shown(one) for one in ended),
            executions=tuple(self.executions),
            commissions=(),
            positions=tuple(
                BrokerPosition(
                    account=ACCOUNT,
                    instrument=Instrument(conid=conid, kind=InstrumentKind.OPTION, symbol="SPY"),
                    quantity=count,
                    average_cost_usd=Decimal(),
                )
                for conid, count in self.held.items()
            ),
            values=None,
        )

    def _execute(self, order, instrument, quantity, price):
        execution = Execution(
            execution_id=f"0001.{len(self.executions) + 1:04d}.01",
            instrument=instrument,
            quantity=quantity,
            price_usd=price,
            at_ns=0,
            perm_id=order.perm_id,
            order_id=order.number,
            client_id=CLIENT,
            order_ref=order.intent.order_ref,
            account=ACCOUNT,
        )
        self.executions.append(execution)
        self.say(ExecutionReported(epoch=1, execution=execution))


def bag(legs):
    return Instrument(conid=28812380, kind=InstrumentKind.COMBO, symbol=legs[0].instrument.symbol)
