"""Bugs planted on purpose, one at a time, to show that the checks can fail and chaos finds them.

Nothing of this is in the package: each is a patch of a running interpreter, taken back afterwards.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from thetawarden.actors import (
    brakes,
    futures,
    governing,
    keeper,
    notifier,
    submitting,
)
from thetawarden.actors.connection import Connection
from thetawarden.actors.executor import Executor
from thetawarden.actors.governor import Governor
from thetawarden.actors.protecting import Guard
from thetawarden.domain.books import book as books
from thetawarden.domain.books import judge as book_judge
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.broker.quote_rows import read_quotes, write_quotes
from thetawarden.domain.chains.board import Board
from thetawarden.domain.context import readings as context_readings
from thetawarden.domain.governing import judging
from thetawarden.domain.halt import Latch
from thetawarden.domain.orders import gate as gates
from thetawarden.domain.orders import life as lives
from thetawarden.domain.orders.machine import Evidence, Step
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime import correlation_gate, readings, trend, vix_band
from thetawarden.domain.risk import approving
from thetawarden.domain.risk.rules import order_sanity
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.trading import TradingResumed
from thetawarden.practice import model
from thetawarden.sim import runtime as sim_runtime
from thetawarden.sim.broker import orders as sim_orders
from thetawarden.sim.broker.adapter import SimBroker
from thetawarden.sim.disk import DiskLog
from thetawarden.sim.faults.kinds import Planned
from thetawarden.sim.runtime import SimDesk
from thetawarden.sim.world import World

_replace = msgspec.structs.replace
Make = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Bug:
    """One bug: what it does, which invariants may show it, and where it is planted.

    `faults` are those under which it shows; None takes whatever the seed draws.
    """

    name: str
    words: str
    breaks: tuple[str, ...]
    patches: tuple[tuple[Any, str, Make], ...]
    faults: tuple[Planned, ...] | None = ()


@contextlib.contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Have the bug for a while."""
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in bug.patches]
    try:
        for (owner, name, make), (_, _, original) in zip(bug.patches, before, strict=True):
            setattr(owner, name, make(original))
        yield
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


def _at(name: str, at_min: int, for_min: int = 60, pick: int = 0) -> Planned:
    return Planned(name=name, at_min=at_min, for_min=for_min, pick=pick)


def _nothing(_original: Any) -> Any:
    return lambda *_args, **_named: ()


def _none(_original: Any) -> Any:
    return lambda *_args, **_named: None


def _empty(_original: Any) -> Any:
    return lambda *_args, **_named: ""


# --- the way to the broker


def _undurable(_original: Any) -> Any:
    return lambda desk: desk._perform_one()


