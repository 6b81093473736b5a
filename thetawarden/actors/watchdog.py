"""The watchdog: halts trading when desk, link, prices or clock are unwell, or nobody reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_never

import msgspec

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.freshness import (
    LinkSeen,
    Seen,
    held_instants,
    link_down,
    session_open_ns,
    skew_ns,
    skewed,
    stale_prices,
)
from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.restart import Ending
from thetawarden.domain.vitals import (
    Finding,
    Stillness,
    VitalLimits,
    Vitals,
    Weight,
    examine,
    stillness,
)
from thetawarden.messages.base import Lane
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lake import LakeFellBehind, LakeUnavailable
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorStarted,
    Begin,
    ChildrenChanged,
    EffectFailed,
    GroupGaveUp,
    MailboxOverflowed,
    MessageParked,
    MessageUnclaimed,
    Quiesce,
)
from thetawarden.messages.link import DecodingFailed, LinkChanged, LinkProbed
from thetawarden.messages.operations import (
    AlertFailed,
    DeliverAlert,
    HealthChanged,
    NotifyPerson,
    Urgency,
    VitalsTaken,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import Halt, TradingResumed

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

SILENCE, DOUBT = "vitals overdue", "still no vitals"
VIX = "VIX"
UP = (LinkState.SYNCING, LinkState.READY)
SKEWS_KEPT = 4
WORDS_MAX = 500
Hears = (
    Begin
    | Quiesce
    | VitalsTaken
    | ActorStarted
    | ActorEnded
    | GroupGaveUp
    | MessageParked
    | MailboxOverflowed
    | MessageUnclaimed
    | EffectFailed
    | AlertFailed
    | DecodingFailed
    | LakeUnavailable
    | LakeFellBehind
    | ChildrenChanged
    | ChainViewed
    | ContextTaken
    | PositionsValued
    | LinkChanged
    | LinkProbed
    | TradingResumed
    | TimerFired
)
Says = Halt | NotifyPerson | HealthChanged | StartTimer | CancelTimer


class Erring(msgspec.Struct, frozen=True, kw_only=True):
    """Something failed and the desk lives on: what it was last, when, and how often lately."""

    words: str
    at_ns: UnixNs
    times: int = 1


TELLING = frozenset({NotifyPerson.__name__, DeliverAlert.__name__})
"""What carries the watchdog's own words."""


class WatchdogState(msgspec.Struct, kw_only=True):
    """What was wrong when last looked, what is watched, and what went wrong lately.

    `prices` are underlyings and the VIX by name, `options` what is held by the broker's number.
    `since_ns` is when this incarnation began: no age counts from before.
    """

    findings: tuple[Finding, ...] = ()
    abnormal_endings: dict[str, int] = msgspec.field(default_factory=dict)
    doubting: bool = False
    since_ns: UnixNs = UnixNs(0)
    still: dict[str, Stillness] = msgspec.field(default_factory=dict)
    prices: dict[str, Seen] = msgspec.field(default_factory=dict)
    options: dict[int, Seen] = msgspec.field(default_factory=dict)
    names: dict[int, str] = msgspec.field(default_factory=dict)
    link: LinkSeen | None = None
    skews_ns: tuple[int, ...] = ()
    erring: dict[str, Erring] = msgspec.field(default_factory=dict)
    resumed: bool = False
    looked_ns: UnixNs = UnixNs(0)


