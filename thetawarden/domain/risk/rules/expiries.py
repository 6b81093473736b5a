"""R7: how much of the book ends on one date or within one stretch of days.

Shares are of what is filled and the candidate: what may yet fill makes a share larger, never
smaller. A candidate is one position, and ends when the first of its short options does.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, given, percent
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.risk.standing import first_expiry

BUCKETS: tuple[tuple[str, int, int], ...] = (
    ("0-3 days", 0, 3),
    ("4-7 days", 4, 7),
    ("8-14 days", 8, 14),
    ("15 days and more", 15, 10**6),
)

Ends = Callable[[dt.date], bool]


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return whether date and bucket have room, by count and by margin."""
    expiry = expiry_of(case.candidate)
    if expiry is None:
        return (Check(rule=RuleId.R7, name="expiry").passes("nothing in it expires"),)
    total = case.book.standing.positions + 1
    if total <= case.limits.expiry.exempt_positions_max:
        words = f"a book of {total} positions is too small to be concentrated"
        return (Check(rule=RuleId.R7, name="expiry").passes(words),)
    days = (expiry - case.day).days
    name, first, last = bucket_of(days)
    limits = case.limits.expiry

    def within(end: dt.date) -> bool:
        return first <= max((end - case.day).days, 0) <= last

    dated, bucketed = limits.per_date_max_fraction, limits.per_bucket_max_fraction
    return (
        _by_count(case, "date_by_count", f"on {expiry}", lambda end: end == expiry, dated),
        _by_margin(case, "date_by_margin", f"on {expiry}", lambda end: end == expiry, dated),
        _by_count(case, "bucket_by_count", f"within {name}", within, bucketed),
        _by_margin(case, "bucket_by_margin", f"within {name}", within, bucketed),
    )


def expiry_of(candidate: Candidate) -> dt.date | None:
    """Return when a candidate's risk first ends: the first short's expiry, else the first's."""
    return first_expiry([(leg.instrument, float(leg.ratio)) for leg in candidate.legs])


def bucket_of(days: int) -> tuple[str, int, int]:
    """Return the stretch of days that a number of calendar days to expiry falls into."""
    return next(one for one in BUCKETS if max(days, 0) <= one[2])


def _by_count(case: Case, name: str, where: str, ends: Ends, limit: float) -> RuleFinding:
    standing = case.book.standing
    there = sum(
        one.positions for end, one in standing.endings.items() if end is not None and ends(end)
    )
    waiting = sum(1 for end, _ in _waiting(case) if end is not None and ends(end))
    share = (there + waiting + 1) / (standing.positions + waiting + 1)
    words = f"{percent(share)} of positions would end {where}, at most {percent(limit)}"
    check = Check(rule=RuleId.R7, name=name)
    inputs = given(positions_there=float(there + waiting), positions=float(standing.positions))
    if share > limit + 1e-9:
        return check.refuses(words, inputs=inputs, limit=limit, used=share)
    return check.passes(words, inputs=inputs, limit=limit, used=share)


def _by_margin(case: Case, name: str, where: str, ends: Ends, limit: float) -> RuleFinding:
    """(there + k m) <= limit (all + k m), solved for k; margins as parts of all that is filled."""
    endings = case.book.standing.endings.items()
    there = math.fsum(one.margin_usd for end, one in endings if end is not None and ends(end))
    waiting = math.fsum(usd for end, usd in _waiting(case) if end is not None and ends(end))
    total = case.book.standing.margin_usd + waiting
    a_unit = case.margin_usd_per_unit
    usage = Usage(
        what=f"margin that ends {where}, beyond its share of the rest, is",
        used=(there + waiting - limit * total) / case.nlv_usd,
        per_unit=(1.0 - limit) * a_unit / case.nlv_usd,
        limit=0.0,
        show=percent,
    )
    inputs = given(margin_there_usd=there + waiting, margin_usd=total, share_max=limit)
    check = Check(rule=RuleId.R7, name=name)
    return check.caps(usage, wanted=case.candidate.units, inputs=inputs)


def _waiting(case: Case) -> list[tuple[dt.date | None, float]]:
    """Every entry that may yet fill."""
    return [
        (first_expiry([(leg.instrument, float(leg.ratio)) for leg in order.legs]), order.margin_usd)
        for order in case.book.pending
        if not order.reducing
    ]


RULE = Rule(
    id=RuleId.R7,
    does=("refuses or caps what would end together with too much else, by count and by margin"),
    reads=("expiries and margins of positions and pending entries",),
    limits="expiry",
    judge=judge,
)
