"""Carries orders to the simulated broker: past the same last gate as any order, each once.

What is let out is said to be sent at once, and arrives a while later or never. Nothing is ever sent
again here. A cancel passes no gate, and an order that has not left when its cancel comes does not
leave at all.
"""

from __future__ import annotations

from collections.abc import Callable

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.orders.gate import SIGN_OF_LIFE_NS_MAX, GateSeen, NotLive, Refusal, refusal
from thetawarden.domain.orders.intent import Intent, Withheld
from thetawarden.domain.orders.wording import defect, family_defect, places_of
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.messages.base import Message
from thetawarden.messages.orders import (
    CancelOrder,
    MarginPreviewed,
    ModifyOrder,
    OrderSent,
    OrderTroubled,
    OrderWithheld,
    PreviewMargin,
    SubmitOrder,
)
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import TradingHalted, TradingResumed
from thetawarden.ports import HaltFlag
from thetawarden.practice import model
from thetawarden.sim.broker.gateway import SimGateway
from thetawarden.sim.broker.tickets import preview_intent, ticket_of, what_if_of
from thetawarden.sim.broker.wire import BOOK, Left, Traffic, Wire
from thetawarden.sim.clock import VirtualClock

NOT_FOUND = 10147
DUPLICATE_NUMBER, ID_GAP = 103, 100
Later = Callable[[int, Callable[[], None]], None]
Say = Callable[[Message], None]


