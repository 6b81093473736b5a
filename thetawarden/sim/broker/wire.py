"""One link between desk and broker: what is said on it arrives later, in order, or never.

Both directions keep their order. A link that ends takes along what was under way. A mute one
swallows what the desk sends and holds back what the broker says until it speaks again or ends.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec
import numpy as np

from thetawarden.messages.base import Message
from thetawarden.sim.agenda import Agenda
from thetawarden.sim.clock import VirtualClock

Task = Callable[[], None]
Told = Message | Task


class Traffic(enum.StrEnum):
    """What bytes are about; only data may have to wait for its turn."""

    ORDER = "order"
    CANCEL = "cancel"
    BOOK = "book"
    DATA = "data"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """So many messages left for the gateway together; `order_ref` is that of a cancel."""

    traffic: Traffic
    count: int = 1
    order_ref: str = ""


AN_ORDER = Left(traffic=Traffic.ORDER)
DATA = Left(traffic=Traffic.DATA)
BOOK = Left(traffic=Traffic.BOOK)


class Delays:
    """How long one message is under way: drawn, in machine time."""

    def __init__(self, rng: np.random.Generator, *, min_ns: int, mean_ns: int) -> None:
        self._rng = rng
        self.min_ns = min_ns
        self.mean_ns = mean_ns

    def draw_ns(self) -> int:
        """Most are quick, some are slow."""
        return self.min_ns + int(self._rng.exponential(self.mean_ns))


class Wire:
    """A link of one epoch; `note` hears of all bytes that leave, also into a mute one."""

    def __init__(
        self,
        *,
        epoch: int,
        clock: VirtualClock,
        agenda: Agenda,
        delays: Delays,
        say: Callable[[Message], object],
        note: Callable[[Left], None] = lambda _left: None,
    ) -> None:
        self.epoch = epoch
        self.open = True
        self.mute = False
        self.heard_ns = clock.monotonic_ns()
        self._clock = clock
        self._agenda = agenda
        self._delays = delays
        self._say = say
        self._note = note
        self._held: list[Told] = []
        self._down_ns = self._up_ns = 0

    def tell(self, message: Told) -> None:
        """Let the broker say this to the desk, or let this happen when its bytes arrive."""
        if not self.open:
            return
        if self.mute:
            self._held.append(message)
            return
        self._down_ns = max(self._down_ns, self._due_ns())
        self._agenda.at(self._down_ns, lambda: self._arrive(message))

    def send(self, task: Task, left: Left = AN_ORDER) -> None:
        """Let the broker do this once the desk's words have arrived there."""
        if self.open:
            self._note(left)
        if not self.open or self.mute:
            return
        self._up_ns = max(self._up_ns, self._due_ns())
        self._agenda.at(self._up_ns, lambda: task() if self.open and not self.mute else None)

    def fall_silent(self) -> None:
        """From now on nothing comes through."""
        self.mute = True

    def speak_again(self) -> None:
        """Let what was held back come, all at once."""
        if not self.mute:
            return
        self.mute = False
        held, self._held = self._held, []
        for message in held:
            self.tell(message)

    def cut(self) -> None:
        """End it: nothing of what is under way arrives."""
        self.open = False

    def idle_ns(self) -> int:
        """For how much machine time nothing has come from the broker."""
        return self._clock.monotonic_ns() - self.heard_ns

    def _arrive(self, message: Told) -> None:
        if not self.open:
            return
        if self.mute:
            self._held.append(message)
            return
        self.heard_ns = self._clock.monotonic_ns()
        if isinstance(message, Message):
            self._say(message)
        else:
            message()

    def _due_ns(self) -> int:
        return self._clock.elapsed_ns() + round(self._delays.draw_ns() * self._clock.speed)
