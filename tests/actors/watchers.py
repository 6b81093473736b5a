"""A desk with one watcher for each underlying, to start, stop and crash in tests."""

import msgspec

from tests.actors.desks import policy, spec
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group, Template, Tree
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoveryFailed,
    QuotesObserved,
    SeriesQualified,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

Hears = (
    Begin
    | Quiesce
    | LinkChanged
    | QuotesObserved
    | ChainDiscovered
    | SeriesQualified
    | DiscoveryFailed
    | TimerFired
)


class WatcherState(msgspec.Struct):
    texts: list[str] = msgspec.field(default_factory=list)
    begun: int = 0
    quiesced: int = 0


class Watcher:
    """Keeps what it is told; `crash` raises as often as its number says, `wake` sets a timer."""

    def __init__(self, *, underlying, tried=None):
        self.state = WatcherState()
        self.underlying = underlying
        self._tried = {} if tried is None else tried

    def receive(self, message: Hears, now: int) -> tuple[StartTimer | CancelTimer, ...]:
        match message:
            case Begin():
                self.state.begun += 1
            case Quiesce():
                self.state.quiesced += 1
            case DiscoveryFailed(underlying=underlying, words=words):
                assert underlying == self.underlying
                self.state.texts.append(words)
                return self._obey(words)
            case TimerFired(name=name):
                self.state.texts.append(f"woken {name}")
        return ()

    def _obey(self, words):
        key = (self.underlying, words)
        self._tried[key] = tried = self._tried.get(key, 0) + 1
        verb, _, rest = words.partition(" ")
        if verb == "crash" and tried <= int(rest.split()[0]):
            raise ValueError(words)
        if verb == "wake":
            return (StartTimer(name="alarm", after_ns=int(float(rest) * 1e9)),)
        return ()


def told(underlying, words):
    """A message that goes to the watcher of this underlying alone."""
    return DiscoveryFailed(underlying=underlying, trading_class="", expiry=None, words=words)


def watcher_group(tried=None, **changes):
    """The group of the watchers alone."""
    changes = {"intensity": 1000} | changes
    tried = {} if tried is None else tried

    def make(key):
        settings = {"underlying": key, "tried": tried}
        return ActorSpec(
            name=f"chain/{key}", kind=Watcher, settings=settings, stop_deadline_ns=10**9
        )

    template = Template(role="chain", kind=Watcher, make=make)
    return Group(name="watching", policy=policy(**changes), actors=(), template=template)


def watching(tried=None, **changes):
    """A tree of one fixed actor and the watchers."""
    fixed = Group(name="fixed", policy=policy(), actors=(spec("notifier"),))
    return Tree(root=policy(intensity=0), groups=(fixed, watcher_group(tried, **changes)))