class Watchdog:
    """Turns bad vital signs, stale prices, lost messages and silence into a halt.

    It never resumes anything; a halt that is lifted while its cause stands is said again.
    Restart: safe; at worst one matter is reported twice.
    """

    def __init__(
        self,
        *,
        limits: VitalLimits,
        silence_ns_max: int,
        sessions: Sessions,
        freshness: FreshnessLimits | None = None,
        erring_ns: int = 600 * NS_PER_SECOND,
    ) -> None:
        self.state = WatchdogState()
        self._limits = limits
        self._silence_ns_max = silence_ns_max
        self._sessions = sessions
        self._freshness = freshness or FreshnessLimits()
        self._erring_ns = erring_ns

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                self._begin(now)
                return (self._rearm(),)
            case Quiesce():
                return (CancelTimer(name=SILENCE), CancelTimer(name=DOUBT))
            case VitalsTaken(vitals=vitals):
                calm = (CancelTimer(name=DOUBT),) if self.state.doubting else ()
                self.state.doubting = False
                return (self._rearm(), *calm, *self._judge(self._look(vitals, now)))
            case TimerFired(name=name):
                return self._miss_vitals(name)
            case TradingResumed():
                self.state.resumed = True
                return ()
            case (
                ActorStarted()
                | ChildrenChanged()
                | ChainViewed()
                | ContextTaken()
                | PositionsValued()
                | LinkChanged()
                | LinkProbed()
            ):
                self._observe(message, now)
                return ()
            case _:
                return self._hear_of_failure(message, now)

    def _hear_of_failure(
        self,
        message: ActorEnded
        | GroupGaveUp
        | MessageParked
        | MailboxOverflowed
        | MessageUnclaimed
        | EffectFailed
        | AlertFailed
        | DecodingFailed
        | LakeUnavailable
        | LakeFellBehind,
        now: UnixNs,
    ) -> tuple[Says, ...]:
        match message:
            case ActorEnded():
                return self._note_ending(message, now)
            case GroupGaveUp(group=group, last_actor=actor):
                text = f"group {group} gave up restarting ({actor} ended last)"
                return self._halt_and_tell(f"gave_up:{group}", text, now)
            case MessageParked(actor=actor, kind=kind, message_seq=seq):
                text = f"{kind} {seq} crashed {actor} twice and was put aside"
                return self._tell(Urgency.HIGH, f"parked:{actor}", text, now)
            case MailboxOverflowed(actor=actor, lane=lane, depth=depth):
                text = f"mailbox of {actor} overflowed: {depth} waiting in lane {lane}"
                return self._halt_and_tell(f"overflow:{actor}", text, now)
            case MessageUnclaimed():
                return self._unclaimed(message, now)
            case EffectFailed(adapter=adapter, kind=kind, error=error):
                text = f"{adapter} could not carry out {kind}: {error}"
                if kind in TELLING:  # to tell of it would fail alike, and be told again
                    self._note(f"effect:{adapter}", text, now)
                    return ()
                return self._tell(Urgency.HIGH, f"effect:{adapter}", text, now)
            case AlertFailed(channel=channel, words=words):
                self._note(f"alerts:{channel}", f"channel {channel} does not deliver: {words}", now)
                return ()
            case DecodingFailed(words=words):
                self._note("decoding", f"a message of the broker could not be read: {words}", now)
                return ()
            case LakeUnavailable(table=table, error=error):
                self._note(f"lake:{table}", f"table {table} cannot be written: {error}", now)
                return ()
            case LakeFellBehind(table=table, rows=rows):
                self._note(f"lake:{table}", f"table {table} fell behind by {rows} rows", now)
                return ()
            case _:
                assert_never(message)

    def _begin(self, now: UnixNs) -> None:
        """Whatever is old now grew old while nobody could watch it: it gets its time again."""
        own = self.state
        own.since_ns, own.still, own.skews_ns = now, {}, ()
        if own.link is not None:
            own.link = msgspec.structs.replace(own.link, since_ns=now)

    def _observe(
        self,
        message: ActorStarted
        | ChildrenChanged
        | ChainViewed
        | ContextTaken
        | PositionsValued
        | LinkChanged
        | LinkProbed,
        now: UnixNs,
    ) -> None:
        own = self.state
        match message:
            case ActorStarted():
                return
            case ChildrenChanged(role=role, keys=keys):
                if role == "chain":
                    wanted = (*keys, *((VIX,) if VIX in own.prices else ()))
                    own.prices = {name: own.prices.get(name, _wanted(now)) for name in wanted}
            case ChainViewed(view=view):
                self._price(view.underlying, view.spot_at_ns)
                for conid, at_ns in held_instants(view, own.options).items():
                    own.options[conid] = _newer(own.options[conid], at_ns)
            case ContextTaken(inputs=inputs):
                vix = inputs.curve.vix
                own.prices.setdefault(VIX, _wanted(now))
                self._price(VIX, UnixNs(0) if vix is None else vix.at_ns)
            case PositionsValued():
                self._hold(message, now)
            case LinkChanged(state=state, why=why):
                self._hear_of_link(up=state in UP, words=why, now=now)
            case LinkProbed(broker_ns=broker_ns, clock_ns=clock_ns, round_trip_ns=trip_ns):
                if broker_ns:
                    off_ns = skew_ns(broker_ns=broker_ns, clock_ns=clock_ns, round_trip_ns=trip_ns)
                    own.skews_ns = (*own.skews_ns, off_ns)[-SKEWS_KEPT:]
            case _:
                assert_never(message)

    def _price(self, name: str, at_ns: UnixNs) -> None:
        seen = self.state.prices.get(name)
        if seen is not None:
            self.state.prices[name] = _newer(seen, at_ns)

    def _hold(self, valued: PositionsValued, now: UnixNs) -> None:
        own = self.state
        rows = [row for row in valued.positions if row.quantity]
        held = {row.instrument.symbol for row in rows}
        own.prices = {
            name: msgspec.structs.replace(seen, held=name in held)
            for name, seen in own.prices.items()
        }
        options = [row for row in rows if row.instrument.kind is InstrumentKind.OPTION]
        watched = [row for row in options if row.instrument.symbol in own.prices]
        own.names = {row.instrument.conid: row.contract for row in watched}
        own.options = {
            conid: own.options.get(conid, Seen(at_ns=UnixNs(0), wanted_ns=now, held=True))
            for conid in own.names
        }

    def _hear_of_link(self, *, up: bool, words: str, now: UnixNs) -> None:
        before = self.state.link
        if before is None and not up:
            return  # there never was one: entries wait for it, and nothing can have grown old
        since_ns = now if before is None or before.up != up else before.since_ns
        self.state.link = LinkSeen(up=up, since_ns=since_ns, words=words[:WORDS_MAX])

    def _look(self, vitals: Vitals, now: UnixNs) -> tuple[Finding, ...]:
        own = self.state
        if 0 < own.looked_ns < now - self._freshness.leap_ns_max:
            own.since_ns = now  # paused, or the market's clock leapt: nobody could watch meanwhile
        own.looked_ns = now
        own.still = stillness(own.still, vitals)
        own.erring = {
            topic: one for topic, one in own.erring.items() if now - one.at_ns < self._erring_ns
        }
        found = [*examine(vitals, self._limits, own.still), *self._market(now)]
        found.extend(skewed(own.skews_ns, self._freshness))
        return tuple(found)

    def _market(self, now: UnixNs) -> Iterator[Finding]:
        """What cannot be rested on while the session is open; before the first link, nothing."""
        own, limits = self.state, self._freshness
        open_ns = session_open_ns(now, self._sessions)
        if open_ns is None or own.link is None:
            return
        floor_ns = max(open_ns, own.since_ns)
        yield from link_down(own.link, open_ns=floor_ns, now=now, limits=limits)
        yield from stale_prices(own.prices, open_ns=floor_ns, now=now, limits=limits)
        held = {own.names[conid]: seen for conid, seen in sorted(own.options.items())}
        yield from stale_prices(held, open_ns=floor_ns, now=now, limits=limits)

    def _miss_vitals(self, name: str) -> tuple[Says, ...]:
        """Doubt first: a clock that jumped looks like silence, but is followed by vital signs."""
        if name == SILENCE:
            self.state.doubting = True
            return (StartTimer(name=DOUBT, after_ns=self._silence_ns_max // 2),)
        self.state.doubting = False
        seconds = self._silence_ns_max / 1e9
        return (self._rearm(), *_halt(f"no vital signs for {seconds:g} s"))

    def _rearm(self) -> StartTimer:
        return StartTimer(name=SILENCE, after_ns=self._silence_ns_max)

    def _judge(self, findings: tuple[Finding, ...]) -> tuple[Says, ...]:
        """Halt for what is grave and new, and for what still stands when a person has resumed."""
        own = self.state
        before = {_key(finding) for finding in own.findings}
        grave = [each for each in findings if each.weight is Weight.GRAVE]
        news = [each for each in grave if own.resumed or _key(each) not in before]
        changed = {_key(finding) for finding in findings} != before
        own.findings, own.resumed = findings, False
        said: tuple[Says, ...] = (HealthChanged(findings=findings),) if changed else ()
        if not news:
            return said
        return (*said, *_halt("; ".join(finding.words for finding in grave)[:WORDS_MAX]))

    def _note_ending(self, ended: ActorEnded, now: UnixNs) -> tuple[Says, ...]:
        if ended.ending in {Ending.STOPPED, Ending.REPLACED_BY_HAND}:
            return ()
        counts = self.state.abnormal_endings
        counts[ended.actor] = counts.get(ended.actor, 0) + 1
        text = f"{ended.actor} {ended.ending.replace('_', ' ')}: {ended.error}"
        return self._tell(Urgency.NORMAL, f"ended:{ended.actor}", text, now)

    def _unclaimed(self, message: MessageUnclaimed, now: UnixNs) -> tuple[Says, ...]:
        """An order or a control message that nobody took may leave a position unwatched."""
        text = f"{message.kind} {message.message_seq} is for {message.actor}, which is not there"
        if message.lane in {Lane.CONTROL.name.lower(), Lane.ORDERS.name.lower()}:
            return self._halt_and_tell(f"unclaimed:{message.actor}", text, now)
        return self._tell(Urgency.NORMAL, f"unclaimed:{message.actor}", text, now)

    def _halt_and_tell(self, topic: str, text: str, now: UnixNs) -> tuple[Says, ...]:
        """A halt while halted is none, and nobody would be told of what was its reason."""
        return (*_halt(text), *self._tell(Urgency.HIGH, topic, text, now))

    def _tell(self, urgency: Urgency, topic: str, text: str, now: UnixNs) -> tuple[Says, ...]:
        self._note(topic, text, now)
        return (NotifyPerson(urgency=urgency, topic=topic, text=text),)

    def _note(self, topic: str, words: str, now: UnixNs) -> None:
        before = self.state.erring.pop(topic, None)
        times = 1 if before is None else before.times + 1
        self.state.erring[topic] = Erring(words=words[:WORDS_MAX], at_ns=now, times=times)


def _key(finding: Finding) -> tuple[str, str]:
    return (finding.ailment, finding.of)


def _wanted(now: UnixNs) -> Seen:
    return Seen(at_ns=UnixNs(0), wanted_ns=now)


def _newer(seen: Seen, at_ns: UnixNs) -> Seen:
    return seen if at_ns <= seen.at_ns else msgspec.structs.replace(seen, at_ns=at_ns)


def _halt(reason: str) -> tuple[Says, ...]:
    return (Halt(reason=reason, by="watchdog"),)
