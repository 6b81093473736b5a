"""I24: a person is told of every halt, of what was lost or given up, and of a limit passed.

Something counts as told once an alert that names it has gone out, or could not. What a process said
and did not write is lost with it and never was.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from thetawarden.domain.alerts.matters import TABLE, Matter
from thetawarden.domain.risk.brakes import BrakeName
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import (
    DeskStarted,
    EffectFailed,
    GroupGaveUp,
    MailboxOverflowed,
    MessageParked,
    MessageUnclaimed,
)
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, NotifyPerson
from thetawarden.messages.risk import RiskTaken
from thetawarden.messages.trading import TradingHalted
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

LIMITS = ((BrakeName.DAY_LOSS, Matter.DAY_LOSS), (BrakeName.MARGIN, Matter.MARGIN_USED))
ALERTS = "alerts"
LETTERS = (GroupGaveUp, MailboxOverflowed, MessageParked, MessageUnclaimed)
_TELLING = (NotifyPerson.__name__, DeliverAlert.__name__)
"""What carries words to a person: to tell that it failed would fail alike."""


class _Owed(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told: an alert tells it whose text has all of `says` and begins as said."""

    key: str
    seq: int
    words: str
    says: tuple[str, ...] = ()
    begins: str = ""
    topic: str = ""

    def is_told_by(self, alert: DeliverAlert) -> bool:
        """Whether a person who reads this knows."""
        fits = alert.topic == (self.topic or alert.topic) and alert.text.startswith(self.begins)
        return fits and all(word in alert.text for word in self.says)


class _Told:
    def __init__(self) -> None:
        self._owed: dict[str, _Owed] = {}
        self._asked: dict[int, tuple[str, ...]] = {}
        self._halts_told: set[str] = set()
        self._passed: dict[str, list[tuple[int, bool]]] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count what is to be told against attempts to tell it."""
        if isinstance(entry, Envelope):
            match entry.body:
                case DeskStarted():
                    self._forget(after_seq=scene.world.durable_seq)
                case DeliverAlert() as alert:
                    told = tuple(key for key, one in self._owed.items() if one.is_told_by(alert))
                    if told:
                        self._asked[entry.seq] = told
                case AlertDelivered() | EffectFailed():
                    self._tried(entry.cause_seq)
                case _:
                    pass
            for owed in self._matters(entry):
                self._owed.setdefault(owed.key, owed)
        return ()

    def end(self, scene: Scene) -> Words:
        """Nothing may be left that nobody was told of."""
        del scene
        for owed in self._owed.values():
            yield f"nobody was told {owed.words}"

    def _matters(self, entry: Envelope[Message]) -> Iterator[_Owed]:
        match entry.body:
            case TradingHalted(halt=halt):
                key, epoch = f"halt {halt.epoch}", f"(epoch {halt.epoch})"
                words = f"of halt {halt.epoch}: {halt.reason}"
                if key not in self._halts_told:  # one that stands is said again by each process
                    yield _Owed(
                        key=key, seq=entry.seq, words=words, says=(epoch,), begins="Trading halted "
                    )
            case EffectFailed(adapter=adapter, kind=kind) if (
                adapter != ALERTS and kind not in _TELLING
            ):
                key = f"effect:{adapter}"
                yield _Owed(key=key, seq=entry.seq, words=f"that {adapter} fails", topic=key)
            case RiskTaken() as taken:
                yield from self._limits(taken, entry.seq)
            case GroupGaveUp() | MailboxOverflowed() | MessageParked() | MessageUnclaimed() as body:
                yield self._letter(body, entry.seq)
            case _:
                pass

    def _letter(
        self,
        body: GroupGaveUp | MailboxOverflowed | MessageParked | MessageUnclaimed,
        seq: int,
    ) -> _Owed:
        """What was lost or given up; a letter that is lost itself is told with the later one."""
        says: tuple[str, ...]
        match body:
            case GroupGaveUp(group=group):
                what, says = f"that group {group} gave up", (f"group {group} ",)
            case MailboxOverflowed(actor=actor):
                what, says = f"that the mailbox of {actor} overflowed", (f"mailbox of {actor} ",)
            case MessageParked(actor=actor, kind=kind, message_seq=lost_seq):
                self._owed.pop(f"letter {lost_seq}", None)
                what, says = f"that {kind} {lost_seq} was put aside", (f"{kind} {lost_seq} ", actor)
            case MessageUnclaimed(actor=actor, kind=kind, message_seq=lost_seq):
                what, says = f"that nobody took {kind} {lost_seq}", (f"{kind} {lost_seq} ", actor)
        return _Owed(key=f"letter {seq}", seq=seq, words=what, says=says)

    def _limits(self, taken: RiskTaken, seq: int) -> Iterator[_Owed]:
        """A limit is told when it is passed, and again only after it was not."""
        values = {brake.name: brake.value_fraction for brake in taken.brakes}
        for name, matter in LIMITS:
            threshold = TABLE[matter].threshold
            is_above = threshold is not None and values.get(name, 0.0) > threshold
            steps, key = self._passed.setdefault(name.value, []), f"risk:{name.value}"
            if is_above == (bool(steps) and steps[-1][1]):
                continue
            steps.append((seq, is_above))
            if is_above:
                words = f"that {name.value} is {values[name]:.1%}"
                yield _Owed(key=key, seq=seq, words=words, topic=key)

    def _forget(self, *, after_seq: int) -> None:
        self._owed = {key: one for key, one in self._owed.items() if one.seq <= after_seq}
        for steps in self._passed.values():
            while steps and steps[-1][0] > after_seq:
                steps.pop()

    def _tried(self, cause_seq: int | None) -> None:
        for key in self._asked.pop(cause_seq or 0, ()):
            self._owed.pop(key, None)
            if key.startswith("halt "):
                self._halts_told.add(key)


def make() -> Check:
    """The check, with a memory of its own."""
    told = _Told()
    return Check(
        id="I24",
        says="every halt, lost message and passed limit is told",
        hears=(
            *(DeskStarted, TradingHalted, RiskTaken, *LETTERS),
            *(DeliverAlert, AlertDelivered, EffectFailed),
        ),
        entry=told.entry,
        end=told.end,
    )