def _other_side(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        flipped = model.Action.SELL if made.action is model.Action.BUY else model.Action.BUY
        return _replace(made, action=flipped)

    return ticket


def _one_more(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        return _replace(made, quantity=made.quantity + 1)

    return ticket


def _worse_price(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        price = made.limit_price
        return made if price is None else _replace(made, limit_price=round(price + 0.05, 2))

    return ticket


def _twice(original: Any) -> Any:
    def send(self: Any, wire: Any, tickets: Any) -> None:
        original(self, wire, tickets)
        key = lambda one: _replace(one.key, order_id=one.key.order_id + 5000)  # noqa: E731
        original(self, wire, [_replace(one, key=key(one)) for one in tickets])

    return send


def _again_on_reconnect(original: Any) -> Any:
    def let_in(self: Any, epoch: int) -> None:
        original(self, epoch)
        if self.wire is not None and self.gateway.sent:
            last = self.gateway.sent[-1]
            key = _replace(last.key, order_id=last.key.order_id + 7000)
            self.orders._send(self.wire, [_replace(last, key=key)])

    return let_in


def _one_approval(original: Any) -> Any:
    def approve(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        if not hasattr(made, "approval"):
            return made
        return _replace(made, approval=_replace(made.approval, key="A1"))

    return approve


def _more_units(original: Any) -> Any:
    return lambda *args, **named: original(*args, **named) + 1


# --- the brakes


def _deaf_to_halt(original: Any) -> Any:
    def desk_of(state: Any, settings: Any) -> Any:
        made = original(state, settings)
        latch = Latch(epoch=state.latch.epoch, halt=None)
        return _replace(made, posture=_replace(made.posture, latch=latch))

    return desk_of


def _unhalted(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        said = original(self, message, now)
        self.state.halted = False
        return said

    return receive


def _lifts_itself(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        said = original(self, message, now)
        if isinstance(message, Begin) and self.state.latch.halt is not None:
            self.state.latch = Latch(epoch=self.state.latch.epoch, halt=None)
            resumed = TradingResumed(epoch=self.state.latch.epoch, reason="a new start", by="me")
            return (resumed, *said)
        return said

    return receive


def _any_epoch(_original: Any) -> Any:
    return lambda latch, *, epoch, reason: Latch(epoch=latch.epoch, halt=None)


def _no_flag(_original: Any) -> Any:
    return lambda self, halt: None


def _gives_up_quietly(original: Any) -> Any:
    def give_up(self: Any, reason: str) -> None:
        self.gave_up.append(reason)
        self._end_process()

    return give_up


# --- the book


def _drops_fills(_original: Any) -> Any:
    return lambda book, told: book


def _counts_corrections(_original: Any) -> Any:
    return lambda execution_id: execution_id


def _wrong_sign(original: Any) -> Any:
    return lambda book, told: original(book, _replace(told, quantity=-told.quantity))


# --- the market


def _ageless(original: Any) -> Any:
    def fault_of(*, reading: Any, now_ns: int, bounds: Any) -> Any:
        fresh = None if reading is None else _replace(reading, at_ns=now_ns)
        return original(reading=fresh, now_ns=now_ns, bounds=bounds)

    return fault_of


def _as_live(original: Any) -> Any:
    return lambda quote: original(
        None if quote is None else _replace(quote, data_type=DataType.LIVE)
    )


def _all_live(original: Any) -> Any:
    def observe(self: Any, written: bytes, **named: Any) -> Any:
        shown = (_replace(one, data_type=DataType.LIVE) for one in read_quotes(written))
        return original(self, write_quotes(shown), **named)

    return observe


# --- the log


def _loses_the_last(_original: Any) -> Any:
    return lambda self: self.entries[: max(0, self._durable - 3)]


def _no_header(original: Any) -> Any:
    def say(self: Any, body: Any, *, sender: str) -> None:
        if type(body).__name__ != "DeskStarted":
            original(self, body, sender=sender)

    return say


# --- lives of orders


def _dies_twice(original: Any) -> Any:
    def step(stage: Stage, evidence: Evidence) -> Step:
        if stage in (Stage.FILLED, Stage.CANCELLED) and evidence is Evidence.BEGAN:
            return Step(Stage.UNKNOWN)
        return original(stage, evidence)

    return step


def _doubts_everything(original: Any) -> Any:
    def doubted(state: Any, evidence: Any, now: Any, words: str) -> Any:
        said = []
        for life in list(state.orders.values()):
            if life.stage in (Stage.FILLED, Stage.CANCELLED):
                state.orders[life.order_ref] = _replace(life, stage=Stage.UNKNOWN)
                said.append(lives.changed(state.orders[life.order_ref], words))
        return (*said, *original(state, evidence, now, words))

    return doubted


def _hears_no_loss(original: Any) -> Any:
    return lambda self, lost, now: ()


def _gives_nothing_up(original: Any) -> Any:
    return lambda self, words, now: ()


def _nothing_wrong(_original: Any) -> Any:
    return lambda gate, seen: None


def _forgets_last(original: Any) -> Any:
    return lambda make, snapshot, steps: original(make, snapshot, list(steps)[:-1])


ORDERS_ALL_DAY = ()
RESET = (_at("reset", 150), _at("reset", 210))
MUTES = (_at("mute", 120, 60), _at("mute", 220, 60))
STILL = (_at("stale-leg", 80, 300, 3),)
"""Some lines stand still while the chain goes on: a halt of all trading never comes first."""
DELAYED = (_at("delayed", 35, 180, 0),)
HALTED = (_at("halt", 100, 240),)
KILLED = (_at("kill", 130, 4, 7), _at("kill", 220, 4, 11))
NAKED = (_at("exit-cancelled", 200, 4, 0), _at("exit-cancelled", 230, 4, 1))
FILLS = (_at("duplicates", 60, 300), _at("correction", 180, 4, 1), _at("correction", 230, 4, 2))

BUGS = (
    Bug(
        "effect before its intent is durable",
        "orders leave before they are on disk",
        ("I02",),
        ((SimDesk, "_go_on_outside", _undurable),),
    ),
    Bug(
        "the other side",
        "buys what was to be sold",
        ("I02",),
        ((sim_orders, "ticket_of", _other_side),),
    ),
    Bug(
        "one more",
        "sends one unit more than intended",
        ("I02",),
        ((sim_orders, "ticket_of", _one_more),),
    ),
    Bug(
        "another price",
        "sends a price that was not intended",
        ("I02",),
        ((sim_orders, "ticket_of", _worse_price),),
    ),
    Bug(
        "double send",
        "every order leaves twice",
        ("I03",),
        ((sim_orders.SimOrders, "_send", _twice),),
    ),
    Bug(
        "double send on reconnect",
        "the last order leaves again on a new link",
        ("I03",),
        ((SimBroker, "_be_let_in", _again_on_reconnect),),
        RESET,
    ),
    Bug(
        "one approval for all",
        "an approval is used more than once",
        ("I04",),
        ((judging, "approve", _one_approval),),
    ),
    Bug(
        "more than approved",
        "an order is larger than its approval",
        ("I04",),
        ((submitting, "_units", _more_units),),
    ),
    Bug(
        "halt ignored",
        "governor, executor and gate do not heed a halt",
        ("I01",),
        (
            (governing, "desk_of", _deaf_to_halt),
            (Executor, "receive", _unhalted),
            (gates, "_of_the_brakes", _none),
        ),
        HALTED,
    ),
    Bug(
        "lifts itself",
        "a new start lifts the halt",
        ("I13",),
        ((Governor, "receive", _lifts_itself),),
        (*HALTED, _at("kill", 160, 4, 3)),
    ),
    Bug(
        "any epoch",
        "a resume of another halt is taken",
        ("I13",),
        ((brakes, "open_latch", _any_epoch),),
        (*HALTED, _at("wrong-resume", 130)),
    ),
    Bug(
        "forgets a step",
        "an actor that begins again lacks what it heard last",
        ("I07",),
        ((sim_runtime, "rebuild", _forgets_last),),
        (_at("crash", 90, 4, 3), _at("crash", 130, 4, 5), _at("hang", 170, 4, 1)),
    ),
    Bug(
        "no halt flag",
        "the flag file is not written",
        ("I13",),
        ((HaltFlagFile, "raise_flag", _no_flag),),
        (_at("manual-trade", 100), *HALTED),
    ),
    Bug(
        "gives up quietly",
        "the supervisor ends without a halt",
        ("I23",),
        ((World, "_give_up", _gives_up_quietly),),
        (_at("hang", 120, 4, 3), _at("hang", 150, 4, 1)),
    ),
    Bug(
        "untold",
        "nobody is told of a halt",
        ("I24",),
        ((notifier.Notifier, "receive", _nothing),),
        HALTED,
    ),
    Bug(
        "drops fills",
        "the keeper books no fill",
        ("I05", "I29"),
        ((keeper, "with_execution", _drops_fills), (book_judge, "with_execution", _drops_fills)),
    ),
    Bug(
        "wrong sign of fills",
        "what was sold is booked as bought",
        ("I05", "I29", "I16"),
        ((keeper, "with_execution", _wrong_sign), (book_judge, "with_execution", _wrong_sign)),
    ),
    Bug(
        "corrections add up",
        "a correction is booked as another fill",
        ("I05", "I29", "I16"),
        ((books, "execution_stem", _counts_corrections),),
        FILLS,
    ),
    Bug(
        "loses what it acknowledged",
        "written rows are lost in a crash",
        ("I08",),
        ((DiskLog, "written", _loses_the_last),),
        KILLED,
    ),
    Bug("no header", "a run does not say what it is", ("I26",), ((World, "say", _no_header),)),
    Bug(
        "stale quotes accepted",
        "nobody looks how old a quote is",
        ("I12",),
        (
            (order_sanity, "_quote_fault", _empty),
            (order_sanity, "age_fault", _none),
            (gates, "_of_its_age", _none),
            *((one, "fault_of", _ageless) for one in (readings, vix_band, trend, correlation_gate)),
        ),
        STILL,
    ),
    Bug(
        "delayed quotes accepted",
        "nobody looks whether a quote is live",
        ("I12",),
        (
            (order_sanity, "_quote_fault", _empty),
            (context_readings, "price_reading", _as_live),
            (futures, "price_reading", _as_live),
            (Board, "observe", _all_live),
            (gates, "_of_its_data", _nothing_wrong),
        ),
        DELAYED,
    ),
    Bug(
        "reservations forgotten",
        "neither what is on its way nor what is held counts against the limits",
        ("I06",),
        (
            (governing, "pending_orders", _nothing),
            (approving, "pending_orders", _nothing),
            (governing, "holdings_of", _nothing),
        ),
    ),
    Bug(
        "exits forgotten",
        "entries leave without exits, and nobody minds",
        ("I14",),
        ((submitting, "exit_intents", _nothing), (Guard, "look", _nothing)),
    ),
    Bug(
        "exits not repaired",
        "a lost exit stays lost, and nobody is told",
        ("I14",),
        ((Guard, "look", _nothing),),
        NAKED,
    ),
    Bug(
        "never reconnects",
        "a lost link is not made again",
        ("I29",),
        ((Connection, "_lose", _hears_no_loss), (Connection, "_give_up", _gives_nothing_up)),
        RESET,
    ),
)
