"""Decides who exercises, who is assigned, and moves options into cash or shares.

By exception: every long option a cent or more in the money at expiry is exercised unless its holder
said otherwise, every short one is assigned; within a few cents of the strike holders differ, so a
short is assigned contract by contract by luck. Early, American shorts are assigned when their
market says that waiting is worth nothing: mostly on the eve of a dividend, else now and then.
The option closes at 0, the share comes at the strike; no premium goes into the share's cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_DAY, new_york_date
from thetawarden.practice.account.book import Book, Trade, settle
from thetawarden.practice.account.ledger import EntryKind
from thetawarden.practice.account.money import ZERO, price_usd
from thetawarden.practice.exchange import appraisal, expiry, fills
from thetawarden.practice.exchange.draws import Purpose, draw
from thetawarden.practice.exchange.state import NO_KEY, Instruction
from thetawarden.practice.model import (
    AccountChanged,
    Action,
    Contract,
    ContractDetails,
    CorporateEventKind,
    Execution,
    SecType,
)

if TYPE_CHECKING:
    from thetawarden.practice.account.holdings import Holding
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Quote

EXERCISED_FROM = 0.01
PIN_WIDTH = 0.05
DIVIDEND_ASSIGNMENT_PROBABILITY = 0.9
DEEP_ASSIGNMENT_PROBABILITY = 0.1
NO_TIME_VALUE = 0.01
_DAYS_PER_YEAR = 365.0


def close_expired(floor: Floor, book: Book) -> None:
    """Turn every expired option of the account into cash, shares or nothing."""
    for con_id in list(book.holdings):
        holding = book.holdings[con_id]
        if con_id not in floor.state.settled or not holding.quantity:
            continue
        details = floor.details(con_id)
        if details is None or details.cash_settled:
            expiry.pay_out(floor, book, con_id, kind=EntryKind.SETTLEMENT)
        else:
            _deliver_expired(floor, book, holding, details)


def follow_instructions(floor: Floor, book: Book) -> None:
    """Exercise early what holders asked for today."""
    for one in floor.state.instructions:
        holding = book.holdings.get(one.con_id)
        if one.account != book.terms.account or not one.exercise or holding is None:
            continue
        details = floor.details(one.con_id)
        quantity = min(one.quantity, holding.quantity)
        if details is None or details.cash_settled or one.con_id in floor.state.settled:
            continue
        deliver(floor, book, holding, details, quantity=max(quantity, 0))


def assign_early(floor: Floor, book: Book) -> None:
    """Assign American shorts whose holders have good reason to exercise tonight."""
    for con_id in list(book.holdings):
        holding = book.holdings[con_id]
        details = floor.details(con_id)
        if holding.quantity >= 0 or details is None or con_id in floor.state.settled:
            continue
        if holding.contract.sec_type is not SecType.OPTION or details.cash_settled:
            continue
        probability = _early_probability(floor, holding, details)
        if probability:
            assigned = _lot(floor, holding, probability)
            deliver(floor, book, holding, details, quantity=-assigned)


def assign(
    floor: Floor, book: Book, holding: Holding, details: ContractDetails, contracts: int
) -> None:
    """Assign so many short contracts at once: shares for physical options, cash for others."""
    if not details.cash_settled:
        deliver(floor, book, holding, details, quantity=-contracts)
        return
    under = appraisal.exposure(floor, holding.contract, 1).under_price
    _close_at(
        floor,
        book,
        holding,
        quantity=contracts,
        price=appraisal.intrinsic(holding.contract, under),
        reference="assigned",
    )


def deliver(
    floor: Floor, book: Book, holding: Holding, details: ContractDetails, *, quantity: int
) -> None:
    """Close signed option contracts at 0 and move the shares at the strike."""
    share = floor.details(details.under_con_id)
    if not quantity or share is None or holding.contract.strike is None:
        return
    kind = EntryKind.EXERCISE if quantity > 0 else EntryKind.ASSIGNMENT
    option, strike = holding.contract, holding.contract.strike
    sign = 1 if option.right == "C" else -1
    shares = sign * quantity * option.multiplier
    stock = fills.held_contract(floor, share.contract)
    for contract, units, price in ((option, -quantity, 0.0), (stock, shares, strike)):
        settle(
            book,
            Trade(
                contract=contract,
                quantity=units,
                price_usd=price_usd(price),
                at_ns=floor.now_ns,
                kind=kind,
                reference=option.local_symbol,
            ),
        )
        _show_row(floor, book, contract, units=units, price=price)
    floor.emit(
        [
            fills.position_changed(book, option.con_id),
            fills.position_changed(book, stock.con_id),
            AccountChanged(account=book.terms.account),
        ]
    )


def wants_lapse(floor: Floor, book: Book, con_id: int) -> int:
    """Return how many contracts the holder told us to let lapse."""
    return sum(
        one.quantity
        for one in floor.state.instructions
        if one.account == book.terms.account and one.con_id == con_id and not one.exercise
    )


def wants_exercise(floor: Floor, book: Book, con_id: int) -> int:
    """Return how many contracts the holder told us to exercise whatever they are worth."""
    return sum(
        one.quantity
        for one in floor.state.instructions
        if one.account == book.terms.account and one.con_id == con_id and one.exercise
    )


def _deliver_expired(floor: Floor, book: Book, holding: Holding, details: ContractDetails) -> None:
    con_id = holding.contract.con_id
    worth = appraisal.intrinsic(holding.contract, floor.state.settled[con_id])
    if holding.quantity > 0:
        automatic = holding.quantity if worth >= EXERCISED_FROM else 0
        lapsing = min(wants_lapse(floor, book, con_id), automatic)
        wanted = min(wants_exercise(floor, book, con_id), holding.quantity)
        delivered = max(automatic - lapsing, wanted)
    elif worth >= PIN_WIDTH:
        delivered = holding.quantity
    else:
        delivered = -_lot(floor, holding, worth / PIN_WIDTH)
    deliver(floor, book, holding, details, quantity=delivered)
    if holding.quantity:
        _close_at(floor, book, holding, quantity=-holding.quantity, price=0.0, reference="lapsed")


def _close_at(
    floor: Floor, book: Book, holding: Holding, *, quantity: int, price: float, reference: str
) -> None:
    settle(
        book,
        Trade(
            contract=holding.contract,
            quantity=quantity,
            price_usd=price_usd(price),
            at_ns=floor.now_ns,
            kind=EntryKind.SETTLEMENT,
            reference=reference,
        ),
    )
    floor.emit(
        [
            fills.position_changed(book, holding.contract.con_id),
            AccountChanged(account=book.terms.account),
        ]
    )


def _early_probability(floor: Floor, holding: Holding, details: ContractDetails) -> float:
    """How likely each holder is to exercise tonight.

    The market's value of an American option holds the best use of it: where that is more than
    exercise brings now, exercising would be a mistake, dividend or not. On the eve of one a call's
    value was taken at the close, when the last moment was still to come: the night's interest on
    the strike is no reason to wait.
    """
    contract, quote = holding.contract, floor.market.quote(holding.contract.con_id)
    under = _valued_at(floor, quote, details)
    if quote is None or under is None:
        return 0.0
    inside = appraisal.intrinsic(contract, under)
    time_value = appraisal.mark_of(floor, contract, holding.last_mark) - inside
    if inside <= 0.0:
        return 0.0
    if contract.right == "C" and _dividend(floor, details):
        nights = (floor.now_ns - quote.at_ns) / NS_PER_DAY + 1.0
        interest = float(floor.terms.benchmark_annual) * nights / _DAYS_PER_YEAR
        waiting = NO_TIME_VALUE + (contract.strike or 0.0) * interest
        return DIVIDEND_ASSIGNMENT_PROBABILITY if time_value <= waiting else 0.0
    return DEEP_ASSIGNMENT_PROBABILITY if time_value <= NO_TIME_VALUE else 0.0


def _valued_at(floor: Floor, quote: Quote | None, details: ContractDetails) -> float | None:
    """The share's price that the option's mark was made with, else the share's own mark."""
    model = None if quote is None else quote.model
    if model is not None and model.under_price is not None:
        return model.under_price
    share = floor.market.quote(details.under_con_id)
    return None if share is None else appraisal.mark_in(share)


