"""Which ticks tell a client that one quote became another, in the gateway's order.

Pure. Nothing is said about what did not change; a line's first quote is a change of everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire.encode.ticks import (
    tick_generic,
    tick_option,
    tick_price,
    tick_size,
    tick_string,
)

if TYPE_CHECKING:
    from thetawarden.practice.model import Quote
    from thetawarden.practice.wire.encode.ticks import Tick

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE = 0, 1, 2, 3, 4, 5
HIGH, LOW, VOLUME, CLOSE, OPEN = 6, 7, 8, 9, 14
BID_OPTION, ASK_OPTION, LAST_OPTION, MODEL_OPTION = 10, 11, 12, 13
AVG_VOLUME, HIST_VOL, IMPLIED_VOL = 21, 23, 24
CALL_OI, PUT_OI, CALL_VOLUME, PUT_VOLUME = 27, 28, 29, 30
BID_EXCHANGE, ASK_EXCHANGE, MARK, LAST_STAMP = 32, 33, 37, 45
SHORTABLE, RT_VOLUME, HALTED, TRADE_COUNT, DIVIDENDS = 46, 48, 49, 54, 59
FUTURE_OI, AVG_OPTION_VOLUME, SHORTABLE_SHARES = 86, 87, 89
DELAYED_STAMP, DELAYED_HALTED = 88, 90

_DELAYED = {
    BID: 66,
    ASK: 67,
    LAST: 68,
    BID_SIZE: 69,
    ASK_SIZE: 70,
    LAST_SIZE: 71,
    HIGH: 72,
    LOW: 73,
    VOLUME: 74,
    CLOSE: 75,
    OPEN: 76,
    BID_OPTION: 80,
    ASK_OPTION: 81,
    LAST_OPTION: 82,
    MODEL_OPTION: 83,
    LAST_STAMP: DELAYED_STAMP,
    HALTED: DELAYED_HALTED,
}
_SAME = {kind: kind for kind in range(100)}
_NS_PER_S = 1_000_000_000


def price_ticks(old: Quote | None, new: Quote, *, delayed: bool) -> list[Tick]:
    """Last, day's range, bid and ask: each price with its size, followed by the size alone."""
    kinds = _DELAYED if delayed else _SAME
    ticks: list[Tick] = []
    if new.last is not None and (old is None or _traded(old, new)):
        ticks += _last_ticks(old, new, kinds)
    elif new.volume is not None and (old is None or new.volume != old.volume):
        ticks.append(tick_size(kinds[VOLUME], new.volume))
    ticks += _day_ticks(old, new, kinds)
    ticks += _side_ticks(old, new, kinds)
    if (old is None and new.halted) or (old is not None and new.halted != old.halted):
        ticks.append(tick_generic(kinds[HALTED], 2.0 if new.halted else 0.0))
    return ticks


def option_ticks(old: Quote | None, new: Quote, *, delayed: bool) -> list[Tick]:
    """Option computations that changed: of bid, ask, last and the model."""
    kinds = _DELAYED if delayed else _SAME
    ticks: list[Tick] = []
    for kind, before, after in (
        (BID_OPTION, old and old.bid_greeks, new.bid_greeks),
        (ASK_OPTION, old and old.ask_greeks, new.ask_greeks),
        (LAST_OPTION, old and old.last_greeks, new.last_greeks),
        (MODEL_OPTION, old and old.model, new.model),
    ):
        if after is not None and after is not before and after != before:
            ticks.append(tick_option(kinds[kind], after))
    return ticks


def _traded(old: Quote, new: Quote) -> bool:
    return (
        new.last_at_ns != old.last_at_ns or new.last != old.last or new.last_size != old.last_size
    )


def _last_ticks(old: Quote | None, new: Quote, kinds: dict[int, int]) -> list[Tick]:
    ticks: list[Tick] = []
    if new.last_at_ns is not None:
        ticks.append(tick_string(kinds[LAST_STAMP], str(new.last_at_ns // _NS_PER_S)))
    if old is None or new.last != old.last:
        ticks.append(tick_price(kinds[LAST], new.last, size=new.last_size, mask=0))
    ticks.append(tick_size(kinds[LAST_SIZE], new.last_size))
    if new.volume is not None and (old is None or new.volume != old.volume):
        ticks.append(tick_size(kinds[VOLUME], new.volume))
    return ticks


def _day_ticks(old: Quote | None, new: Quote, kinds: dict[int, int]) -> list[Tick]:
    ticks: list[Tick] = []
    for kind, before, after in (
        (HIGH, old and old.high, new.high),
        (LOW, old and old.low, new.low),
        (CLOSE, old and old.close, new.close),
        (OPEN, old and old.open, new.open),
    ):
        if after is not None and after != before:
            ticks.append(tick_price(kinds[kind], after, size=0, mask=0))
    return ticks


def _side_ticks(old: Quote | None, new: Quote, kinds: dict[int, int]) -> list[Tick]:
    ticks: list[Tick] = []
    bid_size = new.bid_size if new.bid is not None else 0
    ask_size = new.ask_size if new.ask is not None else 0
    if old is None:
        if new.bid is None and new.ask is None and new.last is not None:
            return ticks
        return [
            tick_price(kinds[BID], new.bid, size=bid_size, mask=1),
            tick_price(kinds[ASK], new.ask, size=ask_size, mask=1),
            tick_size(kinds[BID_SIZE], bid_size),
            tick_size(kinds[ASK_SIZE], ask_size),
        ]
    if new.bid != old.bid:
        ticks.append(tick_price(kinds[BID], new.bid, size=bid_size, mask=1))
        ticks.append(tick_size(kinds[BID_SIZE], bid_size))
    elif new.bid_size != old.bid_size:
        ticks.append(tick_size(kinds[BID_SIZE], bid_size))
    if new.ask != old.ask:
        ticks.append(tick_price(kinds[ASK], new.ask, size=ask_size, mask=1))
        ticks.append(tick_size(kinds[ASK_SIZE], ask_size))
    elif new.ask_size != old.ask_size:
        ticks.append(tick_size(kinds[ASK_SIZE], ask_size))
    return ticks
