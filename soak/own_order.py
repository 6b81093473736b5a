"""Whether brakes, halts, the way back and the rule against naked orders act in their order.

The order is the one of `docs/risk-governor.md`; levels, phases and nakedness are worked out from
facts of the log, and compared with what the governor says and lets through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from soak.own_entries import Entries
from soak.own_facts import Facts, is_option
from soak.own_steps import Happened, Steps
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.demands import DemandKind
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.messages.base import Message
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.orders import OrderApproved, SubmitOrder
from thetawarden.messages.risk import ReviewDrawdown, RiskDemanded, RiskTaken
from thetawarden.messages.trading import Resume, TradingHalted, TradingResumed

HALT_WITHIN_S = 1.0
"""In this time of the machine's a brake at its limit has halted."""
SEEN_WITHIN_S = 6.0
"""A look of the governor's and a little: what it judges by is no older."""
CRISIS_POINTS, DEEP_POINTS = 40.0, 5.0
URGENCY = (
    DemandKind.HALT_FOR_REVIEW,
    DemandKind.HALT,
    DemandKind.BE_CAUTIOUS,
    DemandKind.CLOSE_NAKED,
    DemandKind.CANCEL_ENTRIES,
    DemandKind.REDUCE,
    DemandKind.CLOSE_WEAKEST,
    DemandKind.TELL,
)


