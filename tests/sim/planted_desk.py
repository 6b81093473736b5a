"""Bugs planted in what the desk does for itself: its books, its restarts, its mail, its words.

Patches like those of `planted`, hunted together with them.
"""

from typing import Any

import msgspec

from tests.sim.planted import Bug
from thetawarden.actors import keeper
from thetawarden.actors.watchdog import Watchdog
from thetawarden.messages.books import FillBooked
from thetawarden.messages.lifecycle import MessageParked
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


def _parks_in_silence(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        return () if isinstance(message, MessageParked) else original(self, message, now)

    return receive


def _at(name: str, at_min: int, pick: int) -> Planned:
    return Planned(name=name, at_min=at_min, for_min=4, pick=pick)


KILLED_TWICE = tuple(_at("crash", at_min, 6) for at_min in (90, 90, 90, 140, 140))
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
        ((Watchdog, "receive", _parks_in_silence),),
        KILLED_TWICE,
    ),
)
