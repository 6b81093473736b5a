"""Hears a whole log and tells of every limit whether it was passed, by whom, by how much, how long.

What moves a number is measured at once, at that very message. An entry that passes a limit, makes a
passed one worse or is let in while anything is unknown is wrong. What market, account or exits do
to a limit alone is an episode: when it began, what was demanded by then, and when it was over.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter

import msgspec

from soak.own_entries import Entries
from soak.own_facts import Facts
from soak.own_order import OrderOfEvents
from soak.own_uses import OwnMeasure, Use
from thetawarden.domain.freshness import session_open_ns
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_clock
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.orders import OrderApproved
from thetawarden.messages.risk import RiskDemanded
from thetawarden.sim.disk import Entry

SMALLER = frozenset({DemandKind.REDUCE, DemandKind.CLOSE_NAKED, DemandKind.CLOSE_WEAKEST})
_SESSIONS = load_sessions(Exchange.NYSE)


class Episode(msgspec.Struct, kw_only=True):
    """One limit beyond itself, from the message that took it there until it was back."""

    name: str
    by: str
    began_ns: int
    before: float
    peak: float
    demanded_ns: int | None = None
    ended_ns: int | None = None
    open_s: float = 0.0
    speed: float = 1.0

    @property
    def words(self) -> str:
        """By how much, how long, why, and what was demanded."""
        began = new_york_clock(self.began_ns)
        lasted = "to the end" if self.ended_ns is None else _told(self.ended_ns - self.began_ns)
        demanded = "nothing demanded"
        if self.demanded_ns is not None:
            late = self.demanded_ns - self.began_ns
            demanded = "demanded before" if late < 0 else f"demanded after {late / 1e9:.0f} s"
        return (
            f"{began:%m-%d %H:%M} {self.name}: from {self.before:.0%} to {self.peak:.0%} of its"
            f" limit by {self.by}, for {lasted} ({self.open_s / 60.0:.0f} min of session,"
            f" {self.open_s / self.speed:.0f} s of the desk's own time),"
            f" {demanded}"
        )


class Outcome(msgspec.Struct, kw_only=True):
    """What a log came to."""

    messages: int = 0
    measured: int = 0
    entries: int = 0
    fullest: dict[str, float] = {}
    entered: dict[str, float] = {}
    unknown: Counter[str] = msgspec.field(default_factory=Counter)
    episodes: list[Episode] = []
    wrong: list[str] = []


class OwnWatch:
    """Hears the log of one world."""

    def __init__(self, limits: RiskLimits, *, speed: float = 1.0) -> None:
        self.facts = Facts()
        self.entries = Entries(limits)
        self.order = OrderOfEvents(limits, self.facts, self.entries, speed=speed)
        self.outcome = Outcome()
        self._measure = OwnMeasure(limits)
        self._speed = speed
        self._before: dict[str, Use] = {}
        self._open: dict[str, Episode] = {}
        self._demands: tuple[Demand, ...] = ()
        self._demanded_ns: int | None = None
        self._last_ns = 0

    def __call__(self, entry: Entry) -> None:
        """Take in one entry of the log."""
        if isinstance(entry, Envelope):
            self.hear(entry.body, entry.at_ns)

    def hear(self, body: Message, at_ns: UnixNs) -> None:
        """Take in a message, and measure everything when it has moved anything."""
        self.outcome.messages += 1
        if isinstance(body, RiskDemanded):
            self._demand(body, at_ns)
        moved = self.facts.hear(body, at_ns)
        if moved == "account":
            self.entries.follow(self.facts)
        self.order.hear(body, at_ns)
        if not moved:
            return
        self.outcome.wrong += self.facts.differs
        self.facts.differs.clear()
        self._compare(moved, at_ns)
        if isinstance(body, OrderApproved) and not body.approval.reducing:
            self.outcome.entries += 1
            self.outcome.wrong += self.entries.wrong(self.facts, body.approval.key)
        self._last_ns = at_ns

    def finish(self) -> Outcome:
        """Return what was found, what is still open included."""
        self.outcome.wrong += (*self.order.wrong, *self.order.steps.wrong)
        self.outcome.episodes += self._open.values()
        self._open = {}
        return self.outcome

    def _demand(self, body: RiskDemanded, at_ns: UnixNs) -> None:
        before = any(one.kind in SMALLER for one in self._demands)
        self._demands = body.demands
        now = any(one.kind in SMALLER for one in body.demands)
        if not now:
            self._demanded_ns = None
        elif not before:
            self._demanded_ns = at_ns
            for one in self._open.values():
                one.demanded_ns = one.demanded_ns or at_ns

    def _compare(self, moved: str, at_ns: UnixNs) -> None:
        uses = {one.key: one for one in self._measure.uses(self.facts)}
        self.outcome.measured += bool(uses)
        for name, use in uses.items():
            if math.isnan(use.used):
                self.outcome.unknown[name] += 1
                if moved == "entry":
                    self.outcome.wrong.append(f"an entry was let in while {name} was unknown")
                continue
            self._weigh(name, use, moved, at_ns)
        for name in [one for one in self._open if one not in uses]:
            self._close(name, at_ns)
        self._before = uses

    def _weigh(self, name: str, use: Use, moved: str, at_ns: UnixNs) -> None:
        outcome, before = self.outcome, self._before.get(name)
        part = use.used / use.limit if use.limit > 0.0 else (math.inf if use.used > 0.0 else 0.0)
        outcome.fullest[name] = max(outcome.fullest.get(name, 0.0), part)
        was = 0.0 if before is None or math.isnan(before.used) else before.used
        if moved == "entry" and use.used > was + 1e-9:
            outcome.entered[name] = max(outcome.entered.get(name, 0.0), part)
            if use.is_over:
                told = f"{use.used:.4f} of {use.limit:.4f}"
                outcome.wrong.append(f"an entry let {name} come to {told}")
        standing = self._open.get(name)
        if standing is not None and session_open_ns(at_ns, _SESSIONS) is not None:
            standing.open_s += (at_ns - self._last_ns) / NS_PER_SECOND
        if not use.is_over:
            self._close(name, at_ns)
            return
        if standing is None:
            began = was / use.limit if use.limit > 0.0 else 0.0
            standing = Episode(name=name, by=moved, began_ns=at_ns, before=began, peak=part)
            standing.demanded_ns, standing.speed = self._demanded_ns, self._speed
            self._open[name] = standing
        standing.peak = max(standing.peak, part)

    def _close(self, name: str, at_ns: UnixNs) -> None:
        ended = self._open.pop(name, None)
        if ended is not None:
            ended.ended_ns = at_ns
            self.outcome.episodes.append(ended)


def _told(ns: int) -> str:
    """A time as people read it."""
    return str(dt.timedelta(seconds=round(ns / NS_PER_SECOND)))
