"""Ticks: the hot path. A tick is kept without its request id, so that one serves every client.

`assemble` puts the request id in and frames them, many at once.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import ascii_text, message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from thetawarden.practice.model import DepthRow, Greeks, MidTick, QuoteTick, TradeTick

Tick: TypeAlias = tuple[bytes, bytes]
"""What stands before the request id, and what stands behind it."""

_VERSION = 6


def _head(kind: Outgoing, *rest: int) -> bytes:
    return "".join(f"{number}\0" for number in (kind.value, *rest)).encode()


_PRICE = _head(Outgoing.TICK_PRICE, _VERSION)
_SIZE = _head(Outgoing.TICK_SIZE, _VERSION)
_GENERIC = _head(Outgoing.TICK_GENERIC, _VERSION)
_STRING = _head(Outgoing.TICK_STRING, _VERSION)
_OPTION = _head(Outgoing.TICK_OPTION)
_NEWS = _head(Outgoing.TICK_NEWS)
_BY_TICK = _head(Outgoing.TICK_BY_TICK)

_length = struct.Struct(">I").pack
_NS_PER_S = 1_000_000_000
_text = float.__repr__


def assemble(req_id: int, ticks: Iterable[Tick]) -> bytes:
    """Return the framed ticks of one request."""
    middle = str(req_id).encode()
    parts: list[bytes] = []
    for before, after in ticks:
        parts += (_length(len(before) + len(middle) + len(after)), before, middle, after)
    return b"".join(parts)


def tick_price(kind: int, price: float | None, *, size: int, mask: int) -> Tick:
    """A price with its size; None becomes -1, "no such price now"."""
    text = "-1" if price is None else _text(float(price))
    return _PRICE, f"\0{kind}\0{text}\0{size}\0{mask}\0".encode()


def tick_size(kind: int, size: int) -> Tick:
    """A size on its own."""
    return _SIZE, f"\0{kind}\0{size}\0".encode()


def tick_generic(kind: int, value: float) -> Tick:
    """A tick that is a bare number."""
    return _GENERIC, f"\0{kind}\0{_text(float(value))}\0".encode()


def tick_string(kind: int, value: str) -> Tick:
    """A tick that is text."""
    return _STRING, f"\0{kind}\0{ascii_text(value)}\0".encode()


def tick_option(kind: int, greeks: Greeks) -> Tick:
    """An option computation; what is not computed becomes -1 or -2, as the field has it."""
    g = greeks
    values = (
        _or(g.iv_annual, "-1"),
        _or(g.delta, "-2"),
        _or(g.price, "-1"),
        _or(g.pv_dividend, "-1"),
        _or(g.gamma, "-2"),
        _or(g.vega, "-2"),
        _or(g.theta, "-2"),
        _or(g.under_price, "-1"),
    )
    return _OPTION, f"\0{kind}\x000\0{chr(0).join(values)}\0".encode()


def _or(value: float | None, sentinel: str) -> str:
    return sentinel if value is None else _text(float(value))


def tick_news(*, at_ns: int, provider: str, article_id: str, headline: str) -> Tick:
    """A headline on a line of market data."""
    fields = (str(at_ns // 1_000_000), provider, article_id, ascii_text(headline), "")
    return _NEWS, f"\0{chr(0).join(fields)}\0".encode()


def tick_req_params(req_id: int, *, min_tick: float, bbo_exchange: str, permissions: int) -> bytes:
    """What a new line of market data is like."""
    return message(Outgoing.TICK_REQ_PARAMS, req_id, min_tick, bbo_exchange, permissions)


def market_data_type(req_id: int, kind: int) -> bytes:
    """Live, frozen, delayed or delayed frozen."""
    return message(Outgoing.MARKET_DATA_TYPE, 1, req_id, kind)


def snapshot_end(req_id: int) -> bytes:
    """A snapshot is complete."""
    return message(Outgoing.TICK_SNAPSHOT_END, 1, req_id)


def depth_row(req_id: int, *, position: int, operation: int, side: int, row: DepthRow) -> bytes:
    """One change of a book: operation 0 insert, 1 update, 2 delete; side 1 bid, 0 ask."""
    return message(Outgoing.MARKET_DEPTH, 1, req_id, position, operation, side, row.price, row.size)


def smart_depth_row(
    req_id: int, *, position: int, operation: int, side: int, row: DepthRow
) -> bytes:
    """The same for a book gathered from several exchanges."""
    maker, smart = row.market_maker or "SMART", 1
    return message(
        Outgoing.MARKET_DEPTH_L2,
        1,
        req_id,
        position,
        maker,
        operation,
        side,
        row.price,
        row.size,
        smart,
    )


def by_tick_trade(kind: int, tick: TradeTick) -> Tick:
    """One print of a tick-by-tick subscription: kind 1 Last, 2 AllLast."""
    mask = 2 if tick.unreported else 0
    body = f"{tick.at_ns // _NS_PER_S}\0{_text(float(tick.price))}\0{tick.size}\0{mask}"
    return _BY_TICK, f"\0{kind}\0{body}\0{tick.exchange}\0{tick.conditions}\0".encode()


def by_tick_quote(tick: QuoteTick) -> Tick:
    """One change of the best prices."""
    prices = f"{_text(float(tick.bid))}\0{_text(float(tick.ask))}"
    body = f"{tick.at_ns // _NS_PER_S}\0{prices}\0{tick.bid_size}\0{tick.ask_size}"
    return _BY_TICK, f"\x003\0{body}\x000\0".encode()


def by_tick_mid(tick: MidTick) -> Tick:
    """One change of the midpoint."""
    return _BY_TICK, f"\x004\0{tick.at_ns // _NS_PER_S}\0{_text(float(tick.price))}\0".encode()
