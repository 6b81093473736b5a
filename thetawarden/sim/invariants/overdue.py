"""Times what the desk could have mended and nobody was told of.

The time of a matter begins anew with each attempt to mend it, with each link and each executor, and
does not run while there is none or trading is halted: nothing can be mended then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from thetawarden.domain.link.states import LinkState
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import ActorEnded, DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import NotifyPerson
from thetawarden.sim.invariants.heard import TELLS, Heard
from thetawarden.sim.invariants.scene import Scene

HEARS = (NotifyPerson, LinkChanged, ActorEnded, DeskStarted, *TELLS)
TOPIC = "orders:"
Key = tuple[str, object]
"""A trade, and what of it is the matter."""
T = TypeVar("T")


class Overdue:
    """Since when something is the matter, and of what a person knows."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._told: dict[str, int] = {}
        self._since_ns: dict[Key, int] = {}
        self._is_linked = False

    @property
    def told(self) -> Collection[str]:
        """The trades and orders of which a person was told that something is the matter."""
        return self._told.keys()

    def take(self, entry: Envelope[Message], scene: Scene) -> None:
        """Take in what a person or the desk was told, and who came or went."""
        match entry.body:
            case NotifyPerson(topic=topic):
                if topic.startswith(TOPIC):
                    self._told[topic.removeprefix(TOPIC)] = entry.seq
            case LinkChanged(state=state):
                self._is_linked = state is LinkState.READY
                self._since_ns.clear()
            case ActorEnded(actor="executor"):
                self._since_ns.clear()
            case DeskStarted():  # what a process did not get written was told to nobody
                durable_seq = scene.world.durable_seq
                self._told = {one: seq for one, seq in self._told.items() if seq <= durable_seq}
                self._is_linked = False
                self._since_ns.clear()
            case body:
                self.heard.take(body)

    def begin_again(self, trade: str) -> None:
        """Somebody sets about mending this trade."""
        self._since_ns = {key: at for key, at in self._since_ns.items() if key[0] != trade}

    def forget_told(self, trade: str) -> None:
        """What a person was told of this trade is over."""
        self._told.pop(trade, None)

    def timed(
        self, scene: Scene, find: Callable[[], Iterable[tuple[Key, T]]]
    ) -> Iterator[tuple[T, int]]:
        """What is the matter now, and for how long of the machine's time it has been."""
        world, before = scene.world, self._since_ns
        self._since_ns = {}
        if scene.halt is not None or not self._is_linked:
            return
        found = tuple(find())
        if not found or world.flag.read() is not None:
            return
        now_ns = world.clock.monotonic_ns()
        for key, matter in found:
            self._since_ns[key] = since_ns = before.get(key, now_ns)
            yield matter, now_ns - since_ns
