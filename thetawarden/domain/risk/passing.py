"""Tells a refusal that a moment may change from one that stands: what was not seen, a price moved.

Whoever proposed asks again soon after the one kind, and lets go after the other.
"""

from __future__ import annotations

from thetawarden.domain.risk.finding import RuleFinding, Verdict
from thetawarden.domain.risk.review import Review

_OF_THE_BOOK = "over_held"
_OF_PRICES = frozenset({"price_collar", "wide_price_collar", "quotes", "undoing"})


def was_unseen(review: Review | None) -> bool:
    """Whether a review refused for nothing but what could not be seen at that moment."""
    against = _against(review)
    return bool(against) and all(one.faults for one in against)


def is_of_the_moment(review: Review | None) -> bool:
    """Whether it refused for nothing but that, or a quote that had moved since it was read."""
    against = _against(review)
    return bool(against) and all(one.faults or one.check in _OF_PRICES for one in against)


def is_half_seen(review: Review | None) -> bool:
    """Whether anything could not be seen: what else was found may be another once it can."""
    return any(one.faults for one in _against(review))


def is_of_a_lag(review: Review | None) -> bool:
    """Whether it refused only to close what its book does not hold: a fill may be on its way."""
    if review is None:
        return False
    against = [one for one in review.findings if one.stops and review.applies(one)]
    return bool(against) and all(one.check == _OF_THE_BOOK for one in against)


def _against(review: Review | None) -> list[RuleFinding]:
    findings = () if review is None else review.findings
    return [one for one in findings if one.verdict is Verdict.REFUSE]
