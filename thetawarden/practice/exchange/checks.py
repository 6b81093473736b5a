"""Decides whether an order may be taken at all, before money is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.exchange import ladders, notices
from thetawarden.practice.exchange.instants import parse_instant
from thetawarden.practice.model import OrderType, SecType, Tif

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Contract, Notice, OrderRequest

NEEDS_LIMIT = (
    OrderType.LIMIT,
    OrderType.STOP_LIMIT,
    OrderType.LIMIT_ON_CLOSE,
)
NEEDS_STOP = (OrderType.STOP, OrderType.STOP_LIMIT)
TRAILS = (OrderType.TRAIL, OrderType.TRAIL_LIMIT)
CLOSING = (OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE)
_ALGORITHMS = ("", "Adaptive")
_LISTED_AS = {one: frozenset((one.value, one.value.replace(" ", ""))) for one in OrderType}
_LISTED_AS[OrderType.TRAIL_LIMIT] |= {"TRAILLMT", "TRAILLIT"}


def account_of(floor: Floor, request: OrderRequest) -> str | Notice:
    """Return the account the order is for; the only one may be left out."""
    accounts = tuple(floor.state.books)
    if not request.account:
        return accounts[0] if len(accounts) == 1 else notices.NO_ACCOUNT
    return request.account if request.account in accounts else notices.bad_account(request.account)


def refusal(floor: Floor, request: OrderRequest, contract: Contract) -> Notice | None:
    """Return why the order cannot be taken, None when it can."""
    if request.quantity <= 0:
        return notices.ZERO_SIZE
    if not _is_known_type(floor, request, contract):
        return notices.UNSUPPORTED_TYPE
    if request.tif and request.tif not in {*Tif}:
        return notices.bad_tif(request.tif)
    if not _is_complete(request):
        return notices.INCOMPLETE
    return _bad_price(floor, request, contract) or _bad_time(floor, request)


def _is_known_type(floor: Floor, request: OrderRequest, contract: Contract) -> bool:
    if request.order_type not in {*OrderType} or request.algo_strategy not in _ALGORITHMS:
        return False
    if contract.legs:
        return request.order_type not in CLOSING
    details = floor.details(contract.con_id)
    allowed = details.order_types if details else ()
    if request.order_type in CLOSING and contract.sec_type is not SecType.STOCK:
        return False
    return not allowed or not _LISTED_AS[OrderType(request.order_type)].isdisjoint(allowed)


def _is_complete(request: OrderRequest) -> bool:
    order_type = OrderType(request.order_type)
    if order_type in NEEDS_LIMIT and request.limit_price is None and not request.combo_prices:
        return False
    if order_type in NEEDS_STOP and request.aux_price is None:
        return False
    if order_type is OrderType.TRAIL_LIMIT and not (
        request.limit_price is not None or request.passthrough.limit_price_offset
    ):
        return False
    if order_type in TRAILS:
        return request.aux_price is not None or request.trailing_percent is not None
    return True


def _bad_price(floor: Floor, request: OrderRequest, contract: Contract) -> Notice | None:
    order_type = OrderType(request.order_type)
    prices = []
    if order_type in NEEDS_LIMIT:
        prices.append(request.limit_price)
    if order_type in NEEDS_STOP:
        prices.append(request.aux_price)
    fine = all(one is None or ladders.conforms(floor, contract, one) for one in prices)
    return None if fine else notices.OFF_TICK


def _bad_time(floor: Floor, request: OrderRequest) -> Notice | None:
    for text in (request.good_till_date, request.good_after_time):
        if text and parse_instant(text) is None:
            return notices.bad_tif(text)
    if request.tif != Tif.GTD:
        return None
    until = parse_instant(request.good_till_date) if request.good_till_date else None
    if until is None:
        return notices.INCOMPLETE
    return notices.bad_tif(request.good_till_date) if until <= floor.now_ns else None
