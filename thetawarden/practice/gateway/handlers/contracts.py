"""Contract details, chains, symbols and price ladders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.wire.encode import contracts as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ContractDetails
    from thetawarden.practice.wire.requests.simple import (
        ContractDetailsFor,
        MatchingSymbols,
        Number,
        OptionParameters,
    )

SAMPLES_MAX = 16


def _details(session: Session, request: ContractDetailsFor) -> None:
    gateway = session.gateway
    query = msgspec.structs.replace(
        request.contract,
        include_expired=request.include_expired,
        sec_id_type=request.sec_id_type,
        sec_id=request.sec_id,
        issuer_id=request.issuer_id,
    )
    if session.is_streaming_much():
        cause = "Too many simultaneous contract requests"
        session.error(request.req_id, Code.PROCESSING, codes.processing(cause))
        return
    found = gateway.market.find(query)
    if not found:
        session.error(request.req_id, Code.NO_DEFINITION, codes.NO_DEFINITION_TEXT)
        return
    session.stream(_rows(session, request.req_id, found))


def _rows(session: Session, req_id: int, found: tuple[ContractDetails, ...]) -> Iterator[bytes]:
    """A whole chain is megabytes: made and sent row by row, as the client takes them."""
    for details in found:
        yield encode.contract_details(req_id, session.gateway.seams.detail(details))
    yield encode.contract_details_end(req_id)


def _option_parameters(session: Session, request: OptionParameters) -> None:
    chains = session.gateway.market.chains(
        under_con_id=request.con_id, future_exchange=request.future_exchange
    )
    for chain in chains:
        session.send(encode.option_parameters(request.req_id, chain))
    session.send(encode.option_parameters_end(request.req_id))


def _matching_symbols(session: Session, request: MatchingSymbols) -> None:
    market = session.gateway.market
    found = market.search(request.pattern)[:SAMPLES_MAX]
    samples = [(one, market.derivative_types(one.contract.con_id)) for one in found]
    session.send(encode.symbol_samples(request.req_id, samples))


def _market_rule(session: Session, request: Number) -> None:
    bands = session.gateway.market.market_rule(request.value)
    if bands is None:
        session.notice(Code.VALIDATING, codes.validating("Invalid market rule id"))
        return
    session.send(encode.market_rule(request.value, bands))


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_CONTRACT_DETAILS: _details,
    Incoming.REQ_SEC_DEF_OPT_PARAMS: _option_parameters,
    Incoming.REQ_MATCHING_SYMBOLS: _matching_symbols,
    Incoming.REQ_MARKET_RULE: _market_rule,
}
