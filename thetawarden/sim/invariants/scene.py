"""What every check may look at: the world, and facts gathered from what was said.

The facts are kept here apart from the desk's own states, so that a check does not believe what it
is to prove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import quote_at, quote_rows
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.orders.intent import Intent
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.link import LinkOpened
from thetawarden.messages.market import QuotesObserved
from thetawarden.messages.orders import ModifyOrder, SubmitOrder
from thetawarden.messages.trading import TradingHalted, TradingResumed
from thetawarden.practice.model import ExchangeEvent, Executed, OrderRequest
from thetawarden.sim.broker.wire import Left
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.dealt import Dealt
from thetawarden.sim.invariants.told import Told

if TYPE_CHECKING:
    from thetawarden.sim.world import World

Words = Iterable[str]


class Submitted(msgspec.Struct, frozen=True):
    """An intent, the message that carries it, and that message's number."""

    intent: Intent
    asked: SubmitOrder | ModifyOrder
    seq: int


class Scene:
    """Facts so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.halt: HaltRecord | None = None
        self.halt_seq = 0
        self.epoch = 0
        self._quotes: dict[int, tuple[bytes, int, int]] = {}
        self.told = Told(world)
        self.dealt = Dealt()
        self.submitted: dict[str, Submitted] = {}
        self.changes: dict[str, list[Submitted]] = {}
        self.envelopes: dict[int, Envelope[Message]] = {}
        self.messages = 0
        world.gateway.listeners.append(self._exchange)

    def _exchange(self, event: ExchangeEvent) -> None:
        """Keep what the exchange itself says is filled."""
        if isinstance(event, Executed):
            self.dealt.take(event.execution, self.world.clock.monotonic_ns())

    def quoted(self, conid: int) -> tuple[Quote, int] | None:
        """Return what was last quoted of an option, and over which link."""
        found = self._quotes.get(conid)
        return None if found is None else (quote_at(found[0], found[1]), found[2])

    def note(self, entry: Entry) -> None:
        """Take a recorded entry in, before any check looks at it."""
        if not isinstance(entry, Envelope):
            return
        self.messages += 1
        body = entry.body
        match body:
            case QuotesObserved(rows=rows, epoch=epoch):
                self.told.take(body, self.world.clock.now_ns())
                conids = quote_rows(rows)["conid"].tolist()
                self._quotes.update((conid, (rows, at, epoch)) for at, conid in enumerate(conids))
            case SubmitOrder(intent=intent, exits=exits):
                for one in (intent, *exits):
                    self.submitted[one.order_ref] = Submitted(one, body, entry.seq)
            case ModifyOrder(intent=intent):
                found = Submitted(intent, body, entry.seq)
                self.changes.setdefault(intent.order_ref, []).append(found)
            case TradingHalted(halt=halt):
                self.halt_seq = entry.seq if self.halt is None else self.halt_seq
                self.halt = halt
            case TradingResumed():
                self.halt = None
            case LinkOpened(epoch=epoch):
                self.epoch = epoch
            case _:
                pass


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One invariant: what it says, and how it is looked at; each look returns what is wrong.

    `entry` sees what is recorded of the kinds it `hears`, all where it names none; `sent` every
    order whose bytes leave, `left` all bytes that do, `end` a healed world.
    """

    id: str
    says: str
    hears: tuple[type, ...] = ()
    entry: Callable[[Entry, Scene], Words] | None = None
    sent: Callable[[OrderRequest, Scene], Words] | None = None
    left: Callable[[Left, Scene], Words] | None = None
    end: Callable[[Scene], Words] | None = None
