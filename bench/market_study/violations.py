"""Counts what must never be seen in a market: gains without risk, prices that are no prices.

A chain is checked as anybody sees it, at bids and asks: verticals, butterflies, put-call parity of
European options and the inequality of American ones, the same option one expiry later. Prices are
checked for sign and sense.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import new_york_date
from thetawarden.practice.market import PracticeMarket
from thetawarden.practice.market.carry import RATE_ANNUAL
from thetawarden.practice.model import (
    Contract,
    ContractQuery,
    CorporateEventKind,
    Quote,
    SecType,
)

Floats: TypeAlias = NDArray[np.float64]
_SLACK = 1e-9
_CHECKED_EXPIRIES = (0, 3, 12)
_YIELD_ANNUAL_MAX = 0.014
"""No underlying that is checked pays more."""


def of_prices(market: PracticeMarket) -> int:
    """Count quotes of underlyings and futures that no market would show."""
    con_ids = [one.con_id for one in market.underlyings()]
    for symbol in ("ES", "NQ", "RTY", "VIX"):
        found = market.find(ContractQuery(symbol=symbol, sec_type="FUT"))
        con_ids += [one.contract.con_id for one in found]
    quotes = [one for one in market.quotes(con_ids) if one is not None]
    return (len(con_ids) - len(quotes)) + sum(_is_bad(one) for one in quotes)


def of_chains(market: PracticeMarket, symbol: str, trading_class: str) -> tuple[int, int]:
    """Count violations in some expiries of a class, and the options that were looked at."""
    under = market.search(symbol)[0].contract
    rows = market.chains(under_con_id=under.con_id)
    expiries = next(one for one in rows if one.trading_class == trading_class).expiries
    bad = seen = 0
    before: dict[str, Floats] | None = None
    for at in _CHECKED_EXPIRIES:
        if at >= len(expiries):
            continue
        sides, faults = _columns(market, symbol, trading_class, expiries[at])
        bad += faults
        if not len(sides["strike"]):
            continue
        seen += 2 * len(sides["strike"])
        bad += _within(sides)
        if under.sec_type is SecType.INDEX:
            bad += _parity(sides) + (0 if before is None else _across(before, sides))
        else:
            bad += _american_parity(market, under, sides, expiries[at])
            bad += 0 if before is None else _across_american(before, sides)
        before = sides
    return bad, seen


def _columns(
    market: PracticeMarket, symbol: str, trading_class: str, expiry: dt.date
) -> tuple[dict[str, Floats], int]:
    query = ContractQuery(
        symbol=symbol,
        sec_type="OPT",
        expiry=f"{expiry:%Y%m%d}",
        trading_class=trading_class,
    )
    found = market.find(query)
    quotes = market.quotes([one.contract.con_id for one in found])
    faults = sum(one is None or _is_bad(one) for one in quotes)
    by_right: dict[str, dict[float, tuple[float, float]]] = {"C": {}, "P": {}}
    for details, quote in zip(found, quotes, strict=True):
        strike = details.contract.strike
        if quote is not None and quote.bid is not None and quote.ask is not None and strike:
            by_right[details.contract.right][strike] = (quote.bid, quote.ask)
    strikes = sorted(by_right["C"].keys() & by_right["P"].keys())
    calls = np.array([by_right["C"][one] for one in strikes]).reshape(-1, 2)
    puts = np.array([by_right["P"][one] for one in strikes]).reshape(-1, 2)
    columns = {
        "expiry_day": np.array(float(expiry.toordinal())),
        "strike": np.array(strikes),
        "call_bid": calls[:, 0],
        "call_ask": calls[:, 1],
        "put_bid": puts[:, 0],
        "put_ask": puts[:, 1],
    }
    return columns, faults


def _within(sides: dict[str, Floats]) -> int:
    strike = sides["strike"]
    wide = np.diff(strike)
    call_bid, call_ask = sides["call_bid"], sides["call_ask"]
    put_bid, put_ask = sides["put_bid"], sides["put_ask"]
    bad = int(np.sum(call_bid[1:] - call_ask[:-1] > _SLACK))
    bad += int(np.sum(put_bid[:-1] - put_ask[1:] > _SLACK))
    bad += int(np.sum(call_bid[:-1] - call_ask[1:] > wide + _SLACK))
    bad += int(np.sum(put_bid[1:] - put_ask[:-1] > wide + _SLACK))
    weight = wide[1:] / (strike[2:] - strike[:-2])
    for bid, ask in ((call_bid, call_ask), (put_bid, put_ask)):
        wings = weight * ask[:-2] + (1.0 - weight) * ask[2:]
        bad += int(np.sum(bid[1:-1] - wings > _SLACK))
    return bad


def _parity(sides: dict[str, Floats]) -> int:
    """Synthetic forwards of two strikes may not be bought and sold for more than they pay."""
    strike = sides["strike"]
    sold = sides["call_bid"] - sides["put_ask"]
    bought = sides["call_ask"] - sides["put_bid"]
    box_bid = sold[:-1] - bought[1:]
    return int(np.sum(box_bid > np.diff(strike) + _SLACK))


def _across(early: dict[str, Floats], late: dict[str, Floats]) -> int:
    """A call that lives longer may not cost less than one bids, but for what is paid meanwhile."""
    _, at, later = np.intersect1d(early["strike"], late["strike"], return_indices=True)
    years = float(late["expiry_day"] - early["expiry_day"]) / 365.0
    paid = _YIELD_ANNUAL_MAX * years * (early["strike"][at] + early["call_bid"][at])
    return int(np.sum(early["call_bid"][at] - late["call_ask"][later] > paid))


def _american_parity(
    market: PracticeMarket, under: Contract, sides: dict[str, Floats], expiry: dt.date
) -> int:
    """A call less a put lies between the share less dividends and strike, and less its bond."""
    share, strike = market.quote(under.con_id), sides["strike"]
    if share is None or share.bid is None or share.ask is None:
        return 0
    today = new_york_date(market.now_ns)
    paid = sum(
        one.amount_usd or 0.0
        for one in market.events(con_id=under.con_id, first=today, last=expiry)
        if one.kind is CorporateEventKind.DIVIDEND
    )
    bond = strike * np.exp(-RATE_ANNUAL * ((expiry - today).days + 1.0) / 365.0)
    over = sides["call_bid"] - sides["put_ask"] - (share.ask - bond)
    under_it = share.bid - paid - strike - (sides["call_ask"] - sides["put_bid"])
    return int(np.sum(over > _SLACK)) + int(np.sum(under_it > _SLACK))


def _across_american(early: dict[str, Floats], late: dict[str, Floats]) -> int:
    """What lives longer may do all that ends sooner, so it may not cost less than that bids."""
    _, at, later = np.intersect1d(early["strike"], late["strike"], return_indices=True)
    return sum(
        int(np.sum(early[f"{right}_bid"][at] - late[f"{right}_ask"][later] > _SLACK))
        for right in ("call", "put")
    )


def _is_bad(quote: Quote) -> bool:
    known = [
        one
        for one in (quote.bid, quote.ask, quote.last, quote.mark, quote.close, quote.open)
        if one is not None
    ]
    if not np.all(np.isfinite(known)) or min(known, default=0.0) < 0.0:
        return True
    return quote.bid is not None and quote.ask is not None and quote.bid >= quote.ask
