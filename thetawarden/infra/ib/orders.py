"""Carries orders to the socket: past the last gate, each once, ahead of data; changes and cancels.

An order and its exits leave as one: everything is made ready first, then the gate is asked, and in
the same turn of the loop the bytes go. What was not let out is said to be withheld, with the
reason; what was, is said to be sent, which does not mean that it has arrived. Nothing is ever sent
again here, whatever the broker answers: a new attempt is a new order with a new reference. A cancel
passes no gate, and an order that has not left when its cancel comes does not leave at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import ib_async
import msgspec

from thetawarden.domain.instants import new_york_date
from thetawarden.domain.orders.gate import SIGN_OF_LIFE_NS_MAX, NotLive, Refusal
from thetawarden.domain.orders.intent import Intent, Withheld
from thetawarden.domain.orders.wording import defect, family_defect, places_of
from thetawarden.infra.ib.addresses import Addresses
from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.last_gate import LastGate
from thetawarden.infra.ib.pacing import DATA_PER_S_MIN, Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.translate_orders import contract_for, order_for
from thetawarden.messages.base import Message
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderSent,
    OrderTroubled,
    OrderWithheld,
    SubmitOrder,
)
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import Halt, TradingHalted, TradingResumed
from thetawarden.ports import Clock, DeskPort, HaltFlag

DUPLICATE_NUMBER = 103
TRY_AGAIN_S, TRIES_MAX = 0.1, 10
BY = "broker's last gate"
Numbers = list[int]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What has left, by number in the order it was to leave; `broken` is why not all of it did."""

    numbers: tuple[int, ...]
    broken: str = ""


Act = Callable[[GuardedIB], Sent | Refusal]


