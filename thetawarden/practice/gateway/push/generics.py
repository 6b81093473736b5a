"""The ticks a client has to name: open interest, volatilities, dividends, shortable shares.

Pure. Numbers in a request's generic list select the ticks, IB's own numbering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway.push import ticks as kinds
from thetawarden.practice.model import SecType
from thetawarden.practice.wire.encode.ticks import (
    tick_generic,
    tick_price,
    tick_size,
    tick_string,
)

if TYPE_CHECKING:
    from thetawarden.practice.model import Contract, Quote, Reference
    from thetawarden.practice.wire.encode.ticks import Tick

OPTION_VOLUME, OPEN_INTEREST, HIST_VOL, AVG_OPTION_VOLUME, IMPLIED_VOL = 100, 101, 104, 105, 106
MISC, MARK, RT_VOLUME, SHORTABLE, NEWS, TRADE_COUNT = 165, 221, 233, 236, 292, 293
DIVIDENDS, FUTURE_OI = 456, 588

_PLENTY, _SOME, _NONE = 3.0, 2.0, 1.0


def wanted(text: str) -> frozenset[int] | None:
    """Read a generic tick list, `100,101,mdoff,292:BRFG`; None when it is not one."""
    numbers = set()
    for part in text.replace(" ", "").split(","):
        head = part.split(":")[0]
        if head in ("", "mdoff"):
            continue
        if not (head.isascii() and head.isdigit() and len(head) < 5):
            return None
        numbers.add(int(head))
    return frozenset(numbers)


def quote_ticks(
    generics: frozenset[int], contract: Contract, old: Quote | None, new: Quote
) -> list[Tick]:
    """Generic ticks that follow the quote itself."""
    ticks: list[Tick] = []
    if MARK in generics and new.mark is not None and (old is None or new.mark != old.mark):
        ticks.append(tick_price(kinds.MARK, new.mark, size=0, mask=0))
    interest = new.open_interest
    if interest is not None and (old is None or interest != old.open_interest):
        kind = _open_interest_kind(generics, contract)
        if kind is not None:
            ticks.append(tick_size(kind, interest))
    if RT_VOLUME in generics and new.last is not None and _traded(old, new):
        ticks.append(tick_string(kinds.RT_VOLUME, _rt_volume(new)))
    return ticks


def reference_ticks(generics: frozenset[int], known: Reference) -> list[Tick]:
    """Generic ticks about an underlying."""
    sizes = (
        (OPEN_INTEREST, kinds.CALL_OI, known.call_open_interest),
        (OPEN_INTEREST, kinds.PUT_OI, known.put_open_interest),
        (OPTION_VOLUME, kinds.CALL_VOLUME, known.call_volume),
        (OPTION_VOLUME, kinds.PUT_VOLUME, known.put_volume),
        (AVG_OPTION_VOLUME, kinds.AVG_OPTION_VOLUME, known.avg_option_volume),
        (MISC, kinds.AVG_VOLUME, known.avg_volume),
        (SHORTABLE, kinds.SHORTABLE_SHARES, known.shortable_shares),
    )
    numbers = (
        (HIST_VOL, kinds.HIST_VOL, known.hist_vol_annual),
        (IMPLIED_VOL, kinds.IMPLIED_VOL, known.implied_vol_annual),
        (TRADE_COUNT, kinds.TRADE_COUNT, known.trade_count),
        (SHORTABLE, kinds.SHORTABLE, _borrowing(known.shortable_shares)),
    )
    ticks = [
        tick_size(kind, value)
        for name, kind, value in sizes
        if name in generics and value is not None
    ]
    ticks += [
        tick_generic(kind, float(number))
        for name, kind, number in numbers
        if name in generics and number is not None
    ]
    if DIVIDENDS in generics and known.dividend_past_year is not None:
        ticks.append(tick_string(kinds.DIVIDENDS, _dividends(known)))
    return ticks


def _open_interest_kind(generics: frozenset[int], contract: Contract) -> int | None:
    if contract.sec_type is SecType.FUTURE:
        return kinds.FUTURE_OI if FUTURE_OI in generics else None
    if contract.sec_type is SecType.OPTION and OPEN_INTEREST in generics:
        return kinds.CALL_OI if contract.right == "C" else kinds.PUT_OI
    return None


def _traded(old: Quote | None, new: Quote) -> bool:
    return old is None or new.last_at_ns != old.last_at_ns


def _rt_volume(quote: Quote) -> str:
    at_ms = (quote.last_at_ns or quote.at_ns) // 1_000_000
    price = "" if quote.last is None else repr(quote.last)
    vwap = "" if quote.mark is None else repr(quote.mark)
    return f"{price};{quote.last_size};{at_ms};{quote.volume or 0};{vwap};true"


def _borrowing(shares: int | None) -> float | None:
    if shares is None:
        return None
    return _PLENTY if shares > 1000 else _SOME if shares > 0 else _NONE


def _dividends(known: Reference) -> str:
    day = "" if known.dividend_next_date is None else f"{known.dividend_next_date:%Y%m%d}"
    amount = "" if known.dividend_next_amount is None else f"{known.dividend_next_amount:g}"
    return f"{known.dividend_past_year or 0:g},{known.dividend_next_year or 0:g},{day},{amount}"
