"""The notifier: sees that every alert leaves the desk at least once, and none too often."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.alerts.matters import TABLE, Matter, Urgency
from thetawarden.domain.alerts.outbox import (
    HELD_MAX,
    LOG,
    Alert,
    Due,
    Fate,
    Recent,
    Waiting,
    counted,
    delivered,
    digest,
    due_now,
    escalated,
    failed,
    judge,
    next_look_ns,
    remember,
    sent_within,
    under_way,
    with_count,
)
from thetawarden.domain.alerts.rules import AlertRules, quiet_until_ns
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.brakes import BrakeName
from thetawarden.messages.books import PositionExplained
from thetawarden.messages.lifecycle import ActorPaused, ActorUnpaused, Begin, Quiesce
from thetawarden.messages.operations import (
    AlertDelivered,
    AlertFailed,
    DeliverAlert,
    NotifyPerson,
)
from thetawarden.messages.orders import OrderStageChanged
from thetawarden.messages.risk import RiskTaken
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import ResumeRefused, TradingHalted, TradingResumed

RETRY, DIGEST, REMIND = "retry", "digest", "remind"
BRAKES = ((BrakeName.DAY_LOSS, Matter.DAY_LOSS), (BrakeName.MARGIN, Matter.MARGIN_USED))
Hears = (
    Begin
    | Quiesce
    | TimerFired
    | NotifyPerson
    | AlertDelivered
    | AlertFailed
    | ActorPaused
    | ActorUnpaused
    | ResumeRefused
    | PositionExplained
    | OrderStageChanged
    | RiskTaken
    | TradingHalted
    | TradingResumed
)
Says = DeliverAlert | StartTimer | CancelTimer


class NotifierState(msgspec.Struct, kw_only=True):
    """The outbox: what has been asked for and has not left by every channel; and what is held.

    `left_out` counts what the digest has no room for. `crossed` are the thresholds that are passed
    now. `halt` is the one a person is reminded of.
    """

    next_number: int = 1
    outbox: dict[int, Waiting] = msgspec.field(default_factory=dict)
    recent: dict[str, Recent] = msgspec.field(default_factory=dict)
    sent_ns: tuple[int, ...] = ()
    held: tuple[Alert, ...] = ()
    left_out: int = 0
    crossed: tuple[str, ...] = ()
    halt: HaltRecord | None = None


class Notifier:
    """Numbers each alert and holds it until its delivery by every channel is reported.

    Restart: what is still in the outbox is said again, so a person may read it twice, never not.
    """

    def __init__(self, *, rules: AlertRules | None = None) -> None:
        self.state = NotifierState()
        self._rules = rules or AlertRules()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                return self._begin(now)
            case Quiesce():
                return tuple(CancelTimer(name=name) for name in (RETRY, DIGEST, REMIND))
            case TimerFired(name=name):
                return self._wake(name, now)
            case AlertDelivered(number=number, channel=channel):
                return self._settle(number, channel, now, taken=True)
            case AlertFailed(number=number, channel=channel):
                return self._settle(number, channel, now, taken=False)
            case TradingHalted(halt=halt):
                return self._remember_halt(halt)
            case TradingResumed():
                self.state.halt = None
                return (CancelTimer(name=REMIND),)
            case RiskTaken():
                return self._compare(message, now)
            case _:
                alert = self._worded(message)
                return () if alert is None else self._tell(alert, now)

    def _worded(
        self,
        message: NotifyPerson
        | ActorPaused
        | ActorUnpaused
        | ResumeRefused
        | PositionExplained
        | OrderStageChanged,
    ) -> Alert | None:
        match message:
            case NotifyPerson(urgency=urgency, topic=topic, text=text):
                return Alert(urgency=urgency, topic=topic, text=text)
            case ActorPaused(actor=actor, by=by):
                return _alert(Urgency.NORMAL, f"pause:{actor}", f"{actor} paused by {by}")
            case ActorUnpaused(actor=actor, by=by):
                return _alert(Urgency.LOW, f"pause:{actor}", f"{actor} goes on, by {by}")
            case ResumeRefused(refusal=refusal, by=by, current_epoch=epoch):
                text = f"resume by {by} refused: {refusal.replace('_', ' ')} (epoch is {epoch})"
                return _alert(Urgency.NORMAL, "resume", text)
            case PositionExplained(cause=cause, words=words, contract=contract):
                matter = TABLE[Matter.ASSIGNED] if cause == Cause.ASSIGNMENT else None
                urgency = Urgency.HIGH if matter is None else matter.urgency
                text = f"{words} ({cause.replace('_', ' ')})"
                return _alert(urgency, f"position:{contract or 'cash'}", text)
            case OrderStageChanged():
                return _filled(message)
            case _:
                assert_never(message)

    def _begin(self, now: UnixNs) -> tuple[Says, ...]:
        """Say again whatever was under way: it may have got lost with the one before us."""
        own = self.state
        said: list[Says] = []
        for number, waiting in own.outbox.items():
            said += self._send(number, waiting, tuple(waiting.due))
        halted = () if own.halt is None else self._remember_halt(own.halt)
        return (*said, *halted, *self._wait(now), *self._digest_timer(now))

    def _tell(self, alert: Alert, now: UnixNs) -> tuple[Says, ...]:
        own, rules = self.state, self._rules
        own.sent_ns = sent_within(own.sent_ns, rules, now)
        fate = judge(alert, recent=own.recent, sent_ns=own.sent_ns, rules=rules, now=now)
        if fate is Fate.REPEATED:
            own.recent = counted(own.recent, alert.topic)
            return self._post(alert, (LOG,), now)
        alert = with_count(alert, own.recent.get(alert.topic))
        own.recent = remember(own.recent, alert, now)
        channels = rules.channels(alert.urgency)
        if fate is Fate.HOLD and channels:
            own.held = (*own.held, alert)
            own.left_out += max(0, len(own.held) - HELD_MAX)
            own.held = own.held[-HELD_MAX:]
            return (*self._post(alert, (LOG,), now), *self._digest_later(now))
        if channels:
            own.sent_ns = (*own.sent_ns, now)
        return self._post(alert, (LOG, *channels), now)

    def _post(self, alert: Alert, channels: tuple[str, ...], now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        number, own.next_number = own.next_number, own.next_number + 1
        own.outbox[number] = Waiting(alert=alert, since_ns=now, due=dict.fromkeys(channels, Due()))
        return (*self._send(number, own.outbox[number], channels), *self._wait(now))

    def _send(
        self, number: int, waiting: Waiting, channels: tuple[str, ...]
    ) -> tuple[DeliverAlert, ...]:
        alert = waiting.alert
        self.state.outbox[number] = under_way(waiting, channels)
        return tuple(
            DeliverAlert(
                number=number,
                urgency=alert.urgency,
                topic=alert.topic,
                text=alert.text,
                channel=channel,
            )
            for channel in channels
        )

    def _settle(self, number: int, channel: str, now: UnixNs, *, taken: bool) -> tuple[Says, ...]:
        """A channel has answered; one that answers again what is settled says nothing new."""
        own = self.state
        waiting = own.outbox.get(number)
        if waiting is None:
            return ()
        if taken:
            waiting = delivered(waiting, channel)
        else:
            waiting = failed(waiting, channel, rules=self._rules, now=now)
        own.outbox[number] = waiting
        if not waiting.due or now - waiting.since_ns >= self._rules.give_up_ns:
            del own.outbox[number]
        return self._wait(now)

    def _wait(self, now: UnixNs) -> tuple[Says, ...]:
        due_ns = next_look_ns(self.state.outbox, self._rules)
        if due_ns is None:
            return ()
        return (StartTimer(name=RETRY, after_ns=max(1, due_ns - now)),)

    def _wake(self, name: str, now: UnixNs) -> tuple[Says, ...]:
        match name:
            case "retry":
                return self._try_again(now)
            case "digest":
                return self._say_digest(now)
            case _:
                return self._remind(now)

    def _try_again(self, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        said: list[Says] = []
        for number in tuple(own.outbox):
            waiting = escalated(own.outbox[number], rules=self._rules, now=now)
            own.outbox[number] = waiting
            said += self._send(number, waiting, due_now(waiting, now))
        return (*said, *self._wait(now))

    def _digest_later(self, now: UnixNs) -> tuple[Says, ...]:
        """With the first that is held a timer begins; the others wait with it."""
        own = self.state
        first = len(own.held) == 1 and own.left_out == 0
        return self._digest_timer(now) if first else ()

    def _digest_timer(self, now: UnixNs) -> tuple[Says, ...]:
        """At the end of the quiet hours, or when a digest is due."""
        if not self.state.held:
            return ()
        quiet_ns = quiet_until_ns(self._rules, now)
        after_ns = self._rules.digest_ns if quiet_ns is None else quiet_ns - now
        return (StartTimer(name=DIGEST, after_ns=max(1, after_ns)),)

    def _say_digest(self, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        quiet_ns = quiet_until_ns(self._rules, now)
        if quiet_ns is not None:
            return (StartTimer(name=DIGEST, after_ns=max(1, quiet_ns - now)),)
        if not own.held:
            return ()
        alert = digest(own.held, own.left_out)
        own.held, own.left_out = (), 0
        return self._post(alert, (LOG, *self._rules.channels(alert.urgency)), now)

    def _compare(self, taken: RiskTaken, now: UnixNs) -> tuple[Says, ...]:
        """Tell of a threshold once when it is passed, and again only after it was not."""
        own, said, crossed = self.state, [], []
        values = {brake.name: brake.value_fraction for brake in taken.brakes}
        for name, matter in BRAKES:
            row = TABLE[matter]
            if row.threshold is None or not values.get(name, 0.0) > row.threshold:
                continue
            crossed.append(matter.value)
            if matter.value not in own.crossed:
                text = f"{name.replace('_', ' ')} is {values[name]:.1%}, above {row.threshold:.0%}"
                said.append(_alert(row.urgency, f"risk:{name}", text))
        own.crossed = tuple(crossed)
        return tuple(each for alert in said for each in self._tell(alert, now))

    def _remember_halt(self, halt: HaltRecord) -> tuple[Says, ...]:
        """The governor itself has the person told; what is ours is not to let it be forgotten."""
        self.state.halt = halt
        remind_ns = self._rules.remind_ns
        return (StartTimer(name=REMIND, after_ns=remind_ns),) if remind_ns else ()

    def _remind(self, now: UnixNs) -> tuple[Says, ...]:
        halt = self.state.halt
        if halt is None or not self._rules.remind_ns:
            return ()
        minutes = max(0, now - halt.at_ns) / 60e9
        text = f"Trading is still halted, {minutes:.0f} min after {halt.by}: {halt.reason}"
        again = StartTimer(name=REMIND, after_ns=self._rules.remind_ns)
        return (*self._tell(_alert(Urgency.CRITICAL, "halt:reminder", text), now), again)


def _alert(urgency: Urgency, topic: str, text: str) -> Alert:
    return Alert(urgency=urgency, topic=topic, text=text)


def _filled(change: OrderStageChanged) -> Alert | None:
    if change.stage is not Stage.FILLED:
        return None
    taken = change.role is OrderRole.TAKE_PROFIT
    row = TABLE[Matter.PROFIT_TAKEN if taken else Matter.FILLED]
    what = "profit target hit" if taken else f"{change.role.replace('_', ' ')} filled"
    text = f"{what}: {change.trade} ({change.strategy}), {change.units_filled} of {change.units}"
    return _alert(row.urgency, f"order:{change.order_ref}", text)
