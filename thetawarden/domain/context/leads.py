"""Measures how index futures move before the shares that follow them, and if that says anything.

Pure. Prices are sampled on a fixed grid; a change is taken between samples that exist, so that a
break in trading is a hole, never a zero. Per day only sums are kept: they are enough to fit a slope
on all earlier days and to score it on the day itself, out of sample. Fractions: 0.01 is a percent.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left
from collections.abc import Mapping
from operator import attrgetter

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, UnixNs

GRID_NS = 5 * NS_PER_MINUTE
KEPT_NS = 30 * NS_PER_HOUR
DAYS_KEPT = 60
DAYS_NEEDED = 10
_slot_of = attrgetter("slot")
PAIRS: Mapping[str, str] = {"ES": "SPY", "NQ": "QQQ", "RTY": "IWM"}


class Sample(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A price on the grid; `slot` counts grid steps since 1970."""

    slot: int
    price: float


class DaySums(msgspec.Struct, frozen=True, kw_only=True):
    """One day's pairs of the future's change and the follower's change one step later."""

    day: dt.date
    pairs: int = 0
    lead: float = 0.0
    follow: float = 0.0
    lead_squared: float = 0.0
    follow_squared: float = 0.0
    product: float = 0.0


class LeadMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one pair."""

    future: tuple[Sample, ...] = ()
    follower: tuple[Sample, ...] = ()
    days: tuple[DaySums, ...] = ()


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The future's price now and against earlier instants; None where nothing was traded."""

    price: float | None
    hour_fraction: float | None
    four_hours_fraction: float | None
    overnight_fraction: float | None
    day_fraction: float | None


class LeadStrength(msgspec.Struct, frozen=True, kw_only=True):
    """How the follower's next step goes with the future's last, and how much of it was foreseen.

    `foreseen_fraction` is the part of the follower's variance that a slope fitted on earlier days
    explained out of sample; at or below zero the future says nothing. None before `days` suffice.
    """

    days: int
    correlation: float | None
    foreseen_fraction: float | None


def remembered(
    memory: LeadMemory,
    *,
    future: float | None,
    follower: float | None,
    now_ns: int,
    day: dt.date,
) -> LeadMemory:
    """Return the memory with the prices of this instant; only the first on each slot counts."""
    slot = now_ns // GRID_NS
    longer = LeadMemory(
        future=_with(memory.future, slot, future),
        follower=_with(memory.follower, slot, follower),
        days=memory.days,
    )
    if longer.follower == memory.follower:
        return longer
    lead = _change(longer.future, slot - 2, slot - 1)
    follow = _change(longer.follower, slot - 1, slot)
    if lead is None or follow is None:
        return longer
    return msgspec.structs.replace(longer, days=_counted(longer.days, day, lead, follow))


def changes_of(
    memory: LeadMemory, *, now_ns: int, last_close_ns: int, close_before_ns: int
) -> Changes:
    """Return the future's changes; overnight is since the last close, daily since the one before.

    During a session both closes are the same one, and after it they differ by a day.
    """
    slot = now_ns // GRID_NS
    price = _at(memory.future, slot) or _at(memory.future, slot - 1)

    def since(instant_ns: int) -> float | None:
        before = _at(memory.future, instant_ns // GRID_NS)
        change = math.nan if before is None or price is None else price / before - 1.0
        return change if math.isfinite(change) else None

    return Changes(
        price=price,
        hour_fraction=since(now_ns - NS_PER_HOUR),
        four_hours_fraction=since(now_ns - 4 * NS_PER_HOUR),
        overnight_fraction=since(last_close_ns),
        day_fraction=since(close_before_ns),
    )


def strength_of(memory: LeadMemory) -> LeadStrength:
    """Return how much the future leads, once there are enough days to say so."""
    days = memory.days
    if len(days) < DAYS_NEEDED:
        return LeadStrength(days=len(days), correlation=None, foreseen_fraction=None)
    return LeadStrength(
        days=len(days),
        correlation=_correlation(_total(days)),
        foreseen_fraction=_foreseen(days),
    )


def instant_of(sample: Sample) -> UnixNs:
    """Return the instant a sample's slot begins."""
    return UnixNs(sample.slot * GRID_NS)


def _with(samples: tuple[Sample, ...], slot: int, price: float | None) -> tuple[Sample, ...]:
    if price is None or not (math.isfinite(price) and price > 0.0):
        return samples
    if samples and samples[-1].slot >= slot:
        return samples
    first = slot - KEPT_NS // GRID_NS
    return (*samples[_place(samples, first) :], Sample(slot=slot, price=price))


def _at(samples: tuple[Sample, ...], slot: int) -> float | None:
    place = _place(samples, slot)
    known = place < len(samples) and samples[place].slot == slot
    return samples[place].price if known else None


def _place(samples: tuple[Sample, ...], slot: int) -> int:
    """Where a slot is, or would be: samples rise."""
    return bisect_left(samples, slot, key=_slot_of)


def _change(samples: tuple[Sample, ...], first: int, last: int) -> float | None:
    before, after = _at(samples, first), _at(samples, last)
    if before is None or after is None:
        return None
    ratio = after / before
    return math.log(ratio) if 0.0 < ratio < math.inf else None  # no market moves so far


def _counted(
    days: tuple[DaySums, ...], day: dt.date, lead: float, follow: float
) -> tuple[DaySums, ...]:
    earlier = days[:-1] if days and days[-1].day == day else days
    sums = days[-1] if days and days[-1].day == day else DaySums(day=day)
    sums = DaySums(
        day=day,
        pairs=sums.pairs + 1,
        lead=sums.lead + lead,
        follow=sums.follow + follow,
        lead_squared=sums.lead_squared + lead * lead,
        follow_squared=sums.follow_squared + follow * follow,
        product=sums.product + lead * follow,
    )
    return (*earlier, sums)[-DAYS_KEPT:]


def _total(days: tuple[DaySums, ...]) -> DaySums:
    names = ("pairs", "lead", "follow", "lead_squared", "follow_squared", "product")
    return DaySums(
        day=days[-1].day, **{name: sum(getattr(each, name) for each in days) for name in names}
    )


def _correlation(sums: DaySums) -> float | None:
    n = sums.pairs
    lead = sums.lead_squared - sums.lead**2 / n
    follow = sums.follow_squared - sums.follow**2 / n
    if lead <= 0.0 or follow <= 0.0:
        return None
    product = sums.product - sums.lead * sums.follow / n
    return max(-1.0, min(1.0, product / math.sqrt(lead * follow)))


def _foreseen(days: tuple[DaySums, ...]) -> float | None:
    """One minus the squared error over the squared changes, each day by the slope before it."""
    error = changed = 0.0
    for row in range(DAYS_NEEDED // 2, len(days)):
        before, today = _total(days[:row]), days[row]
        slope = before.product / before.lead_squared if before.lead_squared > 0.0 else 0.0
        error += today.follow_squared - 2.0 * slope * today.product + slope**2 * today.lead_squared
        changed += today.follow_squared
    return 1.0 - error / changed if changed > 0.0 else None