class OrderHandler:
    """Sends what the executor intends, and answers every one of its commands."""

    commands: tuple[type[Message], ...] = (
        SubmitOrder,
        ModifyOrder,
        CancelOrder,
        TradingHalted,
        TradingResumed,
        FreezeExits,
    )

    def __init__(
        self,
        session: Session,
        desk: DeskPort,
        *,
        clock: Clock,
        flag: HaltFlag,
        account: str,
        probe_timeout_s: float,
        not_live: NotLive,
    ) -> None:
        self._session = session
        self._desk = desk
        self._account = account
        self._probe_timeout_s = probe_timeout_s
        self._gate = LastGate(session, clock=clock, flag=flag, not_live=not_live)
        self._addresses = Addresses(session, desk, timeout_s=probe_timeout_s)
        self._in_turn = asyncio.Lock()
        self._taken: set[str] = set()
        self._waiting: set[str] = set()
        self._cancels: dict[str, int] = {}
        self.listener = Listener(
            link_opened=self._link_opened,
            link_ended=self._link_ended,
            order=self._order,
            error=self._error,
        )

    async def perform(self, message: Message) -> None:
        """Carry one command out."""
        match message:
            case SubmitOrder():
                try:
                    await self._submit(message)
                except Exception as error:
                    self._give_up(message, error)
                    raise
            case ModifyOrder():
                await self._modify(message)
            case CancelOrder():
                await self._cancel(message)
            case _:
                self._gate.take(message)

    async def _submit(self, asked: SubmitOrder) -> None:
        family = (asked.intent, *asked.exits)
        references = [one.order_ref for one in family]
        if len(set(references)) < len(references) or not self._taken.isdisjoint(references):
            words = "an order of this reference was given before, allowed once"
            self._withhold(asked, Refusal(why=Withheld.SENT_ALREADY, words=words))
            return
        self._taken.update(references)
        outcome: Sent | Refusal | None = self._unsendable(family)
        if outcome is None:
            self._waiting.update(references)
            try:
                async with self._in_turn:
                    outcome = await self._leave(
                        lambda ib: self._place_family(ib, asked, family), messages=len(family)
                    )
            finally:
                self._waiting.difference_update(references)
        if isinstance(outcome, Refusal):
            self._withhold(asked, outcome)
            return
        for one, number in zip(family, outcome.numbers, strict=False):
            self._say_sent(one.order_ref, number)
        for one in family[len(outcome.numbers) :]:
            unsent = Refusal(why=Withheld.NOT_SENDABLE, words=outcome.broken)
            self._say_refused(asked.epoch, one.order_ref, unsent)

    def _give_up(self, asked: SubmitOrder, error: Exception) -> None:
        """Say that nothing left when we broke before anything could; else its end is unknown."""
        family = (asked.intent, *asked.exits)
        if not any(self._addresses.has_numbered(one.order_ref) for one in family):
            words = f"{type(error).__name__}: {error}"
            self._withhold(asked, Refusal(why=Withheld.NOT_SENDABLE, words=words))

    def _unsendable(self, family: tuple[Intent, ...]) -> Refusal | None:
        today = new_york_date(self._gate.now_ns)
        wrong = next(filter(None, (defect(one, today=today) for one in family)), "")
        wrong = wrong or family_defect(family)
        if not wrong and len(family) > DATA_PER_S_MIN:
            wrong = f"{len(family)} orders at once, allowed are {DATA_PER_S_MIN}"
        return Refusal(why=Withheld.NOT_SENDABLE, words=wrong) if wrong else None

    async def _leave(self, act: Act, *, messages: int) -> Sent | Refusal:
        """Wait for the turn and a sign of life, then act; the act asks the gate itself."""
        outcome = Refusal(why=Withheld.LINK_MUTE, words="the broker gave no sign of life")
        for _ in range(TRIES_MAX):
            alive = await self._session.prove_alive(
                idle_ns_max=SIGN_OF_LIFE_NS_MAX // 2, timeout_s=self._probe_timeout_s
            )
            done = await self._session.send(act, priority=Priority.ORDER, weight=messages)
            if isinstance(done, Failed):
                return Refusal(why=_why(done), words=_words_of(done))
            if isinstance(done, Sent) or done.why is not Withheld.LINK_MUTE:
                return done
            outcome = done
            if isinstance(alive, Failed):
                break
            await asyncio.sleep(TRY_AGAIN_S)
        return outcome

    def _place_family(
        self, ib: GuardedIB, asked: SubmitOrder, family: tuple[Intent, ...]
    ) -> Sent | Refusal:
        """Ask the gate, and let parent and exits go; the last of them lets all go."""
        references = [one.order_ref for one in family]
        refused = self._refusal(
            ib,
            asked,
            messages=len(family),
            taken_back=any(self._cancels.get(one, 0) for one in references),
            sent_before=any(self._addresses.has_been_seen(one) for one in references),
        )
        if refused is not None:
            return refused
        account = ib.own_account(self._account)
        made = [(contract_for(one.legs), order_for(one, account=account)) for one in family]
        numbers = [self._addresses.take_number(ib, one) for one in references]
        for (_, order), number, place in zip(made, numbers, places_of(family), strict=True):
            order.orderId = number
            order.parentId = numbers[0] if place.has_parent else 0
            order.transmit = place.lets_go
        self._waiting.difference_update(references)  # from here on a cancel is for the broker
        return self._let_out(ib, made, numbers)

    def _let_out(
        self, ib: GuardedIB, made: list[tuple[ib_async.Contract, ib_async.Order]], numbers: Numbers
    ) -> Sent:
        """Send what was made; a parent whose exits could not follow is taken back at once."""
        before, broken = ib.placed, ""
        try:
            for contract, order in made:
                ib.placeOrder(contract, order)
        except Exception as error:  # noqa: BLE001  # some of it may have left
            broken = f"{type(error).__name__}: {error}"
        left = min(ib.placed - before, len(made))
        self._gate.let_out(before + left)
        if broken and left:
            try:
                ib.client.cancelOrder(numbers[0], "")
            except Exception as error:  # noqa: BLE001  # what has left is told all the same
                broken = f"{broken}; not taken back: {type(error).__name__}: {error}"
        return Sent(numbers=tuple(numbers[:left]), broken=broken)

    async def _modify(self, asked: ModifyOrder) -> None:
        intent, cancels = asked.intent, self._cancels.get(asked.intent.order_ref, 0)
        wrong = defect(intent, today=new_york_date(self._gate.now_ns))
        outcome: Sent | Refusal = Refusal(why=Withheld.NOT_SENDABLE, words=wrong)
        if not wrong:
            trade = await self._addresses.look_for(intent.order_ref, 0)
            if isinstance(trade, Failed):
                outcome = Refusal(why=_why(trade), words=_words_of(trade))
            else:
                known = trade
                async with self._in_turn:
                    outcome = await self._leave(
                        lambda ib: self._place_again(ib, asked, known, cancels), messages=1
                    )
        if isinstance(outcome, Refusal):
            self._say_refused(asked.epoch, intent.order_ref, outcome, change=asked.number)
            return
        self._say_sent(intent.order_ref, outcome.numbers[0], change=asked.number)

    def _place_again(
        self, ib: GuardedIB, asked: ModifyOrder, trade: ib_async.Trade, cancels: int
    ) -> Sent | Refusal:
        """Send the whole order once more under its number, with what its family gave it.

        Not through the library's own call, which refuses a change after its bytes have left. The
        number of an order that has ended is not used again: it could be another order.
        """
        intent, known = asked.intent, trade.order
        if trade.isDone():
            words = f"it has ended: {trade.orderStatus.status}"
            return Refusal(why=Withheld.NOT_SENDABLE, words=words)
        refused = self._refusal(
            ib,
            asked,
            messages=1,
            taken_back=self._cancels.get(intent.order_ref, 0) > cancels,
            sent_before=False,
        )
        if refused is not None:
            return refused
        order = order_for(intent, account=ib.own_account(self._account))
        order.orderId, order.parentId = known.orderId, known.parentId
        if not order.ocaGroup:
            order.ocaGroup, order.ocaType = known.ocaGroup, known.ocaType
        ib.client.placeOrder(known.orderId, contract_for(intent.legs), order)
        self._gate.let_out_one_more()
        return Sent(numbers=(known.orderId,))

    async def _cancel(self, asked: CancelOrder) -> None:
        order_ref = asked.order_ref
        self._cancels[order_ref] = self._cancels.get(order_ref, 0) + 1
        if order_ref in self._waiting:
            return
        trade = await self._addresses.look_for(order_ref, asked.perm_id)
        if isinstance(trade, Failed):
            self._say_trouble(order_ref, 0, trade.code, f"not cancelled: {_words_of(trade)}")
            return
        number = trade.order.orderId
        sent = await self._session.send(
            lambda ib: ib.client.cancelOrder(number, ""), priority=Priority.CANCEL
        )
        if isinstance(sent, Failed):
            self._say_trouble(order_ref, number, 0, f"not cancelled: {_words_of(sent)}")

    def _refusal(
        self,
        ib: GuardedIB,
        asked: SubmitOrder | ModifyOrder,
        *,
        messages: int,
        taken_back: bool,
        sent_before: bool,
    ) -> Refusal | None:
        held_back = ib.held_back(messages)
        return self._gate.judge(
            asked.gate,
            asked.intent,
            epoch=asked.epoch,
            taken_back=taken_back,
            sent_before=sent_before,
        ) or (Refusal(why=Withheld.LINK_MUTE, words=held_back) if held_back else None)

    def _withhold(self, asked: SubmitOrder, refused: Refusal) -> None:
        """Say it of the order and of every exit that was to leave with it."""
        for one in (asked.intent, *asked.exits):
            self._say_refused(asked.epoch, one.order_ref, refused)

    def _say_refused(
        self, epoch: int, order_ref: str, refused: Refusal, *, change: int = 0
    ) -> None:
        """Say that an order or a change was withheld; a count that does not fit halts."""
        withheld = OrderWithheld(
            epoch=epoch,
            order_ref=order_ref,
            why=refused.why,
            words=refused.words,
            number=change,
        )
        self._desk.say(withheld)
        if refused.why is Withheld.MORE_THAN_INTENDED:
            self._desk.say(Halt(reason=f"more left than was intended: {refused.words}", by=BY))

    def _say_sent(self, order_ref: str, number: int, *, change: int = 0) -> None:
        sent = OrderSent(
            epoch=self._session.epoch, order_ref=order_ref, order_id=number, number=change
        )
        self._desk.say(sent)

    def _say_trouble(self, order_ref: str, number: int, code: int, words: str) -> None:
        trouble = OrderTroubled(
            epoch=self._session.epoch,
            order_ref=order_ref,
            order_id=number,
            code=code,
            words=words,
        )
        self._desk.say(trouble)

    def _link_opened(self, ib: GuardedIB, epoch: int) -> None:
        del epoch
        self._gate.begin_link()
        self._addresses.link_opened(ib)

    def _link_ended(self, epoch: int) -> None:
        del epoch
        self._addresses.link_ended()

    def _order(self, trade: ib_async.Trade) -> None:
        self._addresses.heard(trade.order)

    def _error(self, number: int, code: int, words: str) -> None:
        """Say what the broker said of an order of ours; what it means is for others to judge."""
        if code == DUPLICATE_NUMBER:
            self._addresses.skip()
        order_ref = self._addresses.reference_of(number)
        if order_ref:
            self._say_trouble(order_ref, number, code, words)


def _words_of(failed: Failed) -> str:
    return f"{failed.why}: {failed.words}" if failed.words else str(failed.why)


def _why(failed: Failed) -> Withheld:
    unsendable = failed.why in (Failure.REFUSED, Failure.BROKEN)
    return Withheld.NOT_SENDABLE if unsendable else Withheld.NO_LINK