class SimOrders:
    """One process's way to the broker's orders; what it remembers ends with the process."""

    def __init__(
        self,
        *,
        gateway: SimGateway,
        clock: VirtualClock,
        flag: HaltFlag,
        client_id: int,
        patience_ns: int,
        not_live: NotLive,
        say: Say,
        later: Later,
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._flag = flag
        self._client_id = client_id
        self._patience_ns = patience_ns
        self._not_live = not_live
        self._say = say
        self._later = later
        self._halt: HaltRecord | None = None
        self._halt_epoch: int | None = None
        self._exits_frozen = False
        self._highest = 0
        self._taken: set[str] = set()
        self._waiting: set[str] = set()
        self._cancels: dict[str, int] = {}
        self._let_out = self._placed = 0

    def begin_link(self) -> None:
        """Count anew: the counters belong to one link."""
        self._let_out = self._placed = 0

    def brake(self, message: TradingHalted | TradingResumed | FreezeExits) -> None:
        """Hear of a brake."""
        match message:
            case TradingHalted(halt=halt):
                self._halt = halt
                self._halt_epoch = max(halt.epoch, self._halt_epoch or 0)
            case TradingResumed(epoch=epoch):
                if self._halt is not None and self._halt.epoch <= epoch:
                    self._halt = None
                self._halt_epoch = max(epoch, self._halt_epoch or 0)
            case FreezeExits(frozen=frozen):
                self._exits_frozen = frozen

    def submit(self, asked: SubmitOrder, wire: Wire | None) -> None:
        """Let an order leave with its exits, or withhold all of it."""
        family = (asked.intent, *asked.exits)
        references = [one.order_ref for one in family]
        if len(set(references)) < len(references) or not self._taken.isdisjoint(references):
            words = "an order of this reference was given before, allowed once"
            self._withhold(asked, Refusal(why=Withheld.SENT_ALREADY, words=words))
            return
        self._taken.update(references)
        wrong = self._defect(family) or family_defect(family)
        if wrong:
            self._withhold(asked, Refusal(why=Withheld.NOT_SENDABLE, words=wrong))
            return
        self._waiting.update(references)
        self._when_alive(wire, lambda: self._leave(asked, family, wire))

    def modify(self, asked: ModifyOrder, wire: Wire | None) -> None:
        """Send an order once more under its number, changed."""
        intent, cancels = asked.intent, self._cancels.get(asked.intent.order_ref, 0)
        wrong = self._defect((intent,))
        if wrong:
            self._refuse(asked.epoch, intent, _unsendable(wrong), change=asked.number)
            return
        self._when_alive(wire, lambda: self._change(asked, wire, cancels))

    def cancel(self, asked: CancelOrder, wire: Wire | None) -> None:
        """Take an order back; it is asked for where the broker has it."""
        order_ref = asked.order_ref
        self._cancels[order_ref] = self._cancels.get(order_ref, 0) + 1
        if order_ref in self._waiting:
            return
        if wire is None:
            self._trouble(asked.epoch, order_ref, 0, 0, "not cancelled: no_link")
            return
        left = Left(traffic=Traffic.CANCEL, order_ref=order_ref)
        wire.send(lambda: self._cancel_there(asked, wire), left)

    def preview(self, asked: PreviewMargin, wire: Wire) -> None:
        """Ask what an order would do to margin."""
        intent = preview_intent(asked)
        wrong = self._defect((intent,))

        def answer() -> None:
            self._gateway.advance()
            key = model.OrderKey(client_id=self._client_id, order_id=self._number())
            ticket = ticket_of(intent, key=key, account=self._gateway.account)
            found = self._gateway.exchange.what_if(ticket)
            told = what_if_of(found, units=asked.units, at_ns=self._clock.now_ns())
            wire.tell(_previewed(asked, told))

        if wrong:
            self._say(_previewed(asked, f"no order can be made of it: {wrong}"))
            return
        wire.send(answer)

    def hear(self, noticed: model.OrderNoticed, wire: Wire) -> None:
        """The broker said this of an order of ours."""
        if noticed.notice.code == DUPLICATE_NUMBER:
            self._highest += ID_GAP
        order_ref = self._gateway.order_refs.get(noticed.key, "")
        if order_ref:
            wire.tell(
                OrderTroubled(
                    epoch=wire.epoch,
                    order_ref=order_ref,
                    order_id=noticed.key.order_id,
                    code=noticed.notice.code,
                    words=noticed.notice.text,
                )
            )

    def _when_alive(self, wire: Wire | None, go_on: Callable[[], None]) -> None:
        """Go on once the broker has given a sign of life, or when it gave none in time."""
        if wire is None or wire.idle_ns() <= SIGN_OF_LIFE_NS_MAX // 2:
            go_on()
            return
        waits = [go_on]

        def once() -> None:
            if waits:
                waits.pop()()

        wire.send(lambda: wire.tell(once), BOOK)
        self._later(self._patience_ns, once)

    def _leave(self, asked: SubmitOrder, family: tuple[Intent, ...], wire: Wire | None) -> None:
        references = [one.order_ref for one in family]
        self._waiting.difference_update(references)
        refused = self._judge(
            asked, wire, taken_back=any(self._cancels.get(one, 0) for one in references)
        )
        if refused is not None or wire is None:
            self._withhold(asked, refused or _unsendable("no link"))
            return
        numbers = [self._number() for _ in family]
        parent = numbers[0]
        tickets = [
            ticket_of(
                one,
                key=model.OrderKey(client_id=self._client_id, order_id=number),
                account=self._gateway.account,
                parent_id=parent if place.has_parent else 0,
                transmit=place.lets_go,
            )
            for one, number, place in zip(family, numbers, places_of(family), strict=True)
        ]
        self._send(wire, tickets)
        for one, number in zip(family, numbers, strict=True):
            self._say(OrderSent(epoch=wire.epoch, order_ref=one.order_ref, order_id=number))

    def _change(self, asked: ModifyOrder, wire: Wire | None, cancels: int) -> None:
        intent = asked.intent
        known = self._find(intent.order_ref, 0)
        taken_back = self._cancels.get(intent.order_ref, 0) > cancels
        refused = self._judge(asked, wire, taken_back=taken_back)
        if refused is None and known is None:
            refused = _unsendable("the broker lists no such order under our number")
        if refused is not None or wire is None or known is None:
            why = refused or _unsendable("no link")
            self._refuse(asked.epoch, intent, why, change=asked.number)
            return
        before = known.request
        ticket = ticket_of(
            intent,
            key=before.key,
            account=self._gateway.account,
            parent_id=before.parent_id,
            oca=(before.oca_group, before.oca_type),
        )
        self._send(wire, [ticket])
        number = before.key.order_id
        sent = OrderSent(
            epoch=wire.epoch, order_ref=intent.order_ref, order_id=number, number=asked.number
        )
        self._say(sent)

    def _send(self, wire: Wire, tickets: list[model.OrderRequest]) -> None:
        """Let the bytes go: they arrive together, later, or not at all."""
        self._placed += len(tickets)
        self._let_out += len(tickets)
        for ticket in tickets:
            self._gateway.order_refs[ticket.key] = ticket.order_ref
            self._gateway.note_sent(ticket)

        left = Left(traffic=Traffic.ORDER, count=len(tickets))
        wire.send(lambda: self._gateway.place(tickets), left)

    def _cancel_there(self, asked: CancelOrder, wire: Wire) -> None:
        self._gateway.advance()
        known = self._find(asked.order_ref, asked.perm_id)
        if known is None:
            words = "not cancelled: the broker lists no such order under our number"
            wire.tell(_troubled(asked.epoch, asked.order_ref, 0, NOT_FOUND, words))
            return
        self._gateway.cancel(known.request.key)

    def _find(self, order_ref: str, perm_id: int) -> model.OrderView | None:
        for view in self._gateway.exchange.open_orders():
            ours = view.request.key.client_id == self._client_id
            if ours and (view.request.order_ref == order_ref or perm_id == view.perm_id):
                return view
        return None

    def _judge(
        self, asked: SubmitOrder | ModifyOrder, wire: Wire | None, *, taken_back: bool
    ) -> Refusal | None:
        linked = wire is not None and wire.open
        seen = GateSeen(
            now_ns=self._clock.now_ns(),
            link_epoch=wire.epoch if linked and wire is not None else None,
            idle_ns=wire.idle_ns() if wire is not None else 0,
            halt=self._flag.read() or self._halt,
            halt_epoch=self._halt_epoch,
            exits_frozen=self._exits_frozen,
            taken_back=taken_back,
            sent_before=isinstance(asked, SubmitOrder) and self._has_seen(asked),
            let_out=self._let_out,
            placed=self._placed,
            not_live=self._not_live(leg.instrument.conid for leg in asked.intent.legs),
        )
        return refusal(
            gate=asked.gate, epoch=asked.epoch, reducing=asked.intent.reducing, seen=seen
        )

    def _has_seen(self, asked: SubmitOrder) -> bool:
        """Whether the broker tells of an order or a fill of any of these references."""
        exchange = self._gateway.exchange
        done = exchange.executions(model.ExecutionFilter(account=self._gateway.account))
        told = {view.request.order_ref for view in exchange.open_orders()}
        told |= {fill.order_ref for fill, _ in done}
        return any(one.order_ref in told for one in (asked.intent, *asked.exits))

    def _number(self) -> int:
        self._highest = max(self._highest, self._gateway.highest_order_id) + 1
        return self._highest

    def _defect(self, family: tuple[Intent, ...]) -> str:
        today = new_york_date(self._clock.now_ns())
        return next(filter(None, (defect(one, today=today) for one in family)), "")

    def _withhold(self, asked: SubmitOrder, refused: Refusal) -> None:
        for one in (asked.intent, *asked.exits):
            self._waiting.discard(one.order_ref)
            self._refuse(asked.epoch, one, refused)

    def _refuse(self, epoch: int, intent: Intent, refused: Refusal, *, change: int = 0) -> None:
        self._say(
            OrderWithheld(
                epoch=epoch,
                order_ref=intent.order_ref,
                why=refused.why,
                words=refused.words,
                number=change,
            )
        )

    def _trouble(self, epoch: int, order_ref: str, number: int, code: int, words: str) -> None:
        self._say(_troubled(epoch, order_ref, number, code, words))


def _troubled(epoch: int, order_ref: str, number: int, code: int, words: str) -> OrderTroubled:
    return OrderTroubled(epoch=epoch, order_ref=order_ref, order_id=number, code=code, words=words)


def _unsendable(words: str) -> Refusal:
    return Refusal(why=Withheld.NOT_SENDABLE, words=words)


def _previewed(asked: PreviewMargin, told: WhatIf | str) -> MarginPreviewed:
    return MarginPreviewed(
        epoch=asked.epoch,
        asked_by=asked.asked_by,
        key=asked.key,
        answer=None if isinstance(told, str) else told,
        words=told if isinstance(told, str) else "",
    )
