"""R14: whether the book that the decision rests on is the account as it is now."""

from __future__ import annotations

from thetawarden.domain.risk.case import Case, age_fault
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, given
from thetawarden.domain.risk.rule import Rule

_AGE = Check(rule=RuleId.R14, name="book_age")
_AGREED = Check(rule=RuleId.R14, name="reconciled")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return whether the book is fresh and agrees with the broker's."""
    held, limit = case.book.held, case.limits.book.age_ns_max
    seconds, most = (case.now_ns - held.at_ns) / 1e9, limit / 1e9
    words = f"the book is {seconds:.0f} s old, at most {most:.0f} s"
    inputs = given(book=held.version, pending_orders=float(len(case.book.pending)))
    fault = age_fault(held.at_ns, now_ns=case.now_ns, age_ns_max=limit)
    age = (
        _AGE.passes(words, inputs=inputs, limit=most, used=seconds)
        if fault is None
        else _AGE.cannot_see("book", fault, words)
    )
    agreed = (
        _AGREED.passes("the book agrees with the broker's", inputs=inputs)
        if held.reconciled
        else _AGREED.refuses("the book is not reconciled with the broker's", inputs=inputs)
    )
    return (age, agreed)


RULE = Rule(
    id=RuleId.R14,
    does="refuses on a book that is old or not reconciled",
    reads=("age of the book", "agreement with the broker"),
    limits="book",
    judge=judge,
)
