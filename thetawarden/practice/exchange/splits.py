"""Adjusts holdings and orders for a stock split, new shares for old.

Shares multiply, cost stays. Options move to the series whose strike was divided when it is listed
and the split gives whole contracts; otherwise they keep their series and deliver more shares, which
makes them non-standard. What is left of a share is paid in cash at the last price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from thetawarden.practice.account.book import Book, pay
from thetawarden.practice.account.holdings import Holding
from thetawarden.practice.account.ledger import Entry, EntryKind
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import appraisal, fills, life
from thetawarden.practice.exchange.state import AdjustedSeries
from thetawarden.practice.model import AccountChanged, ContractQuery, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder

_PRICE_PLACES = 4


@runtime_checkable
class SplittingMarket(Protocol):
    """A market that can divide a share's price and its series' strikes."""

    def split(self, *, con_id: int, new_shares: int, old_shares: int) -> bool:
        """Quote the share, and list its options, after the split."""


def split(floor: Floor, *, con_id: int, new: int, old: int) -> bool:
    """Split a share everywhere; False when it is none or the market cannot follow."""
    details = floor.details(con_id)
    if details is None or details.contract.sec_type is not SecType.STOCK or min(new, old) <= 0:
        return False
    market = floor.market
    if not isinstance(market, SplittingMarket):
        return False
    price = appraisal.mark_of(floor, details.contract)
    volatilities = _volatilities(floor)
    if not market.split(con_id=con_id, new_shares=new, old_shares=old):
        return False
    for book in floor.state.books.values():
        _split_shares(floor, book, con_id, new=new, old=old, price=price)
        _split_options(floor, book, con_id, new=new, old=old, volatilities=volatilities)
        floor.emit([AccountChanged(account=book.terms.account)])
    for order in list(floor.state.orders.values()):
        if order.contract.con_id == con_id:
            _split_order(floor, order, new=new, old=old)
    return True


def _split_shares(
    floor: Floor, book: Book, con_id: int, *, new: int, old: int, price: float
) -> None:
    holding = book.holdings.get(con_id)
    if holding is None or not holding.quantity:
        return
    shares, rest = divmod(abs(holding.quantity) * new, old)
    sign = 1 if holding.quantity > 0 else -1
    holding.quantity = sign * shares
    holding.last_mark = price * old / new
    amount = price_usd(round(price * rest / new, 2)) * sign
    holding.cost_usd -= amount
    holding.day_flow_usd += amount
    pay(
        book,
        Entry(
            at_ns=floor.now_ns,
            kind=EntryKind.CASH_IN_LIEU,
            amount_usd=amount,
            con_id=con_id,
            reference=f"split {new}:{old}",
        ),
    )
    floor.emit([fills.position_changed(book, con_id)])


def _volatilities(floor: Floor) -> dict[int, float]:
    """What every held option is quoted at, while its share is still whole."""
    return {
        con_id: appraisal.exposure(floor, one.contract, one.quantity).iv_annual
        for book in floor.state.books.values()
        for con_id, one in book.holdings.items()
        if one.quantity and one.contract.sec_type is SecType.OPTION
    }


def _split_options(
    floor: Floor,
    book: Book,
    con_id: int,
    *,
    new: int,
    old: int,
    volatilities: dict[int, float],
) -> None:
    for option_id in list(book.holdings):
        details = floor.details(option_id)
        if details is None or details.under_con_id != con_id:
            continue
        holding = book.holdings[option_id]
        if holding.contract.sec_type is not SecType.OPTION or not holding.quantity:
            continue
        adjusted = _listed_after(
            floor, holding, new=new, old=old, iv_annual=volatilities[option_id]
        )
        _move(floor, book, holding, adjusted)


def _listed_after(
    floor: Floor, holding: Holding, *, new: int, old: int, iv_annual: float
) -> Holding:
    contract, details = holding.contract, floor.details(holding.contract.con_id)
    strike = round((contract.strike or 0.0) * old / new, _PRICE_PLACES)
    found = floor.market.find(
        ContractQuery(
            symbol=contract.symbol,
            sec_type=SecType.OPTION.value,
            expiry=f"{contract.expiry:%Y%m%d}",
            strike=strike,
            right=contract.right,
            trading_class=contract.trading_class,
        )
    )
    if new % old == 0 and len(found) == 1:
        return msgspec.structs.replace(
            holding,
            contract=fills.held_contract(floor, found[0].contract),
            quantity=holding.quantity * (new // old),
        )
    changed = msgspec.structs.replace(
        contract, strike=strike, multiplier=contract.multiplier * new // old
    )
    if details is not None:
        floor.state.adjusted[contract.con_id] = AdjustedSeries(
            details=msgspec.structs.replace(details, contract=changed), iv_annual=iv_annual
        )
    return msgspec.structs.replace(holding, contract=changed)


def _move(floor: Floor, book: Book, holding: Holding, adjusted: Holding) -> None:
    old_id, new_id = holding.contract.con_id, adjusted.contract.con_id
    if new_id != old_id:
        there = book.holdings.get(new_id)
        if there is not None:
            adjusted.quantity += there.quantity
            adjusted.cost_usd += there.cost_usd
            adjusted.day_flow_usd += there.day_flow_usd
        book.holdings[old_id] = Holding(contract=holding.contract)
        floor.emit([fills.position_changed(book, old_id)])
    book.holdings[new_id] = adjusted
    floor.emit([fills.position_changed(book, new_id)])


def _split_order(floor: Floor, order: LiveOrder, *, new: int, old: int) -> None:
    request = order.request
    order.request = msgspec.structs.replace(
        request,
        quantity=max(request.quantity * new // old, order.filled + 1),
        limit_price=_divided(request.limit_price, new=new, old=old),
        aux_price=_divided(request.aux_price, new=new, old=old),
    )
    order.stop_price = _divided(order.stop_price, new=new, old=old)
    life.tell(floor, order)


def _divided(price: float | None, *, new: int, old: int) -> float | None:
    return None if price is None else round(price * old / new, 2)
