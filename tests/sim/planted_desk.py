"""Bugs planted in what the desk does for itself: its books, its restarts, its mail, its words.

Patches like those of `planted`, hunted together with them.
"""

from typing import Any

import msgspec

from tests.sim.planted import Bug
from thetawarden.actors import keeper, overseer
from thetawarden.actors.watchdog import Watchdog
from thetawarden.messages.books import FillBooked
from thetawarden.messages.lifecycle import GroupGaveUp, MessageParked
from thetawarden.sim.faults.kinds import Planned

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


def _at(name: str, at_min: int, pick: int) -> Planned:
    return Planned(name=name, at_min=at_min, for_min=4, pick=pick)


KILLED_TWICE = tuple(_at("crash", at_min, 6) for at_min in (90, 90, 90, 140, 140))
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
)
