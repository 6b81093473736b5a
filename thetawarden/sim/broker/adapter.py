"""The adapter of `effect:broker` in the simulation: one process's end of the link.

It takes the same commands and says the same messages as the one that speaks with a real gateway,
and drops commands of a link that is gone in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from thetawarden.domain.broker.orders import execution_stem
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, new_york_date
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.domain.market.calendar import session_row
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import BookFetched, ExecutionReported
from thetawarden.messages.lines import LinesReleased, RedirectLine
from thetawarden.messages.link import (
    BrokerNoticed,
    CloseLink,
    FetchBook,
    LinkLost,
    LinkOpened,
    LinkProbed,
    OpenLink,
    ProbeLink,
)
from thetawarden.messages.market import (
    DiscoverChain,
    FetchHistory,
    FindInstrument,
    HistoryFetched,
    QualifySeries,
    SnapshotLines,
    SnapshotsTaken,
    SubscribeLine,
    UnsubscribeLine,
)
from thetawarden.messages.orders import CancelOrder, ModifyOrder, PreviewMargin, SubmitOrder
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import TradingHalted, TradingResumed
from thetawarden.ports import DeskPort, HaltFlag
from thetawarden.practice import model
from thetawarden.sim.agenda import Agenda
from thetawarden.sim.broker import book, contracts
from thetawarden.sim.broker.gateway import FARMS, SimGateway
from thetawarden.sim.broker.orders import SimOrders
from thetawarden.sim.broker.quotes import Feed
from thetawarden.sim.broker.wire import BOOK, DATA, Delays, Wire
from thetawarden.sim.clock import VirtualClock

AROUND_SESSION_NS = 5 * NS_PER_MINUTE


class BrokerHabits(msgspec.Struct, frozen=True, kw_only=True):
    """How the broker and the way to it behave; delays are machine time, cadences market time."""

    client_id: int = 17
    delay_min_ns: int = NS_PER_SECOND // 100
    delay_mean_ns: int = NS_PER_SECOND // 25
    connect_ns: int = NS_PER_SECOND // 2
    probe_timeout_ns: int = 4 * NS_PER_SECOND
    book_timeout_ns: int = 20 * NS_PER_SECOND
    quotes_every_ns: int = NS_PER_MINUTE
    closed_every_ns: int = 15 * NS_PER_MINUTE
    account_every_ns: int = 5 * NS_PER_MINUTE
    context_every: int = 1
    vol_history_days: int = 60
    lines_max: int = 100


class SimBroker:
    """A `Source` of the desk; ends with its process."""

    def __init__(
        self,
        *,
        gateway: SimGateway,
        clock: VirtualClock,
        agenda: Agenda,
        flag: HaltFlag,
        rng: np.random.Generator,
        habits: BrokerHabits,
    ) -> None:
        self.gateway = gateway
        self.habits = habits
        self.epoch = 0
        self.wire: Wire | None = None
        self.feed: Feed | None = None
        self._clock = clock
        self._agenda = agenda
        self._delays = Delays(rng, min_ns=habits.delay_min_ns, mean_ns=habits.delay_mean_ns)
        self._desk: DeskPort | None = None
        self._opening = 0
        self.orders = SimOrders(
            gateway=gateway,
            clock=clock,
            flag=flag,
            client_id=habits.client_id,
            patience_ns=habits.probe_timeout_ns,
            not_live=lambda conids: () if self.feed is None else self.feed.not_live(conids),
            say=self._say,
            later=self._later,
        )
        self._acts: dict[type[Message], Callable[[Any, Wire], None]] = {
            ProbeLink: self._probe,
            FetchBook: self._fetch_book,
            FindInstrument: lambda asked, wire: self._ask(wire, contracts.find, asked),
            DiscoverChain: lambda asked, wire: self._ask(wire, contracts.discover, asked),
            QualifySeries: lambda asked, wire: self._ask(wire, contracts.qualify, asked),
            FetchHistory: lambda asked, wire: self._ask(wire, self._history, asked),
            SubscribeLine: self._subscribe,
            RedirectLine: self._redirect,
            UnsubscribeLine: self._unsubscribe,
            SnapshotLines: self._snapshot,
            PreviewMargin: self.orders.preview,
        }

    def start(self, desk: DeskPort, /) -> None:
        """Begin; there is no link until one is ordered."""
        self._desk = desk
        self.gateway.listeners.append(self._hear)

    def stop(self) -> None:
        """Say nothing more."""
        self._desk, self._opening = None, 0
        wire, self.wire, self.feed = self.wire, None, None
        if wire is not None:
            wire.cut()
        if self._hear in self.gateway.listeners:
            self.gateway.listeners.remove(self._hear)

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Carry a command out, or begin to; what comes of it is said when it comes."""
        message, wire = envelope.body, self.wire
        if isinstance(message, OpenLink):
            self._open(message.epoch)
        elif isinstance(message, CloseLink):
            if message.epoch == self.epoch:
                self.lose(LinkTrouble.CLOSED_BY_US, message.reason)
        elif isinstance(message, (TradingHalted, TradingResumed, FreezeExits)):
            self.orders.brake(message)
        elif isinstance(message, SubmitOrder):
            self.orders.submit(message, wire)
        elif isinstance(message, ModifyOrder):
            self.orders.modify(message, wire)
        elif isinstance(message, CancelOrder):
            self.orders.cancel(message, wire)
        elif wire is not None and getattr(message, "epoch", self.epoch) == self.epoch:
            act = self._acts.get(type(message))
            if act is not None:
                act(message, wire)
        return ()

    def lose(self, kind: LinkTrouble, words: str) -> None:
        """The link ends, or the attempt at one."""
        opening, wire = self._opening, self.wire
        self._opening, self.wire, self.feed = 0, None, None
        if wire is not None:
            wire.cut()
        if wire is not None or opening:
            self._say(LinkLost(epoch=self.epoch, trouble=kind, words=words))

    def notice(self, code: int, words: str) -> None:
        """The broker says something about itself."""
        if self.wire is not None:
            self.wire.tell(BrokerNoticed(epoch=self.epoch, code=code, words=words))

    def _open(self, epoch: int) -> None:
        self.lose(LinkTrouble.CLOSED_BY_US, "a new link is opened")
        self.epoch = self._opening = epoch
        self._later(self.habits.connect_ns, lambda: self._be_let_in(epoch))

    def _be_let_in(self, epoch: int) -> None:
        if self._opening != epoch:
            return
        gateway = self.gateway
        if gateway.refusal is not None:
            self.lose(*gateway.refusal)
            return
        self._opening = 0
        self.wire = Wire(
            epoch=epoch,
            clock=self._clock,
            agenda=self._agenda,
            delays=self._delays,
            say=self._say,
            note=gateway.note_left,
        )
        self.feed = Feed(
            epoch=epoch,
            gateway=gateway,
            lines_max=self.habits.lines_max,
            context_every=self.habits.context_every,
        )
        self.orders.begin_link()
        accounts = gateway.exchange.accounts()
        self._say(LinkOpened(epoch=epoch, server_version=gateway.server_version, accounts=accounts))
        for code, words in FARMS:
            self.notice(code, words)
        self._look_later(self.wire)
        self._value_later(self.wire)

    def _probe(self, asked: ProbeLink, wire: Wire) -> None:
        began_ns = self._clock.monotonic_ns()

        def answer() -> None:
            took = self._clock.monotonic_ns() - began_ns + self._delays.min_ns
            wire.tell(LinkProbed(epoch=asked.epoch, number=asked.number, round_trip_ns=took))

        wire.send(answer, BOOK)
        self._later(self.habits.probe_timeout_ns, lambda: self._give_up_mute(wire, began_ns))

    def _give_up_mute(self, wire: Wire, since_ns: int) -> None:
        if wire is self.wire and wire.heard_ns < since_ns:
            idle_s = wire.idle_ns() / NS_PER_SECOND
            words = f"not a byte for {idle_s:.1f} s, and no answer to a probe"
            self.lose(LinkTrouble.SILENT, words)

    def _fetch_book(self, asked: FetchBook, wire: Wire) -> None:
        """The whole of it, or after a while word that it has not come; one of both, once."""
        waiting = [asked]

        def say(told: BookFetched) -> None:
            if waiting and wire is self.wire:
                waiting.clear()
                self._say(told)

        def answer() -> None:
            self.gateway.advance()
            now, account = self._clock.now_ns(), self.gateway.account
            found = book.fetched(self.gateway.exchange, asked, account=account, now=now)
            wire.tell(lambda: say(found))

        wire.send(answer, BOOK)
        self._later(self.habits.book_timeout_ns, lambda: say(book.not_fetched(asked)))

    def _ask(
        self, wire: Wire, look_up: Callable[[model.Market, Any], Message], asked: Message
    ) -> None:
        def answer() -> None:
            self.gateway.advance()
            wire.tell(look_up(self.gateway.exchange.market, asked))

        wire.send(answer, DATA)

    def _history(self, market: model.Market, asked: FetchHistory) -> HistoryFetched:
        return contracts.history(market, asked, vol_days_max=self.habits.vol_history_days)

    def _subscribe(self, asked: SubscribeLine, wire: Wire) -> None:
        wire.send(
            lambda: self._tell_all(
                wire, () if self.feed is None else self.feed.open(asked.instrument, asked.listeners)
            ),
            DATA,
        )

    def _redirect(self, asked: RedirectLine, wire: Wire) -> None:
        def redirect() -> None:
            if self.feed is not None:
                self.feed.redirect(asked.conid, asked.listeners)

        wire.send(redirect, DATA)

    def _unsubscribe(self, asked: UnsubscribeLine, wire: Wire) -> None:
        def close() -> None:
            if self.feed is not None:
                self.feed.close(asked.conid)
            self._say(LinesReleased(epoch=asked.epoch, conids=(asked.conid,)))

        wire.send(close, DATA)

    def _snapshot(self, asked: SnapshotLines, wire: Wire) -> None:
        def answer() -> None:
            feed = self.feed
            if feed is None:
                return
            self.gateway.advance()
            now, instruments = self._clock.now_ns(), asked.instruments
            self._tell_all(wire, feed.snapshot(asked.listener, instruments, now))
            wire.tell(
                SnapshotsTaken(
                    epoch=asked.epoch,
                    listener=asked.listener,
                    answered=len(instruments),
                    unanswered=(),
                )
            )

        wire.send(answer, DATA)

    def _look_later(self, wire: Wire) -> None:
        """Quotes come on a cadence, and rarely while New York is closed."""
        every_ns = self.habits.quotes_every_ns
        if not self.is_trading():
            every_ns = self.habits.closed_every_ns
        self._agenda.at(self._next_ns(every_ns), lambda: self._look(wire))

    def _next_ns(self, every_ns: int) -> int:
        """When the next of a cadence is due: at the same instants in every world."""
        return self._clock.elapsed_ns() + every_ns - self._clock.true_ns() % every_ns

    def _look(self, wire: Wire) -> None:
        if wire is not self.wire or self.feed is None:
            return
        self.gateway.advance()
        self._tell_all(wire, self.feed.look(self._clock.now_ns()))
        self._look_later(wire)

    def _value_later(self, wire: Wire) -> None:
        self._agenda.at(self._next_ns(self.habits.account_every_ns), lambda: self._value(wire))

    def _value(self, wire: Wire) -> None:
        if wire is not self.wire:
            return
        if self.is_trading():
            self.gateway.advance()
            self._tell_values(wire)
        self._value_later(wire)

    def _tell_values(self, wire: Wire) -> None:
        exchange, now = self.gateway.exchange, self._clock.now_ns()
        account, epoch = self.gateway.account, self.epoch
        self._tell_all(wire, book.marks(exchange, epoch=epoch, account=account, now=now))
        wire.tell(book.values(exchange, epoch=epoch, account=account, now=now))

    def _hear(self, event: model.ExchangeEvent) -> None:
        """The exchange tells of an order, a fill or a holding; of others' orders it tells not."""
        wire = self.wire
        if wire is None or _client_of(event) not in (None, self.habits.client_id):
            return
        said = book.told(event, epoch=self.epoch, account=self.gateway.account)
        if said is not None:
            wire.tell(said)
        elif isinstance(event, model.AccountChanged):
            self._tell_values(wire)
        elif isinstance(event, model.OrderNoticed):
            self.orders.hear(event, wire)

    def is_trading(self) -> bool:
        """Whether New York trades, or is about to, or has just done so."""
        now, sessions = self._clock.true_ns(), load_sessions(Exchange.NYSE)
        row = session_row(new_york_date(now), sessions)
        if row is None:
            return False
        begins = int(sessions.open_ns[row]) - AROUND_SESSION_NS
        return begins <= now < int(sessions.close_ns[row]) + AROUND_SESSION_NS

    def _later(self, machine_ns: int, task: Callable[[], None]) -> None:
        due_ns = self._clock.elapsed_ns() + round(machine_ns * self._clock.speed)
        self._agenda.at(due_ns, task)

    def _tell_all(self, wire: Wire, messages: tuple[Message, ...]) -> None:
        for message in messages:
            wire.tell(message)

    def _say(self, message: Message) -> None:
        if self._desk is None:
            return
        if isinstance(message, ExecutionReported):
            self.gateway.untold.discard(execution_stem(message.execution.execution_id))
        elif isinstance(message, BookFetched):
            self.gateway.untold -= {execution_stem(one.execution_id) for one in message.executions}
        self._desk.say(message)


def _client_of(event: model.ExchangeEvent) -> int | None:
    """Whose order an event is of; None for what concerns the account."""
    match event:
        case model.OrderChanged(view=view):
            return view.request.key.client_id
        case model.Executed(execution=fill):
            return fill.key.client_id
        case model.OrderNoticed(key=key) | model.Commissioned(key=key):
            return key.client_id
        case _:
            return None
