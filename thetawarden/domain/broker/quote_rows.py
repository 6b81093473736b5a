"""Decides how quotes are written one after the other, so that many are read as columns at once.

A watcher hears thousands of quotes a second when the market is busy. As rows of one length they are
looked at by column, without an object for each. What is unknown is NaN here, and None in a `Quote`.
Logs hold these rows: the fields, their order and the numbers of `DATA_TYPES` stay as they are.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.quote import BrokerGreeks, DataType, Quote

DATA_TYPES: Final = (
    DataType.LIVE,
    DataType.FROZEN,
    DataType.DELAYED,
    DataType.DELAYED_FROZEN,
)
HALTED: Final = {None: -1, False: 0, True: 1}
_HALTED_OF: Final = {code: halted for halted, code in HALTED.items()}
_CODE_OF: Final = {data_type: code for code, data_type in enumerate(DATA_TYPES)}
_PRICES: Final = (
    *("bid_usd", "ask_usd", "bid_size", "ask_size", "last_usd", "close_usd", "volume"),
    "open_interest",
)
_GREEKS: Final = BrokerGreeks.__struct_fields__
_prices_of = attrgetter(*_PRICES)
_greeks_of = attrgetter(*_GREEKS)
_NO_GREEKS: Final = (math.nan,) * len(_GREEKS)
ROW: Final = np.dtype(
    [
        *((name, "<i8") for name in ("conid", "at_ns", "two_sided_ns")),
        *((name, "<f8") for name in (*_PRICES, *_GREEKS)),
        ("updates", "<i4"),
        *((name, "i1") for name in ("data_type", "halted", "has_greeks")),
        ("spare", "i1"),
    ]
)
_AS_WRITTEN: Final = struct.Struct(f"<3q{len(_PRICES) + len(_GREEKS)}di3bx")

QuoteRows = NDArray[np.void]


def write_quotes(quotes: Iterable[Quote]) -> bytes:
    """Return the quotes as rows."""
    return b"".join(_AS_WRITTEN.pack(*_values(quote)) for quote in quotes)


def quote_rows(written: bytes) -> QuoteRows:
    """Return what was written as columns by name; nobody may write to them."""
    return np.frombuffer(written, dtype=ROW)


def quote_at(written: bytes, place: int) -> Quote:
    """Return the quote at a place."""
    return _quote(_AS_WRITTEN.unpack_from(written, place * _AS_WRITTEN.size))


def read_quotes(written: bytes) -> tuple[Quote, ...]:
    """Return the quotes one by one."""
    return tuple(map(_quote, _AS_WRITTEN.iter_unpack(written)))


def _values(quote: Quote) -> tuple[float, ...]:
    greeks = quote.greeks
    return (
        quote.conid,
        quote.at_ns,
        quote.two_sided_ns,
        *[math.nan if one is None else one for one in _prices_of(quote)],
        *(_NO_GREEKS if greeks is None else _known(greeks)),
        quote.updates,
        _CODE_OF[quote.data_type],
        HALTED[quote.halted],
        greeks is not None,
    )


def _known(greeks: BrokerGreeks) -> list[float]:
    return [math.nan if one is None else one for one in _greeks_of(greeks)]


def _quote(values: tuple[Any, ...]) -> Quote:
    conid, at_ns, two_sided_ns, *figures, updates, data_type, halted, has_greeks = values
    told = [None if one != one else one for one in figures]  # noqa: PLR0124  # NaN is not itself
    bid_usd, ask_usd, bid_size, ask_size, last_usd, close_usd, volume, open_interest = told[:8]
    return Quote(
        conid=conid,
        at_ns=at_ns,
        two_sided_ns=two_sided_ns,
        data_type=DATA_TYPES[data_type],
        bid_usd=bid_usd,
        ask_usd=ask_usd,
        bid_size=bid_size,
        ask_size=ask_size,
        last_usd=last_usd,
        close_usd=close_usd,
        volume=volume,
        open_interest=open_interest,
        halted=_HALTED_OF[halted],
        greeks=_greeks(told[8:]) if has_greeks else None,
        updates=updates,
    )


def _greeks(figures: list[float | None]) -> BrokerGreeks:
    return BrokerGreeks(**dict(zip(_GREEKS, figures, strict=True)))
