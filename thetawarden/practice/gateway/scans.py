"""Ranks underlyings for scanner subscriptions. Pure reads of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import SecType

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.practice.model import Contract, Market, Quote, Reference
    from thetawarden.practice.wire.requests.simple import Scanner

ROWS_MAX = 50


def _change(quote: Quote, _: Reference) -> float | None:
    if quote.last is None or not quote.close:
        return None
    return quote.last / quote.close - 1


def _loss(quote: Quote, known: Reference) -> float | None:
    change = _change(quote, known)
    return None if change is None else -change


def _volume(quote: Quote, _: Reference) -> float | None:
    return None if quote.volume is None else float(quote.volume)


def _implied(_: Quote, known: Reference) -> float | None:
    return known.implied_vol_annual


def _option_volume(_: Quote, known: Reference) -> float | None:
    if known.call_volume is None or known.put_volume is None:
        return None
    return float(known.call_volume + known.put_volume)


MEASURES: dict[str, Callable[[Quote, Reference], float | None]] = {
    "TOP_PERC_GAIN": _change,
    "TOP_PERC_LOSE": _loss,
    "MOST_ACTIVE": _volume,
    "HOT_BY_VOLUME": _volume,
    "HIGH_OPT_IMP_VOLAT": _implied,
    "OPT_VOLUME_MOST_ACTIVE": _option_volume,
}
"""What each scan code ranks by, largest first."""


def rank(market: Market, request: Scanner) -> tuple[int, ...]:
    """Return conIds of stocks, best first; unknown codes find nothing."""
    measure = MEASURES.get(request.code)
    if measure is None:
        return ()
    scored = []
    for contract in market.underlyings():
        quote = market.quote(contract.con_id)
        if quote is None or not _passes(contract, quote, request):
            continue
        score = measure(quote, market.reference(contract.con_id))
        if score is not None:
            scored.append((-score, contract.con_id))
    rows = ROWS_MAX if request.rows is None or request.rows < 1 else min(request.rows, ROWS_MAX)
    return tuple(con_id for _, con_id in sorted(scored)[:rows])


def _passes(contract: Contract, quote: Quote, request: Scanner) -> bool:
    if contract.sec_type is not SecType.STOCK or quote.last is None:
        return False
    if request.above_price is not None and quote.last < request.above_price:
        return False
    if request.below_price is not None and quote.last > request.below_price:
        return False
    volume = quote.volume or 0
    return request.above_volume is None or volume >= request.above_volume


def parameters_xml() -> str:
    """Return the scans offered here, in the shape of IB's document."""
    types = "".join(
        f"<ScanType><displayName>{code.replace('_', ' ').title()}</displayName>"
        f"<scanCode>{code}</scanCode><instruments>STK</instruments></ScanType>"
        for code in MEASURES
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse>'
        "<InstrumentList><Instrument><name>US Stocks</name><type>STK</type></Instrument>"
        "</InstrumentList><LocationTree><Location><displayName>US Stocks</displayName>"
        "<locationCode>STK.US.MAJOR</locationCode></Location></LocationTree>"
        f"<ScanTypeList>{types}</ScanTypeList></ScanParameterResponse>"
    )
