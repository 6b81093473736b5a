"""Judges a fetched book: what it adds to ours, what explains the rest, what stays unexplained.

Executions and costs are facts and folded in at once, also from a fetch that is not whole. What then
still differs has to be found a second time, unchanged, before it counts: a fetch may race with a
fill. Only then is it explained, and ours made to agree; what cannot be explained is reported each
time until a later book or a person explains it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, plain, same_cents, to_cents
from thetawarden.domain.books.book import (
    Book,
    cash_usd,
    holdings,
    opened_book,
    with_commission,
    with_execution,
)
from thetawarden.domain.books.cash import CashEvidence, commission_changes
from thetawarden.domain.books.change import Change, with_change
from thetawarden.domain.books.explain import Case, Explanation, explain
from thetawarden.domain.books.gaps import Gap, contract_words, find_gaps, gap_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.orders import Commission, Execution
from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, UnixNs, new_york_date

LAG_NS = 5 * NS_PER_MINUTE
"""The broker tells an account's values at least every three minutes."""
DAWN_NS = 6 * NS_PER_HOUR  # of New York: by then a broker has done the work of the night
_BEHIND = ("the broker's cash does not show the latest fills yet",)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch brought; `missing` names what did not come."""

    missing: tuple[str, ...] = ()
    executions: tuple[Execution, ...] = ()
    commissions: tuple[Commission, ...] = ()
    positions: tuple[BrokerPosition, ...] = ()
    values: AccountValues | None = None


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that was found once: what it was, and when."""

    finding: tuple[str, ...]
    since_ns: UnixNs


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What bears on the judgement besides the two books; `agreed` are the values at agreement.

    `heard_ns` says when each of the latest fills was first told to us.
    """

    confirm_ns: int
    heard_ns: Mapping[str, UnixNs] = {}
    agreed_ns: UnixNs = UnixNs(0)
    agreed: AccountValues | None = None
    spots_usd: Mapping[str, Decimal] = {}
    marks_usd: Mapping[int, Decimal] = {}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Our book as it is now, what changed it, and what still differs.

    `doubt` is a difference to be found again. Until it was, or while something of the fetch is
    missing, what is unexplained is not `confirmed`: it holds entries up and alarms nobody.
    """

    book: Book
    changes: tuple[Change, ...] = ()
    unexplained: tuple[str, ...] = ()
    doubt: Doubt | None = None
    confirmed: bool = True

    @property
    def agreed(self) -> bool:
        """Whether the two books are one."""
        return not self.unexplained

    @property
    def accepted(self) -> tuple[tuple[int, Decimal], ...]:
        """By how much a person's word has changed each holding, by contract."""
        return tuple(
            (one.instrument.conid, one.after - one.before)
            for one in self.changes
            if one.cause is Cause.ACCEPTED and one.instrument is not None
        )


def with_reports(book: Book, told: Told) -> Book:
    """Fold in every execution and cost of a fetch."""
    for execution in told.executions:
        book = with_execution(book, execution)
    for commission in told.commissions:
        book = with_commission(book, commission)
    return book


def open_on(
    told: Told, *, client_id: int, doubt: Doubt | None, now: UnixNs, knowledge: Knowledge
) -> Judgement:
    """Begin a book with what the broker holds, once that was seen twice or is nothing at all."""
    missing = _missing(told)
    values = told.values
    if missing or values is None or values.cash_usd is None:
        return Judgement(book=Book(client_id=client_id), unexplained=missing, confirmed=False)
    cash = {values.account: values.cash_usd}
    opened = opened_book(
        client_id=client_id,
        positions=told.positions,
        cash_usd=cash,
        executions=told.executions,
        at_ns=now,
    )
    finding = tuple(
        sorted(f"{one.instrument.conid}: {plain(one.quantity)}" for one in told.positions)
    )
    finding += tuple(sorted(one.execution_id for one in told.executions))
    if not finding:
        return Judgement(book=opened)
    again = _seen_again(finding, doubt, now=now, confirm_ns=knowledge.confirm_ns)
    if again is not None:
        words = ("the account is not empty: looking again before adopting what is in it",)
        return Judgement(
            book=Book(client_id=client_id), unexplained=words, doubt=again, confirmed=False
        )
    return Judgement(book=opened, changes=tuple(_adopted(one) for one in told.positions))


def judge(
    book: Book, told: Told, *, doubt: Doubt | None, now: UnixNs, knowledge: Knowledge
) -> Judgement:
    """Compare our book, the reports already folded in, with what the broker told."""
    missing = _missing(told)
    values = told.values
    if missing or values is None or values.cash_usd is None:
        return Judgement(book=book, unexplained=missing, doubt=doubt, confirmed=False)
    gaps = find_gaps(holdings(book), told.positions, account=values.account)
    rest = values.cash_usd - cash_usd(book, values.account)
    if not gaps:
        book, costs = _inferred(book, values.account, rest, now)
        rest -= sum((one.cash_usd for one in costs), ZERO)
        if same_cents(rest, ZERO):
            return Judgement(book=book, changes=costs)
        if _lags(book, values.account, rest, heard_ns=knowledge.heard_ns):
            return Judgement(book=book, unexplained=_BEHIND, confirmed=False)
    finding = (*(gap_words(gap) for gap in gaps), f"cash {to_cents(rest):+f}")
    again = _seen_again(finding, doubt, now=now, confirm_ns=knowledge.confirm_ns)
    if again is not None:
        words = tuple(f"{one} (looking again)" for one in finding if one != "cash +0.00")
        return Judgement(book=book, unexplained=words, doubt=again, confirmed=False)
    case = _case(book, values, now=now, knowledge=knowledge)
    found = explain(gaps, rest_usd=rest, case=case)
    return _written(book, found, doubt, account=values.account, now=now)


