"""The broker's side of the simulation: exchange, market and who is let in; it outlives every desk.

The exchange is moved to the world's time before anybody asks it anything, and at every instant at
which something is due there.
"""

from __future__ import annotations

from collections.abc import Callable

from thetawarden.domain.broker.orders import execution_stem
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.practice import model
from thetawarden.practice.exchange import clockwork
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.sim.agenda import Agenda
from thetawarden.sim.broker.wire import Left
from thetawarden.sim.clock import VirtualClock

SERVER_VERSION = 178
FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2104, "Market data farm connection is OK:usopt"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
Hear = Callable[[model.ExchangeEvent], None]
Distort = Callable[[model.Quote], model.Quote | None]
Ambush = Callable[[model.OrderView], None]
Meet = Callable[[list[model.OrderRequest]], Callable[[], None]]
Spread = Callable[[model.ExchangeEvent], tuple[model.ExchangeEvent, ...]]


class SimGateway:
    """What stands where the gateway stands; faults take it away and bring it back.

    `refusal` is what whoever connects is told instead of being let in. `swallows` counts orders
    that will be lost without a word. Distortions change what is shown, spreads what is told.
    Who lies in wait in `placed` or `cancelled` sees an order that has arrived, or whose cancel has;
    who meets them `arriving` may have them lost, or change the world while they are judged. Numbers
    count by what has arrived: those of orders that were lost are given again.
    `untold` are the fills, by the stem of their numbers, of which no desk has heard so far.
    """

    def __init__(
        self, *, exchange: PracticeExchange, clock: VirtualClock, agenda: Agenda, start_ns: int
    ) -> None:
        self.exchange = exchange
        self.server_version = SERVER_VERSION
        self.refusal: tuple[LinkTrouble, str] | None = None
        self.listeners: list[Hear] = []
        self.order_refs: dict[model.OrderKey, str] = {}
        self.highest_order_id = 0
        self.sent: list[model.OrderRequest] = []
        self.data_type = DataType.LIVE
        self.distortions: dict[str, Distort] = {}
        self.spreads: dict[str, Spread] = {}
        self.swallows = 0
        self.untold: set[str] = set()
        self.placed: dict[str, Ambush] = {}
        self.cancelled: dict[str, Ambush] = {}
        self.arriving: dict[str, Meet] = {}
        self.on_sent: Callable[[model.OrderRequest], None] = lambda _ticket: None
        self.on_left: Callable[[Left], None] = lambda _left: None
        self._clock = clock
        self._agenda = agenda
        self._start_ns = start_ns
        self._pump_due_ns: int | None = None
        exchange.listen(self._tell)
        self.advance()

    @property
    def account(self) -> str:
        """The account that everything is held in."""
        return self.exchange.accounts()[0]

    def advance(self) -> None:
        """Let everything happen at the exchange that is due by now."""
        self.exchange.advance(max(self._clock.true_ns(), self.exchange.now_ns))
        self._wait_for_next()

    def distorted(self, quote: model.Quote) -> model.Quote | None:
        """What is shown of a quote under the faults of the moment; None shows nothing."""
        shown: model.Quote | None = quote
        for distort in tuple(self.distortions.values()):
            shown = None if shown is None else distort(shown)
        return shown

    def place(self, tickets: list[model.OrderRequest]) -> None:
        """Take orders whose bytes arrived; a fault may have them lost without a word."""
        self.advance()
        judged = [meet(tickets) for meet in tuple(self.arriving.values())]
        lost = self.swallows > 0
        if lost:
            self.swallows -= 1
        else:
            self._take(tickets)
        for undo in judged:
            undo()
        if lost:
            return
        self.advance()
        if self.placed:
            self._spring(self.placed, {ticket.key for ticket in tickets})

    def _take(self, tickets: list[model.OrderRequest]) -> None:
        self.highest_order_id = max(self.highest_order_id, *(one.key.order_id for one in tickets))
        for ticket in tickets:
            self.exchange.place(ticket)

    def cancel(self, key: model.OrderKey) -> None:
        """Take a cancel whose bytes arrived."""
        if self.cancelled:
            self._spring(self.cancelled, {key})
        self.exchange.cancel(key)
        self.advance()

    def note_sent(self, ticket: model.OrderRequest) -> None:
        """A desk let the bytes of this order go; whether they arrive is another matter."""
        self.sent.append(ticket)
        self.on_sent(ticket)

    def note_left(self, left: Left) -> None:
        """Bytes of any kind left the desk."""
        self.on_left(left)

    def _spring(self, ambushes: dict[str, Ambush], keys: set[model.OrderKey]) -> None:
        for view in self.exchange.open_orders():
            if view.request.key in keys:
                for ambush in tuple(ambushes.values()):
                    ambush(view)

    def _wait_for_next(self) -> None:
        due_ns = clockwork.next_due_ns(self.exchange.floor)
        elapsed_ns = max(due_ns - self._start_ns + 1, self._clock.elapsed_ns() + 1)
        pending = self._pump_due_ns
        if pending is not None and pending <= elapsed_ns and pending > self._clock.elapsed_ns():
            return
        self._pump_due_ns = elapsed_ns
        self._agenda.at(elapsed_ns, lambda: self._pump(elapsed_ns))

    def _pump(self, due_ns: int) -> None:
        if due_ns == self._pump_due_ns:
            self._pump_due_ns = None
            self.advance()

    def _tell(self, event: model.ExchangeEvent) -> None:
        if isinstance(event, model.Executed):
            self.untold.add(execution_stem(event.execution.exec_id))
        told: tuple[model.ExchangeEvent, ...] = (event,)
        for spread in tuple(self.spreads.values()):
            told = tuple(one for each in told for one in spread(each))
        for listener in tuple(self.listeners):
            for one in told:
                listener(one)
