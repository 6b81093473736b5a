"""Closes positions of an account whose equity has fallen below its maintenance requirement.

As the broker does it: at the market, without asking, under no client's number, marked as a
liquidation. Positions go in the order of how much requirement each of them frees, and only as many
units as are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.account import tariff
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import appraisal, fills, guard
from thetawarden.practice.exchange.state import NO_KEY
from thetawarden.practice.exchange.touch import as_buyer, touch_of
from thetawarden.practice.model import AccountChanged, Action, Executed, Execution

if TYPE_CHECKING:
    from thetawarden.practice.account.book import Book
    from thetawarden.practice.account.exposures import Exposure
    from thetawarden.practice.exchange.floor import Floor

ROUNDS_MAX = 40
_STEPS = 4


def check(floor: Floor) -> None:
    """Liquidate every account that is under-margined and can be helped."""
    if not floor.terms.liquidates:
        return
    for book in floor.state.books.values():
        for _ in range(ROUNDS_MAX):
            if not _is_short_of_margin(floor, book) or not _close_some(floor, book):
                break


def close(floor: Floor, book: Book, *, con_id: int, quantity: int) -> bool:
    """Close up to so many units of a holding at the market; False when nothing can be traded."""
    holding = book.holdings.get(con_id)
    if holding is None or not holding.quantity:
        return False
    side = Action.SELL if holding.quantity > 0 else Action.BUY
    details = floor.details(con_id)
    contract = details.contract if details else holding.contract
    touch = as_buyer(touch_of(floor, contract), side)
    if touch.ask is None or touch.halted:
        return False
    _execute(
        floor,
        book,
        _execution(
            floor,
            book,
            con_id=con_id,
            side=side,
            quantity=min(quantity, abs(holding.quantity)),
            price=abs(touch.ask),
        ),
    )
    return True


def _is_short_of_margin(floor: Floor, book: Book) -> bool:
    if not any(one.quantity for one in book.holdings.values()):
        return False
    return guard.standing(floor, book).excess_usd < 0


def _close_some(floor: Floor, book: Book) -> bool:
    with appraisal.holdings_quoted(floor, book):
        held = appraisal.exposures(floor, book)
    now = appraisal.requirement(floor, book, held).maintenance_usd
    freed = [(now - _without(floor, book, held, one), one) for one in held]
    freed.sort(key=lambda pair: (-pair[0], pair[1].con_id))
    for relief, one in freed:
        units = max(abs(one.quantity) // _STEPS, 1)
        if relief > 0 and close(floor, book, con_id=one.con_id, quantity=units):
            return True
    return False


def _without(floor: Floor, book: Book, held: list[Exposure], gone: Exposure) -> float:
    rest = [one for one in held if one.con_id != gone.con_id]
    return appraisal.requirement(floor, book, rest).maintenance_usd


def _execution(
    floor: Floor, book: Book, *, con_id: int, side: Action, quantity: int, price: float
) -> Execution:
    details = floor.details(con_id)
    contract = details.contract if details else book.holdings[con_id].contract
    return Execution(
        exec_id=fills.next_execution_id(floor),
        key=NO_KEY,
        perm_id=0,
        account=book.terms.account,
        contract=contract,
        exchange=contract.exchange,
        at_ns=floor.now_ns,
        side=side,
        quantity=quantity,
        price=price,
        cumulative_quantity=quantity,
        average_price=price,
        liquidation=True,
    )


def _execute(floor: Floor, book: Book, execution: Execution) -> None:
    contract = fills.held_contract(floor, execution.contract)
    fees = tariff.fees_usd(
        contract=contract,
        side=execution.side,
        quantity=execution.quantity,
        price_usd=price_usd(execution.price),
        plan=book.terms.plan,
        charged=tariff.Charged(),
    )
    realized = fills.trade(floor, book, execution, contract=contract, fees_usd=fees)
    kept = fills.record(floor, execution, fees_usd=fees, realized_usd=realized)
    floor.emit(
        [
            Executed(execution=execution),
            *fills.reports(floor, [kept]),
            fills.position_changed(book, contract.con_id),
            AccountChanged(account=book.terms.account),
        ]
    )