def accept(book: Book, told: Told, *, reason: str, now: UnixNs) -> Judgement:
    """Take the broker's word for everything, as a person asked; nothing when it is not whole."""
    missing = _missing(told)
    values = told.values
    if missing or values is None or values.cash_usd is None:
        return Judgement(book=book, unexplained=missing, confirmed=False)
    gaps = find_gaps(holdings(book), told.positions, account=values.account)
    changes = tuple(_accepted(gap, reason) for gap in gaps)
    rest = to_cents(values.cash_usd - cash_usd(book, values.account))
    if rest:
        cash = Change(cause=Cause.ACCEPTED, words=f"cash accepted: {reason}", cash_usd=rest)
        changes = (*changes, cash)
    explanation = Explanation(changes=changes)
    return _written(book, explanation, None, account=values.account, now=now)


def _missing(told: Told) -> tuple[str, ...]:
    """Everything that must be there before the books can be compared, and is not."""
    words = tuple(f"{name} did not come" for name in told.missing)
    if told.values is None or told.values.cash_usd is None:
        return words or ("the account's cash did not come",)
    return words if told.values.ready else (*words, "the account is still summed up")


def _seen_again(
    finding: tuple[str, ...], doubt: Doubt | None, *, now: UnixNs, confirm_ns: int
) -> Doubt | None:
    """None when the same was found long enough ago, else what has to be found again."""
    if doubt is None or doubt.finding != finding:
        return Doubt(finding=finding, since_ns=now)
    return doubt if now - doubt.since_ns < confirm_ns else None


def _lags(book: Book, account: str, rest: Decimal, *, heard_ns: Mapping[str, UnixNs]) -> bool:
    """Whether the cash is what it was before the latest fills: it may be minutes behind them."""
    recent = sorted(
        (
            one
            for one in book.fills.values()
            if one.execution.account == account and one.base in heard_ns
        ),
        key=lambda one: (heard_ns[one.base], one.execution.at_ns, one.base),
        reverse=True,
    )
    missing = ZERO
    for fill in recent:
        missing += fill.cash_usd
        if same_cents(rest, -missing):
            return True
    return False


def _inferred(
    book: Book, account: str, rest: Decimal, now: UnixNs
) -> tuple[Book, tuple[Change, ...]]:
    """Costs that were never told, read off the cash at once: they never hold anything up."""
    if same_cents(rest, ZERO):
        return book, ()
    costs = commission_changes(rest, book=book, account=account) or ()
    for one in costs:
        book = with_change(book, one, account=account, at_ns=now)
    return book, costs


def _case(book: Book, values: AccountValues, *, now: UnixNs, knowledge: Knowledge) -> Case:
    before = knowledge.agreed
    return Case(
        account=values.account,
        book=book,
        holdings=holdings(book),
        spots_usd=knowledge.spots_usd,
        evidence=CashEvidence(
            account=values.account,
            today=new_york_date(now),
            agreed_on=_seen_out(knowledge.agreed_ns) if knowledge.agreed_ns else None,
            cash_usd=values.cash_usd or ZERO,
            accrued_interest_usd=(
                None if before is None else before.accrued_interest_usd,
                values.accrued_interest_usd,
            ),
            accrued_dividends_usd=(
                None if before is None else before.accrued_dividends_usd,
                values.accrued_dividends_usd,
            ),
            marks_usd=knowledge.marks_usd,
        ),
    )


def _seen_out(agreed_ns: int) -> dt.date:
    """The day whose night had been seen out: what agreed before dawn is the day before's."""
    return new_york_date(UnixNs(agreed_ns - DAWN_NS))


def _written(
    book: Book, found: Explanation, doubt: Doubt | None, *, account: str, now: UnixNs
) -> Judgement:
    for change in found.changes:
        book = with_change(book, change, account=account, at_ns=now)
    left = doubt if found.unexplained else None
    return Judgement(book=book, changes=found.changes, unexplained=found.unexplained, doubt=left)


def _adopted(position: BrokerPosition) -> Change:
    return Change(
        cause=Cause.OPENING,
        words=f"{contract_words(position.instrument)}: {plain(position.quantity)} adopted as found",
        instrument=position.instrument,
        after=position.quantity,
    )


def _accepted(gap: Gap, reason: str) -> Change:
    return Change(
        cause=Cause.ACCEPTED,
        words=f"{contract_words(gap.instrument)}: accepted as the broker has it: {reason}",
        instrument=gap.instrument,
        before=gap.ours.quantity,
        after=gap.theirs,
        gross_usd=gap.their_cost_usd - gap.ours.cost_usd,
    )
