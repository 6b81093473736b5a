"""Bugs planted in what the desk does for itself: its books, its restarts, its mail, its words.

Patches like those of `planted`, hunted together with them.
"""

from typing import Any

import msgspec

from tests.sim import sabotage
from tests.sim.planted import HALTED, Bug
from thetawarden.actors import keeper, overseer, walking, watchdog
from thetawarden.actors.cell import Cell
from thetawarden.actors.mailbox import Mailbox, Put
from thetawarden.actors.watchdog import Watchdog
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.base import Envelope, Lane
from thetawarden.messages.books import FillBooked, OrderReported
from thetawarden.messages.lifecycle import GroupGaveUp, MessageParked
from thetawarden.messages.risk import RiskDemanded
from thetawarden.ports import Delivery, FencedError, Outcome
from thetawarden.sim.broker.adapter import SimBroker
from thetawarden.sim.broker.orders import SimOrders
from thetawarden.sim.disk import DiskLog
from thetawarden.sim.faults.kinds import Planned
from thetawarden.sim.runtime import SimDesk

_replace = msgspec.structs.replace


def _books_twice(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        said = original(self, message, now)
        return tuple(
            one for each in said for one in (each, each)[: 1 + isinstance(each, FillBooked)]
        )

    return receive


def _costs_double(original: Any) -> Any:
    def attach(book: Any, told: Any) -> Any:
        return original(book, _replace(told, commission_usd=2 * told.commission_usd))

    return attach


def _deaf_to(kind: type) -> Any:
    def make(original: Any) -> Any:
        def receive(self: Any, message: Any, now: Any) -> Any:
            return () if isinstance(message, kind) else original(self, message, now)

        return receive

    return make


def _without_a_past(original: Any) -> Any:
    return lambda **named: original(**(named | {"earlier_ns": ()}))


def _swallows(original: Any) -> Any:
    def putter(self: Any, lane: Any, *on_trouble: Any) -> Any:
        put = original(self, lane, *on_trouble)

        def swallow(envelope: Any) -> Any:
            lost = isinstance(envelope.body, OrderReported | RiskDemanded)
            return Put.ACCEPTED if lost else put(envelope)

        return swallow if lane <= Lane.ORDERS else put

    return putter


def _keeps_old_news(original: Any) -> Any:
    def conflate(self: Any, envelope: Any, key: Any) -> Any:
        return Put.CONFLATED if key in self._latest else original(self, envelope, key)

    return conflate


def _leaves_nothing(original: Any) -> Any:
    def remember(self: Any, recovered: Any) -> None:
        for past in recovered.actors.values():
            past.unhandled = ()
        original(self, recovered)

    return remember


def _storms(original: Any) -> Any:
    def submit(self: Any, asked: Any, wire: Any) -> None:
        for _ in range(200 if wire is not None else 0):
            wire.send(lambda: None)
        original(self, asked, wire)

    return submit


def _asks_over_and_over(original: Any) -> Any:
    def subscribe(self: Any, asked: Any, wire: Any) -> None:
        for _ in range(10):
            original(self, asked, wire)

    return subscribe


def _cancels_last(original: Any) -> Any:
    def cancel(self: Any, asked: Any, wire: Any) -> None:
        self._later(10 * NS_PER_SECOND, lambda: original(self, asked, wire))

    return cancel


def _at(name: str, at_min: int, pick: int) -> Planned:
    return Planned(name=name, at_min=at_min, for_min=4, pick=pick)


def _fences_nobody(_original: Any) -> Any:
    return lambda self, actor, incarnation: None


def _says_what_was_refused(original: Any) -> Any:
    def record(self: Any, envelope: Any, now: Any, merged: Any, answers: Any) -> Any:
        try:
            return original(self, envelope, now, merged, answers)
        except FencedError:
            seq, name, incarnation = envelope.seq, self._name, self.incarnation
            return tuple(Envelope(seq, now, name, incarnation, seq, one) for one in answers)

    return record


def _remembers_what_was_refused(original: Any) -> Any:
    def record(self: Any, envelope: Any, now: Any, merged: Any, answers: Any) -> Any:
        delivery = Delivery(envelope, self._name, self.incarnation, now, Outcome.HANDLED, merged)
        steps = self.post.steps
        try:
            return original(self, envelope, now, merged, answers)
        except FencedError:
            steps.append(delivery)
            raise

    return record


FROZEN = (Planned(name="frozen-feed", at_min=80, for_min=260, pick=0),)
STANDING = (Planned(name="stale-leg", at_min=80, for_min=260, pick=4),)
BUSTED = tuple(
    Planned(name="correction", at_min=at_min, for_min=120, pick=6) for at_min in (90, 130, 170, 210)
)
KILLED_TWICE = tuple(_at("crash", at_min, 6) for at_min in (90, 90, 90, 140, 140))
HANGING = tuple(
    _at("hang", at_min, pick)
    for at_min, pick in zip(range(60, 260, 20), (11, 4, 10) * 4, strict=False)
)
"""The chain's watcher, the ledger of lines and the watchdog, in turn."""
LOOPING = tuple(_at("crash-loop", at_min, at_min) for at_min in (70, 100, 130, 160))
BUGS: tuple[Bug, ...] = (
    Bug(
        "booked twice",
        "the keeper says of every fill twice that it is booked",
        ("I16",),
        ((keeper.Keeper, "receive", _books_twice),),
    ),
    Bug(
        "costs attached twice",
        "a fill costs twice what the broker told",
        ("I16",),
        ((keeper, "with_commission", _costs_double),),
    ),
    Bug(
        "parked untold",
        "nobody is told of a message that was put aside",
        ("I24",),
        ((Watchdog, "receive", _deaf_to(MessageParked)),),
        KILLED_TWICE,
    ),
    Bug(
        "old prices overlooked",
        "the watchdog finds no price too old",
        ("I11",),
        ((watchdog, "stale_prices", sabotage.nothing),),
        FROZEN,
    ),
    Bug(
        "old prices of what is held overlooked",
        "the watchdog looks at underlyings, not at the options that are held",
        ("I11",),
        ((Watchdog, "_hold", sabotage.nothing),),
        STANDING,
    ),
    Bug(
        "uneven legs left",
        "legs that filled without the others are left as they are",
        ("I19",),
        ((walking, "mend_legs", sabotage.nothing),),
        BUSTED,
    ),
    Bug(
        "endless restarts",
        "nobody counts how often a group was restarted",
        ("I23",),
        ((overseer, "decide_restart", _without_a_past),),
        LOOPING,
    ),
    Bug(
        "gives up unhalted",
        "nothing is halted when a group gives up",
        ("I23",),
        ((Watchdog, "receive", _deaf_to(GroupGaveUp)),),
        tuple(_at("crash", at_min, 3) for at_min in (90, 110, 130, 150)),
    ),
    Bug(
        "drops silently",
        "a mailbox takes orders and control messages and has them not",
        ("I09",),
        ((Mailbox, "putter", _swallows),),
        None,
    ),
    Bug(
        "keeps old news",
        "market data that waits is not replaced by newer",
        ("I09",),
        ((Mailbox, "conflate", _keeps_old_news),),
        None,
    ),
    Bug(
        "leaves nothing to the next",
        "what a process had not handled is forgotten",
        ("I09",),
        ((SimDesk, "remember", _leaves_nothing),),
        tuple(_at("kill", at_min, at_min) for at_min in range(50, 260, 10)),
    ),
    Bug(
        "socket storm",
        "two hundred messages leave before each order",
        ("I20",),
        ((SimOrders, "submit", _storms),),
    ),
    Bug(
        "asks over and over",
        "every line is asked for ten times",
        ("I20",),
        ((SimBroker, "_subscribe", _asks_over_and_over),),
    ),
    Bug(
        "cancels last",
        "a cancel waits for ten seconds",
        ("I20",),
        ((SimOrders, "cancel", _cancels_last),),
        HALTED,
    ),
    Bug(
        "old ones speak",
        "the log refuses nobody who was fenced off",
        ("I22",),
        ((DiskLog, "fence", _fences_nobody),),
        HANGING,
    ),
    Bug(
        "old ones are heard",
        "what the log refuses is delivered all the same",
        ("I22",),
        ((Cell, "_record", _says_what_was_refused),),
        HANGING,
    ),
    Bug(
        "old ones are remembered",
        "a successor takes over the step that was refused",
        ("I22",),
        ((Cell, "_record", _remembers_what_was_refused),),
        HANGING,
    ),
)
