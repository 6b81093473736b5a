"""I11: what is too old is noticed, and halts trading in time.

How old a price is, is told by what came over the link of its underlying, of the VIX and of options
that are held, not by what a watcher made of it. Each time the watchdog looked, whatever is older
than it may be must have halted trading, at the latest `HALTED_NS` later. An age counts from the
bell, from when the price was first wanted, and from when this watchdog began or could look again;
nothing is demanded of a process that had no link yet.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from thetawarden.config.watch import freshness_limits
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.freshness import session_open_ns
from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin, ChildrenChanged, DeskStarted
from thetawarden.messages.lines import RedirectLine
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import ContextObserved, SubscribeLine
from thetawarden.messages.operations import VitalsTaken
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words

WATCHDOG, CHAIN, VIX = "watchdog", "chain", "VIX"
HALTED_NS = 5 * NS_PER_SECOND
"""Of the machine: in which a halt that was asked for is made, whoever is restarted meanwhile."""
SET_FOR = 4
"""So many limits after somebody set the clock, instants of before and after cannot be compared."""
UP = (LinkState.SYNCING, LinkState.READY)
SESSIONS = load_sessions(Exchange.NYSE)


class _Price(msgspec.Struct, frozen=True, kw_only=True):
    """One price in use: how it is called, when it was told last, since when it is wanted."""

    words: str
    told_ns: int
    wanted_ns: int
    is_held: bool


class _Wanted:
    """Which prices are in use, and over which line each of them comes."""

    def __init__(self) -> None:
        self._since_ns: dict[str, int] = {}
        self._held: dict[int, str] = {}
        self._held_ns: dict[int, int] = {}
        self._lines: dict[str, int] = {}
        self._single: set[int] = set()
        self._context_ns: dict[int, int] = {}

    def note(self, body: Message, now_ns: int) -> None:
        """Take in what is wanted, held, or told of the market as a whole."""
        match body:
            case ContextObserved(quotes=quotes):
                self._context_ns.update((one.conid, one.at_ns) for one in quotes)
            case SubscribeLine(instrument=instrument, listeners=listeners):
                if instrument.kind is not InstrumentKind.OPTION:
                    self._single.add(instrument.conid)
                    names = (VIX,) if instrument.symbol == VIX else listeners
                    self._lines.update(dict.fromkeys(names, instrument.conid))
            case RedirectLine(conid=conid, listeners=listeners) if conid in self._single:
                self._lines.update(dict.fromkeys(listeners, conid))
            case ChildrenChanged(role=role, keys=keys) if role == CHAIN:
                wanted = (*keys, *((VIX,) if VIX in self._since_ns else ()))
                self._since_ns = {key: self._since_ns.get(key, now_ns) for key in wanted}
            case ContextTaken():
                self._since_ns.setdefault(VIX, now_ns)
            case PositionsValued(positions=rows):
                self._held = {
                    one.instrument.conid: one.instrument.symbol
                    for one in rows
                    if one.quantity and one.instrument.kind is InstrumentKind.OPTION
                }
                self._held_ns = {one: self._held_ns.get(one, now_ns) for one in self._held}
            case _:
                pass

    def prices(self, scene: Scene) -> Iterator[_Price]:
        """Every price in use, as it was told over the link."""
        held = set(self._held.values())
        for name, wanted_ns in self._since_ns.items():
            conid = self._lines.get(name, 0)
            told_ns = self._context_ns.get(conid, 0) if name == VIX else _quoted_ns(conid, scene)
            yield _Price(
                words=f"the last price of {name}",
                told_ns=told_ns,
                wanted_ns=wanted_ns,
                is_held=name in held,
            )
        for conid, held_ns in self._held_ns.items():
            if self._held[conid] in self._since_ns:
                yield _Price(
                    words=f"the last quote of {conid}, which is held,",
                    told_ns=_quoted_ns(conid, scene),
                    wanted_ns=held_ns,
                    is_held=True,
                )


class _Stale:
    def __init__(self) -> None:
        self._wanted = _Wanted()
        self._limits: FreshnessLimits | None = None
        self._is_linked = False
        self._down_ns: int | None = None
        self._began_ns = self._looked_ns = 0
        self._since_ns: dict[str, int] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note what is in use and how the link does; look whenever the watchdog did."""
        if isinstance(entry, Envelope):
            self._note(entry.body, scene.world.clock.now_ns())
        elif isinstance(entry, Numbered) and entry.delivery.actor == WATCHDOG:
            yield from self._handled(entry.delivery, scene)

    def _note(self, body: Message, now_ns: int) -> None:
        match body:
            case LinkChanged(state=state) if state in UP:
                self._is_linked, self._down_ns = True, None
            case LinkChanged():
                self._down_ns = now_ns if self._down_ns is None else self._down_ns
            case DeskStarted():
                self._is_linked, self._down_ns = False, None
                self._since_ns.clear()
            case _:
                self._wanted.note(body, now_ns)

    def _handled(self, delivery: Delivery, scene: Scene) -> Words:
        body, now_ns, world = delivery.envelope.body, delivery.at_ns, scene.world
        if delivery.outcome is not Outcome.HANDLED:
            return
        if isinstance(body, Begin):
            self._began_ns, self._looked_ns = now_ns, 0
        if not isinstance(body, VitalsTaken):
            return
        limits = self._limits = self._limits or freshness_limits(
            world.settings.config.watch, speed=world.clock.speed
        )
        if 0 < self._looked_ns < now_ns - limits.leap_ns_max:
            self._began_ns = now_ns
        self._looked_ns = now_ns
        before, self._since_ns = self._since_ns, {}
        found = () if scene.halt is not None else tuple(self._too_old(now_ns, limits, scene))
        if not found or world.flag.read() is not None:
            return
        machine_ns = world.clock.monotonic_ns()
        for words, age_ns in found:
            since_ns = self._since_ns[words] = before.get(words, machine_ns)
            if machine_ns - since_ns > HALTED_NS:
                late_s = (machine_ns - since_ns) / NS_PER_SECOND
                old = f"{words} is {age_ns / NS_PER_SECOND:.0f} s old"
                yield f"{old}, and trading went on for {late_s:.0f} s since the watchdog could see"

    def _too_old(
        self, now_ns: int, limits: FreshnessLimits, scene: Scene
    ) -> Iterator[tuple[str, int]]:
        """What is older than it may be, and how old; nothing while no session is open."""
        opened_ns = session_open_ns(UnixNs(now_ns), SESSIONS)
        is_set = scene.world.clock.was_set_within(SET_FOR * limits.first_ns_max)
        if opened_ns is None or is_set or not self._is_linked:
            return
        floor_ns = max(opened_ns, self._began_ns)
        if self._down_ns is not None:
            age_ns = now_ns - max(self._down_ns, floor_ns)
            if age_ns > limits.link_down_ns_max:
                yield "the last link", age_ns
        for price in self._wanted.prices(scene):
            allowed_ns = limits.held_ns_max if price.is_held else limits.price_ns_max
            if not price.told_ns:
                allowed_ns = max(allowed_ns, limits.first_ns_max)
            age_ns = now_ns - max(price.told_ns, price.wanted_ns, floor_ns)
            if age_ns > allowed_ns:
                yield price.words, age_ns


def _quoted_ns(conid: int, scene: Scene) -> int:
    quoted = scene.quoted(conid)
    return 0 if quoted is None else quoted[0].at_ns


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I11",
        says="what is too old halts trading in time",
        hears=(
            *(ContextObserved, SubscribeLine, RedirectLine, ChildrenChanged, ContextTaken),
            *(PositionsValued, LinkChanged, DeskStarted, Numbered),
        ),
        entry=_Stale().entry,
    )
