"""What an entry may not do, by facts of the log: the limits of R2 to R10 that bind a single order.

Losses (R5), the way back (R8) and likeness (R9) bind sizes: what was let in is held against what
was asked for times our own factors, rounded down.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from soak.own_facts import Facts, is_option
from soak.own_orders import Live, Lots
from soak.own_uses import positions_max
from thetawarden.domain.risk.limits import RiskLimits

BUCKETS = ((0, 3), (4, 7), (8, 14), (15, 10**6))
ALIKE, ONE_BET, ALIKE_SIZE = 0.50, 0.70, 0.80


class WayBack(msgspec.Struct, kw_only=True):
    """R8 by our own calendar: since when, from where to where."""

    began: dt.date | None = None
    phase: str = "none"
    peak_usd: float = 0.0
    trough_usd: float = 0.0
    entered_usd: float = 0.0

    def begin(self, day: dt.date, *, peak_usd: float, nlv_usd: float) -> None:
        """A halt by drawdown: two weeks without entries."""
        self.began, self.phase = day, "pause"
        self.peak_usd = max(self.peak_usd, peak_usd)
        self.trough_usd = self.entered_usd = nlv_usd

    def take(self, day: dt.date, nlv_usd: float, limits: RiskLimits) -> None:
        """A figure: the next phase where both weeks and results allow it."""
        if self.began is None:
            return
        self.trough_usd = min(self.trough_usd, nlv_usd)
        weeks, terms = (day - self.began).days // 7, limits.recovery
        won = self.trough_usd + terms.recovered_fraction * (self.peak_usd - self.trough_usd)
        if self.phase == "pause" and weeks >= terms.pause_weeks:
            self.phase, self.entered_usd = "half", nlv_usd
        elif self.phase == "half" and weeks >= terms.half_until_weeks:
            if nlv_usd > self.entered_usd:
                self.phase, self.entered_usd = "most", nlv_usd
        elif self.phase == "most" and weeks >= terms.most_until_weeks and nlv_usd >= won:
            self.began, self.phase, self.peak_usd = None, "none", 0.0

    def factor(self, limits: RiskLimits) -> float:
        """Part of the size that the phase allows."""
        terms = limits.recovery
        sizes = {"pause": 0.0, "half": terms.half_size_fraction, "most": terms.most_size_fraction}
        return sizes.get(self.phase, 1.0)


class Entries:
    """Judges every entry that was let in."""

    def __init__(self, limits: RiskLimits) -> None:
        self.way_back = WayBack()
        self._limits = limits
        self._deep = False
        self._lately: list[tuple[int, tuple[tuple[int, int], ...]]] = []

    def follow(self, facts: Facts) -> None:
        """Take in the account's worth, and begin the way back where a drawdown is at its limit."""
        equity, limits = facts.equity, self._limits
        if equity is None:
            return
        limit, before = limits.brakes.drawdown_fraction, self._deep
        self._deep = equity.lost()["drawdown"] >= limit - 1e-9
        if self._deep and not before:  # one drawdown halts once
            peak, now = equity.peak_usd, equity.now_usd
            self.way_back.begin(facts.day, peak_usd=peak, nlv_usd=now)
        self.way_back.take(facts.day, equity.now_usd, limits)

    def wrong(self, facts: Facts, key: str) -> tuple[str, ...]:
        """Return what is wrong with the entry that was let in just now."""
        live = facts.orders.approved[key]
        found = (
            *self._losses(facts),
            *self._size(facts, live),
            *self._margin(facts, live),
            *self._endings(facts, live),
            *self._order(facts, live),
            *self._count(facts),
        )
        return tuple(f"{key} ({live.proposal.trade}): {words}" for words in found)

    def _losses(self, facts: Facts) -> list[str]:
        """R5: from three quarters of a day's loss on nothing, from all of any other."""
        brakes, equity = self._limits.brakes, facts.equity
        if equity is None:
            return ["R5: nobody knows what is lost"]
        allowed = {
            "day_loss": brakes.slow_from_fraction * brakes.day_loss_fraction,
            "week_loss": brakes.week_loss_fraction,
            "month_loss": brakes.month_loss_fraction,
            "drawdown": brakes.drawdown_fraction,
        }
        lost = equity.lost()
        return [
            f"R5: let in at a {name} of {lost[name]:.2%}, allowed below {limit:.2%}"
            for name, limit in allowed.items()
            if lost[name] >= limit - 1e-9
        ]

    def factors(self, facts: Facts) -> dict[str, float]:
        """What the size is to be multiplied with, by rule."""
        equity, brakes = facts.equity, self._limits.brakes
        if equity is None:
            return {"R5": 0.0}
        lost = equity.lost()
        limit_of = {
            "week_loss": brakes.week_loss_fraction,
            "month_loss": brakes.month_loss_fraction,
            "drawdown": brakes.drawdown_fraction,
        }
        slow = sum(
            lost[name] >= brakes.slow_from_fraction * limit - 1e-9
            for name, limit in limit_of.items()
        )
        least = self._limits.recovery.drawdown_factor_min_fraction
        depth = 1.0 - lost["from_high"] / brakes.drawdown_fraction
        likeness = 0.0 if facts.likeness is None else facts.likeness.value
        names = {facts.orders.known[conid].symbol for conid in facts.orders.counts()}
        alike = len(names) > 1 and likeness > ALIKE
        return {
            "R5": brakes.slow_size_fraction**slow,
            "R8": self.way_back.factor(self._limits) * min(1.0, max(least, depth)),
            "R9": (0.0 if likeness > ONE_BET else ALIKE_SIZE) if alike else 1.0,
        }

    def _size(self, facts: Facts, live: Live) -> list[str]:
        """R5, R8 and R9 together: what was asked for times every factor, rounded down."""
        factors = self.factors(facts)
        allowed = math.floor(live.proposal.units * math.prod(factors.values()) + 1e-9)
        if live.units <= allowed:
            return []
        told = ", ".join(f"{rule} {factor:.2f}" for rule, factor in factors.items())
        return [
            f"R5 R8 R9: {live.units} of {live.proposal.units} let in, {allowed} allowed by {told}"
        ]

    def _margin(self, facts: Facts, live: Live) -> list[str]:
        """R3: by the broker's answer; without one nothing."""
        account, limit = facts.account, self._limits.margin.per_trade_max_fraction
        if account is None or not math.isfinite(live.margin_usd):
            return ["R3: the broker never said what margin it needs"]
        part = live.units * live.margin_usd / account.nlv_usd
        return [f"R3: its margin is {part:.2%}, at most {limit:.2%}"] if part > limit + 1e-9 else []

    def _endings(self, facts: Facts, live: Live) -> list[str]:
        """R7: by date and by stretch of days, by count and by margin."""
        limits, mine = self._limits.expiry, first_end(facts, _unit(live))
        trades, orders = facts.orders.held(), facts.orders
        if mine is None or len(trades) + 1 <= limits.exempt_positions_max:
            return []
        ends = [
            (first_end(facts, lots), orders.trades[name].margin_usd)
            for name, lots in trades.items()
            if name in orders.trades
        ]
        waits = [
            (first_end(facts, _unit(one)), one.units_left * one.margin_usd)
            for one in facts.live()
            if not one.reducing
        ]
        first, last = next(one for one in BUCKETS if max((mine - facts.day).days, 0) <= one[1])

        def near(end: dt.date) -> bool:
            return first <= max((end - facts.day).days, 0) <= last

        found = []
        for where, most, inside in (
            (f"on {mine}", limits.per_date_max_fraction, lambda end: end == mine),
            (f"within {first} to {last} days", limits.per_bucket_max_fraction, near),
        ):
            there = [one for one in ends if one[0] is not None and inside(one[0])]
            come = [one for one in waits if one[0] is not None and inside(one[0])]
            count = (len(there) + len(come)) / (len(ends) + len(come))
            usd = math.fsum(one[1] for one in (*there, *come))
            total = math.fsum(one[1] for one in (*ends, *come))
            for what, share in (("positions", count), ("margin", usd / total if total else 0.0)):
                if share > most + 1e-6:
                    found.append(f"R7: {share:.2%} of {what} end {where}, at most {most:.2%}")
        return found

    def _count(self, facts: Facts) -> list[str]:
        """R8 and R10: positions, of which the way back allows a part."""
        normal, phase = self._limits.concentration.positions_max, self.way_back.factor(self._limits)
        most = positions_max(facts, normal, phase=phase)
        there = len(facts.orders.held()) + sum(1 for one in facts.live() if not one.reducing)
        return [f"R8 R10: {there} positions, {most} allowed"] if there > most else []

    def _order(self, facts: Facts, live: Live) -> list[str]:
        """R10: contracts of one order, and the same entry again too soon."""
        limits = self._limits.concentration
        most = max(abs(leg.ratio) for leg in live.proposal.legs if is_option(leg.instrument))
        found = []
        if live.units * most > limits.order_contracts_max:
            found.append(
                f"R10: {live.units * most} contracts, at most {limits.order_contracts_max}"
            )
        legs = tuple(sorted((leg.instrument.conid, leg.ratio) for leg in live.proposal.legs))
        since = facts.now_ns - limits.same_entry_ns
        self._lately = [one for one in self._lately if one[0] > since]
        if any(one[1] == legs for one in self._lately):
            found.append("R10: the same was let in a moment ago")
        self._lately.append((facts.now_ns, legs))
        return found


def first_end(facts: Facts, lots: Lots) -> dt.date | None:
    """When the first of the shorts ends; of no shorts, the first of all; never, of shares."""
    known = [(facts.orders.known[conid], n) for conid, n in lots.items()]
    ends = [(one.expiry, n < 0.0) for one, n in known if one.expiry is not None]
    return min([end for end, short in ends if short] or [end for end, _ in ends], default=None)


def _unit(live: Live) -> Lots:
    return {leg.instrument.conid: float(leg.ratio) for leg in live.proposal.legs}
