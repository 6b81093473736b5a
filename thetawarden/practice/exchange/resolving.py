"""Finds the contract an order means, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_date
from thetawarden.practice.exchange import notices
from thetawarden.practice.model import (
    USD_COMBO_CON_ID,
    Action,
    Contract,
    ContractQuery,
    Notice,
    SecType,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import ContractDetails, OrderRequest

NON_GUARANTEED = "NonGuaranteed"


def resolve(floor: Floor, request: OrderRequest) -> Contract | Notice:
    """Return the one listed contract, or combination of listed legs, that the order is for."""
    query = request.contract
    if query.sec_type == SecType.COMBO or query.legs:
        return _combination(floor, request)
    adjusted = floor.state.adjusted.get(query.con_id)
    found = (adjusted.details,) if adjusted else floor.market.find(query)
    if not found:
        return _absent(floor, query)
    if len(found) > 1:
        return notices.ambiguous(query.symbol)
    return _tradable(floor, found[0])


def _absent(floor: Floor, query: ContractQuery) -> Notice:
    known = floor.details(query.con_id) if query.con_id else None
    if known is not None and _expired(floor, known):
        return notices.EXPIRED
    return notices.UNKNOWN_CONTRACT


def _tradable(floor: Floor, details: ContractDetails) -> Contract | Notice:
    contract = details.contract
    if contract.sec_type in floor.terms.forbidden:
        return notices.NO_PERMISSION
    if contract.sec_type is SecType.INDEX:
        return notices.UNSUPPORTED_TYPE
    return notices.EXPIRED if _expired(floor, details) else contract


def _expired(floor: Floor, details: ContractDetails) -> bool:
    expiry = details.contract.expiry
    settled = details.contract.con_id in floor.state.settled
    return settled or (expiry is not None and expiry < new_york_date(floor.now_ns))


def _combination(floor: Floor, request: OrderRequest) -> Contract | Notice:
    query = request.contract
    if not query.legs:
        return notices.NO_LEGS
    legs = []
    for leg in query.legs:
        details = floor.details(leg.con_id)
        if details is None or leg.ratio <= 0 or leg.action not in {*Action}:
            return notices.UNKNOWN_CONTRACT
        tradable = _tradable(floor, details)
        if isinstance(tradable, Notice):
            return tradable
        legs.append(tradable)
    symbols = {leg.symbol for leg in legs}
    if not symbols <= set(query.symbol.replace(" ", "").split(",")):
        return notices.legs_conflict(query.symbol)
    if _needs_word(legs) and dict(request.smart_routing).get(NON_GUARANTEED) != "1":
        return notices.NEEDS_GUARANTEE_WORD
    return Contract(
        con_id=USD_COMBO_CON_ID,
        symbol=query.symbol,
        sec_type=SecType.COMBO,
        exchange=query.exchange or "SMART",
        local_symbol=query.symbol,
        trading_class="COMB",
        legs=query.legs,
    )


def _needs_word(legs: list[Contract]) -> bool:
    """Shares against shares cannot be guaranteed to trade together."""
    return len(legs) > 1 and all(leg.sec_type is SecType.STOCK for leg in legs)
