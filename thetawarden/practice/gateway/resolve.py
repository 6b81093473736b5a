"""Finds the one contract a client means, or says to the client why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.model import USD_COMBO_CON_ID, Contract, SecType

if TYPE_CHECKING:
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ContractDetails, ContractQuery


def resolve_details(session: Session, req_id: int, query: ContractQuery) -> ContractDetails | None:
    """Return the only match; otherwise send error 200 and return None."""
    found = session.gateway.market.find(query)
    if len(found) == 1:
        return found[0]
    text = codes.NO_DEFINITION_TEXT
    if found:
        text = codes.AMBIGUOUS_TEXT.format(symbol=query.symbol)
    session.error(req_id, Code.NO_DEFINITION, text)
    return None


def resolve(session: Session, req_id: int, query: ContractQuery) -> Contract | None:
    """Return the contract, or the combination of listed legs; else send 200 and return None."""
    if query.sec_type == SecType.COMBO:
        return _combination(session, req_id, query)
    details = resolve_details(session, req_id, query)
    return None if details is None else details.contract


def _combination(session: Session, req_id: int, query: ContractQuery) -> Contract | None:
    market = session.gateway.market
    listed = [market.quote(leg.con_id) is not None for leg in query.legs]
    if not query.legs or not all(listed) or any(leg.ratio < 1 for leg in query.legs):
        session.error(req_id, Code.NO_DEFINITION, codes.NO_DEFINITION_TEXT)
        return None
    return Contract(
        con_id=USD_COMBO_CON_ID,
        symbol=query.symbol,
        sec_type=SecType.COMBO,
        exchange=query.exchange or "SMART",
        local_symbol=query.symbol,
        trading_class="COMB",
        legs=query.legs,
    )
