"""Explains cash that came or went without a trade, from what is known to make cash move.

Every cause needs its evidence: a fill whose cost was never told, dividends or interest that had
accrued before, shares held overnight, a month that turned, a future. What has none stays
unexplained.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import CENT, ZERO, part_usd, plain, to_cents
from thetawarden.domain.books.book import Book
from thetawarden.domain.books.change import Change
from thetawarden.domain.books.commissions import estimated_usd
from thetawarden.domain.books.fills import CommissionKind, Fill
from thetawarden.domain.books.gaps import contract_words
from thetawarden.domain.books.holding import Cause, Holding
from thetawarden.domain.broker.instrument import InstrumentKind

COST_TIMES_MAX = 5
DIVIDEND_FRACTION_MAX = Decimal("0.05")
INTEREST_ANNUAL_MAX = Decimal("0.12")
INTEREST_SLACK_FRACTION = Decimal("0.02")
VARIATION_FRACTION_MAX = Decimal("0.15")
_DAYS = 360
_DAYS_MAX = 35


class CashEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account around the time its cash moved.

    `agreed_on` is when book and broker last agreed; accrued amounts are (then, now), None unknown.
    """

    account: str
    today: dt.date
    agreed_on: dt.date | None
    cash_usd: Decimal
    accrued_interest_usd: tuple[Decimal | None, Decimal | None] = (None, None)
    accrued_dividends_usd: tuple[Decimal | None, Decimal | None] = (None, None)
    marks_usd: Mapping[int, Decimal] = {}

    @property
    def a_night_passed(self) -> bool:
        """Whether what the broker does at night has been done since."""
        return self.agreed_on is None or self.agreed_on < self.today


def cash_changes(
    rest_usd: Decimal, *, book: Book, holdings: Mapping[str, Holding], evidence: CashEvidence
) -> tuple[Change, ...] | None:
    """Return what explains this cash, or None when nothing does."""
    amount = to_cents(rest_usd)
    held = tuple(one for one in holdings.values() if one.quantity)
    return (
        commission_changes(rest_usd, book=book, account=evidence.account)
        or _accrued(amount, evidence.accrued_dividends_usd, Cause.DIVIDEND)
        or _interest_as_accrued(amount, evidence)
        or _interest_and_more(amount, held, evidence)
        or _dividend(amount, held, evidence)
        or _interest(amount, evidence)
        or _variation(amount, held, evidence)
    )


def is_about(amount_usd: Decimal, told_usd: Decimal) -> bool:
    """Whether an amount is what accruals said, but for what accrued meanwhile."""
    return abs(amount_usd - told_usd) <= CENT + abs(told_usd) * INTEREST_SLACK_FRACTION


def told_payments(evidence: CashEvidence) -> tuple[Decimal, ...]:
    """Return what accruals say was paid to the cent: interest, dividends, or both."""
    interest = _interest_told(evidence)
    before, after = evidence.accrued_dividends_usd
    dividends = ZERO if before is None or after is None else to_cents(before - after)
    amounts = (interest, dividends, interest + dividends)
    return tuple(dict.fromkeys(one for one in amounts if one))


def commission_changes(rest_usd: Decimal, *, book: Book, account: str) -> tuple[Change, ...] | None:
    """Fills whose cost was not told cost what they were thought to, less what is missing."""
    open_fills = [one for one in book.fills.values() if _is_open(one, account)]
    guessed = sum((one.fees_usd for one in open_fills), ZERO)
    weights = [estimated_usd(one.execution) for one in open_fills]
    expected, actual = sum(weights, ZERO), guessed - rest_usd
    if not expected or not -CENT < actual <= expected * COST_TIMES_MAX:
        return None
    changes, left_usd, left = [], actual, expected
    for fill, weight in zip(open_fills, weights, strict=True):
        cost = part_usd(whole_usd=left_usd, part=weight, of=left)
        left_usd, left = left_usd - cost, left - weight
        changes.append(_commission(fill, cost))
    return tuple(changes)


def _is_open(fill: Fill, account: str) -> bool:
    untold = fill.commission_kind is not CommissionKind.REPORTED and fill.absorbed is None
    mine = fill.execution.account == account
    return untold and mine and not fill.is_combination and not fill.is_bust