def _dividend(floor: Floor, details: ContractDetails) -> float:
    """What the share pays to those who hold it this morning, 0 on any other day."""
    day = new_york_date(floor.now_ns)
    return sum(
        event.amount_usd or 0.0
        for event in floor.market.events(con_id=details.under_con_id, first=day, last=day)
        if event.kind is CorporateEventKind.DIVIDEND
    )


def _lot(floor: Floor, holding: Holding, probability: float) -> int:
    """Draw, contract by contract, how many of a short position are assigned."""
    con_id, seed = holding.contract.con_id, floor.state.seed
    return sum(
        draw(seed, Purpose.ASSIGNMENT, con_id, floor.now_ns, contract) < probability
        for contract in range(abs(holding.quantity))
    )


def _show_row(floor: Floor, book: Book, contract: Contract, *, units: int, price: float) -> None:
    """Keep a row for the execution list; nothing is pushed."""
    if not floor.terms.execution_rows_for_assignments:
        return
    row = Execution(
        exec_id=fills.next_execution_id(floor),
        key=NO_KEY,
        perm_id=0,
        account=book.terms.account,
        contract=contract,
        exchange=contract.exchange,
        at_ns=floor.now_ns,
        side=Action.BUY if units > 0 else Action.SELL,
        quantity=abs(units),
        price=price,
        cumulative_quantity=abs(units),
        average_price=price,
    )
    fills.record(floor, row, fees_usd=ZERO, realized_usd=None)
    floor.state.executions[-1].reported = True


def instruct(floor: Floor, instruction: Instruction) -> None:
    """Remember what a holder wants tonight; a later word about the same contract replaces it."""
    floor.state.instructions = [
        one
        for one in floor.state.instructions
        if (one.account, one.con_id) != (instruction.account, instruction.con_id)
    ]
    floor.state.instructions.append(instruction)
