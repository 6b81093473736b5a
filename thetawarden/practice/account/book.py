"""Keeps one account: its holdings, its ledger, and what it was worth when the day began.

Everything that changes an account comes through here, and every change of cash is posted with its
reason. It knows no market: marks and trades are told to it.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.practice.account import holdings
from thetawarden.practice.account.holdings import Holding
from thetawarden.practice.account.ledger import Entry, EntryKind, Ledger, post
from thetawarden.practice.account.money import ZERO
from thetawarden.practice.account.tariff import Plan
from thetawarden.practice.model import Contract


class MarginRule(enum.StrEnum):
    """By which rule an account's requirement is computed."""

    REG_T = "reg_t"
    PORTFOLIO = "portfolio"


class AccountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is opened with; ids begin with DU, because it is a simulation."""

    account: str
    deposit_usd: Decimal
    margin: MarginRule = MarginRule.REG_T
    plan: Plan = Plan.FIXED

    def __post_init__(self) -> None:
        if not self.account.startswith("DU"):
            raise ValueError(f"a practice account's id begins with DU, found {self.account!r}")


class Book(msgspec.Struct, kw_only=True):
    """One account; quantities of 0 stay listed until the day is over."""

    terms: AccountTerms
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    holdings: dict[int, Holding] = msgspec.field(default_factory=dict)
    accrued_usd: Decimal = ZERO
    interest_month: int = 0
    day_start_usd: Decimal = ZERO
    day_deposits_usd: Decimal = ZERO
    past_realized_usd: Decimal = ZERO
    realized_today_usd: Decimal = ZERO

    @property
    def cash_usd(self) -> Decimal:
        """Settled and unsettled cash, to the last decimal."""
        return self.ledger.cash_usd


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """Signed units that change hands at a price, for what reason."""

    contract: Contract
    quantity: int
    price_usd: Decimal
    fees_usd: Decimal = ZERO
    at_ns: int
    kind: EntryKind = EntryKind.TRADE
    reference: str = ""


def open_book(terms: AccountTerms, at_ns: int) -> Book:
    """Open an account with its deposit."""
    book = Book(terms=terms, day_start_usd=terms.deposit_usd)
    post(
        book.ledger,
        Entry(at_ns=at_ns, kind=EntryKind.DEPOSIT, amount_usd=terms.deposit_usd),
    )
    return book


def holding_of(book: Book, contract: Contract) -> Holding:
    """Return the account's holding of a contract, an empty one when it has none yet."""
    holding = book.holdings.get(contract.con_id)
    if holding is None:
        holding = book.holdings[contract.con_id] = Holding(contract=contract)
    return holding


def settle(book: Book, trade: Trade) -> Decimal | None:
    """Carry out a trade; return what closing units realized, None when it only opened some."""
    holding = holding_of(book, trade.contract)
    effect = holdings.trade(
        holding, quantity=trade.quantity, price_usd=trade.price_usd, fees_usd=trade.fees_usd
    )
    _post(book, trade, kind=trade.kind, amount_usd=effect.cash_usd)
    _post(book, trade, kind=EntryKind.VARIATION, amount_usd=effect.variation_usd)
    _post(book, trade, kind=EntryKind.COMMISSION, amount_usd=-trade.fees_usd)
    if effect.realized_usd is not None:
        book.realized_today_usd += effect.realized_usd
    return effect.realized_usd


def amend(book: Book, trade: Trade, *, change_usd: Decimal) -> None:
    """Correct the price of an earlier trade by so much a share."""
    holding = holding_of(book, trade.contract)
    before = holding.realized_usd
    cash = holdings.amend_price(holding, quantity=trade.quantity, change_usd=change_usd)
    book.realized_today_usd += holding.realized_usd - before
    _post(book, trade, kind=EntryKind.CORRECTION, amount_usd=cash)


def pay(book: Book, entry: Entry) -> None:
    """Move cash for a reason that concerns no trade."""
    post(book.ledger, entry)


def end_day(book: Book) -> None:
    """Forget what was closed during the day and start its results again."""
    for con_id in [one for one, holding in book.holdings.items() if not holding.quantity]:
        book.past_realized_usd += book.holdings.pop(con_id).realized_usd
    book.realized_today_usd = ZERO
    book.day_deposits_usd = ZERO


def realized_usd(book: Book) -> Decimal:
    """Return everything that closing positions has earned since the account was opened."""
    return book.past_realized_usd + sum(
        (holding.realized_usd for holding in book.holdings.values()), ZERO
    )


def _post(book: Book, trade: Trade, *, kind: EntryKind, amount_usd: Decimal) -> None:
    post(
        book.ledger,
        Entry(
            at_ns=trade.at_ns,
            kind=kind,
            amount_usd=amount_usd,
            con_id=trade.contract.con_id,
            reference=trade.reference,
        ),
    )