def _commission(fill: Fill, cost_usd: Decimal) -> Change:
    name = contract_words(fill.execution.instrument)
    return Change(
        cause=Cause.COMMISSION,
        words=f"{name}: fill {fill.base} cost {plain(cost_usd)}, by the cash",
        cash_usd=fill.fees_usd - cost_usd,
        fill=fill.base,
        fill_cost_usd=cost_usd,
    )


def _accrued(
    amount: Decimal, accrued: tuple[Decimal | None, Decimal | None], cause: Cause
) -> tuple[Change, ...] | None:
    """What had accrued is paid out: the accrual is smaller by as much."""
    before, after = accrued
    if before is None or after is None or abs(before - after - amount) > CENT:
        return None
    return (_paid(cause, amount, f"{cause} of {plain(amount)} that had accrued was paid"),)


def _dividend(
    amount: Decimal, held: tuple[Holding, ...], evidence: CashEvidence
) -> tuple[Change, ...] | None:
    shares = [one for one in held if one.instrument.kind is InstrumentKind.STOCK]
    worth = sum((_worth(one, evidence) for one in shares), ZERO)
    right_way = amount * worth > 0
    if not right_way or not evidence.a_night_passed:
        return None
    if abs(amount) > abs(worth) * DIVIDEND_FRACTION_MAX:
        return None
    names = ", ".join(contract_words(one.instrument) for one in shares)
    return (_paid(Cause.DIVIDEND, amount, f"dividend of {plain(amount)} on {names}"),)


def _interest_as_accrued(amount: Decimal, evidence: CashEvidence) -> tuple[Change, ...] | None:
    """All that had accrued is paid; what accrues anew meanwhile does not count."""
    due = _interest_told(evidence)
    if not due or not is_about(amount, due):
        return None
    return (_paid(Cause.INTEREST, amount, f"interest of {plain(amount)}, as had accrued"),)


def _interest_told(evidence: CashEvidence) -> Decimal:
    """All the interest that had accrued, where less has accrued since and a night passed."""
    before, after = evidence.accrued_interest_usd
    if before is None or after is None or not evidence.a_night_passed:
        return ZERO
    return to_cents(before) if abs(after) < abs(before) else ZERO


def _interest_and_more(
    amount: Decimal, held: tuple[Holding, ...], evidence: CashEvidence
) -> tuple[Change, ...] | None:
    """What one night brought besides the interest that had accrued."""
    due = _interest_told(evidence)
    paid = _interest_as_accrued(due, evidence)
    if paid is None:
        return None
    rest = amount - due
    more = (
        _accrued(rest, evidence.accrued_dividends_usd, Cause.DIVIDEND)
        or _dividend(rest, held, evidence)
        or _variation(rest, held, evidence)
    )
    return None if more is None else (*paid, *more)


def _interest(amount: Decimal, evidence: CashEvidence) -> tuple[Change, ...] | None:
    """Without a word about accruals: once a month, and no more than a month can bring."""
    agreed_on = evidence.agreed_on
    new_month = agreed_on is not None and agreed_on.month != evidence.today.month
    most = abs(evidence.cash_usd) * INTEREST_ANNUAL_MAX * _DAYS_MAX / _DAYS
    if None not in evidence.accrued_interest_usd or not new_month or abs(amount) > most:
        return None
    return (_paid(Cause.INTEREST, amount, f"interest of {plain(amount)}"),)


def _variation(
    amount: Decimal, held: tuple[Holding, ...], evidence: CashEvidence
) -> tuple[Change, ...] | None:
    futures = [one for one in held if one.instrument.kind is InstrumentKind.FUTURE]
    worth = sum((abs(_worth(one, evidence)) for one in futures), ZERO)
    if not futures or abs(amount) > worth * VARIATION_FRACTION_MAX:
        return None
    names = ", ".join(contract_words(one.instrument) for one in futures)
    return (_paid(Cause.VARIATION, amount, f"variation of {plain(amount)} on {names}"),)


def _worth(holding: Holding, evidence: CashEvidence) -> Decimal:
    mark = evidence.marks_usd.get(holding.instrument.conid)
    return holding.cost_usd if mark is None else holding.value_usd(mark)


def _paid(cause: Cause, amount: Decimal, words: str) -> Change:
    return Change(cause=cause, words=words, cash_usd=amount)
