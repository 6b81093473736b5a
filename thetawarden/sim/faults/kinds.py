"""What a fault of the simulation is: a name, the code of its kind, and how it begins and ends."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from thetawarden.sim.world import World

A_DAY_MIN = 24 * 60


class Family(enum.StrEnum):
    """What a fault strikes; `chaos --faults` chooses among these."""

    NETWORK = "network"
    DATA = "data"
    ORDERS = "orders"
    PROCESS = "process"
    STORAGE = "storage"
    CLOCK = "clock"
    HUMAN = "human"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that is to happen: at a minute of the world, for so many; `pick` is its luck."""

    at_min: int
    name: str
    for_min: int
    pick: int


Undo = Callable[[], None]
Begin = Callable[["World", Planned], Undo | None]


class FaultKind(msgspec.Struct, frozen=True, kw_only=True):
    """How to play one kind of fault; `begin` returns how to end it, or nothing where it is over.

    `weight` is how often it is drawn beside others, `lasts_min` how long it is played at least: one
    that waits for an order needs time to meet any.
    """

    code: str
    name: str
    family: Family
    words: str
    begin: Begin
    weight: int = 2
    lasts_min: int = 0


class Kinds:
    """Makes kinds of one family."""

    def __init__(self, family: Family, *, weight: int = 2, lasts_min: int = 0) -> None:
        self._usual = {"weight": weight, "lasts_min": lasts_min}
        self._family = family

    def kind(self, code: str, name: str, words: str, begin: Begin, **changes: int) -> FaultKind:
        """One kind; `changes` are its weight, or how long it lasts at least."""
        usual = self._usual | changes
        return FaultKind(
            code=code, name=name, words=words, begin=begin, family=self._family, **usual
        )