class OrderOfEvents:
    """Hears what the governor says, beside the facts."""

    def __init__(self, limits: RiskLimits, facts: Facts, entries: Entries, *, speed: float) -> None:
        self.happened: list[Happened] = []
        self.wrong: list[str] = []
        self.halted = False
        self.steps = Steps()
        self._halt_within_ns = round(HALT_WITHIN_S * speed * NS_PER_SECOND)
        self._seen_within_ns = round(SEEN_WITHIN_S * speed * NS_PER_SECOND)
        self._limits = limits
        self._facts = facts
        self._entries = entries
        self._levels: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._due: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._asked_by = ""
        self._vix_below: dict[float, int] = {}

    def hear(self, body: Message, at_ns: UnixNs) -> None:
        """Take in a message, after the facts have."""
        self._look(at_ns)
        match body:
            case RiskTaken():
                self._taken(body, at_ns)
            case RiskDemanded(demands=demands):
                self._demanded([one.kind for one in demands], at_ns)
            case TradingHalted(halt=halt):
                self._note("trading", f"halted by {halt.by}: {halt.reason}", at_ns)
                self._due.clear()
                self.halted = True
                self.steps.halted(halt, at_ns)
            case ReviewDrawdown(by=by):
                self.steps.reviewed(by, at_ns)
            case Resume(by=by):
                self._asked_by = by
            case TradingResumed(by=by):
                if by != self._asked_by:
                    self._is_wrong(f"resumed by {by}, whom nobody asked", at_ns)
                self._note("trading", f"resumed by {by}", at_ns)
                self.halted = False
                self.steps.resumed(by, at_ns)
            case OrderApproved(proposal=proposal, approval=approval):
                if not approval.reducing:
                    self._entry(proposal, at_ns)
            case SubmitOrder(intent=intent):
                if self.halted and not intent.reducing:
                    self._is_wrong(f"{intent.order_ref} adds risk while halted", at_ns)
            case RegimeAssessed(regime=regime):
                terms = regime.vix.terms
                band = "unknown" if terms is None else terms.band.value
                self._note("VIX band", f"{band}, entries {regime.entries.value}", at_ns)
            case _:
                pass

    def levels(self) -> dict[str, str]:
        """Where every brake stands by our own losses."""
        equity, brakes = self._facts.equity, self._limits.brakes
        account = self._facts.account
        if equity is None or account is None:
            return {}
        limit_of = {
            "day_loss": brakes.day_loss_fraction,
            "week_loss": brakes.week_loss_fraction,
            "month_loss": brakes.month_loss_fraction,
            "drawdown": brakes.drawdown_fraction,
        }
        lost = equity.lost()
        found = {}
        for name, limit in limit_of.items():
            used = lost[name] / limit
            found[name] = "off"
            for level, part in (
                ("warn", brakes.warn_from_fraction),
                ("slow", brakes.slow_from_fraction),
                ("stop", 1.0),
            ):
                found[name] = level if used >= part - 1e-9 else found[name]
        return found

    def _look(self, at_ns: UnixNs) -> None:
        """Where a brake has newly come to its limit a halt is due at once."""
        before, self._levels = self._levels, self.levels()
        self.steps.levels(self._levels, at_ns)
        for name, level in self._levels.items():
            if level != "stop":
                self._stopped.discard(name)
                self._due.pop(name, None)
            elif before.get(name) != "stop" and name not in self._stopped:
                self._stopped.add(name)
                if not self.halted:
                    self._due[name] = at_ns
        for name, since in list(self._due.items()):
            if at_ns - since > self._halt_within_ns:
                self._is_wrong(f"{name} at its limit has not halted", at_ns)
                del self._due[name]
        vix = self._facts.vix
        if vix is not None:
            for points in (self._limits.defined_risk.vix_max_points, CRISIS_POINTS):
                if vix.value <= points:
                    self._vix_below[points] = at_ns

    def _taken(self, body: RiskTaken, at_ns: UnixNs) -> None:
        for brake in body.brakes:
            name, level = brake.name.value, brake.level.value
            own = self._levels.get(name)
            if own is not None and level not in {own, "unknown"}:
                self._is_wrong(f"brake {name} is told to be {level}, by our own loss {own}", at_ns)
            if level != "unknown":
                used = f"{brake.used_fraction:.0%} of its limit"
                self._note(f"brake {name}", level, at_ns, more=used)
        phase = self._entries.way_back.phase
        if body.recovery.value != phase:
            self._is_wrong(f"recovery is told to be {body.recovery}, by our own {phase}", at_ns)
        self._note("way back", body.recovery.value, at_ns)
        self.steps.phase(body.recovery.value, at_ns)

    def _demanded(self, kinds: Sequence[DemandKind], at_ns: UnixNs) -> None:
        ranks = [URGENCY.index(one) for one in kinds]
        if ranks != sorted(ranks):
            self._is_wrong(f"demands in another order than by urgency: {kinds}", at_ns)
        told = ", ".join(sorted({one.value for one in kinds})) or "nothing any more"
        self._note("demanded", told, at_ns)

    def _entry(self, proposal: Proposal, at_ns: UnixNs) -> None:
        """Nothing while halted or while a halt is due; nothing naked where only bounds may be."""
        self.steps.entered(proposal.key, at_ns)
        if self.halted or self._due:
            self._is_wrong(f"{proposal.key} was let in while halted", at_ns)
        strict = self._limits.defined_risk.vix_max_points
        if at_ns - self._vix_below.get(CRISIS_POINTS, 0) > self._seen_within_ns:
            self._is_wrong(f"{proposal.key} was let in with the VIX above 40", at_ns)
        if at_ns - self._vix_below.get(strict, 0) > self._seen_within_ns and is_naked(proposal):
            self._is_wrong(f"{proposal.key} is naked with the VIX above {strict:.0f}", at_ns)
        if self._entries.way_back.phase == "pause":
            self._is_wrong(f"{proposal.key} was let in in the pause after a drawdown", at_ns)

    def _note(self, name: str, what: str, at_ns: UnixNs, *, more: str = "") -> None:
        if self._told.get(name) == what:
            return
        first = name not in self._told
        self._told[name] = what
        if not (first and what in {"off", "none"}):
            self.happened.append(Happened(at_ns, f"{name}: {what} {more}".rstrip()))

    def _is_wrong(self, what: str, at_ns: UnixNs) -> None:
        self.wrong.append(Happened(at_ns, what).words)


def is_naked(proposal: Proposal) -> bool:
    """Whether a short of it has no long of its kind, alive as long, that bounds it."""
    for right in (Right.PUT, Right.CALL):
        legs = [
            (one.instrument.expiry or dt.date.max, one.ratio)
            for one in proposal.legs
            if is_option(one.instrument) and one.instrument.right is right
        ]
        ends = sorted({end for end, _ in legs}, reverse=True)
        if any(sum(n for end, n in legs if end >= last) < 0 for last in ends):
            return True
    return False
