"""States every position as people, the lake and the limits see it: held, valued, and with results.

The quantity is the broker's, because that is what can hurt us; our own count stands beside it and
differs only while something is unexplained. What rests on an unknown price or delta is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, to_cents
from thetawarden.domain.books.gaps import contract_words
from thetawarden.domain.books.holding import Holding
from thetawarden.domain.books.profit import DayStart, result_of
from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.remembering import remembered

ROWS_KEPT = 4096
_COST = Decimal("0.0001")
_NO_START = DayStart()


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract is worth a share now, and how much that moves; Greeks are of one share."""

    mark_usd: Decimal
    at_ns: UnixNs
    delta_per_share: float | None = None
    gamma_per_usd: float | None = None
    vega_usd_per_vol_point: float | None = None
    theta_usd_per_day: float | None = None


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position; average cost per unit with multiplier and commission, results in cents."""

    account: str
    instrument: Instrument
    contract: str
    quantity: Decimal
    book_quantity: Decimal
    average_cost_usd: Decimal
    mark_usd: Decimal | None
    marked_ns: UnixNs | None
    value_usd: Decimal | None
    unrealised_usd: Decimal | None
    realised_usd: Decimal
    realised_today_usd: Decimal
    day_usd: Decimal | None
    fees_usd: Decimal
    delta_shares: float | None
    gamma_shares_per_usd: float | None = None
    vega_usd_per_vol_point: float | None = None
    theta_usd_per_day: float | None = None


_GREEKS = (
    "delta_shares",
    "gamma_shares_per_usd",
    "vega_usd_per_vol_point",
    "theta_usd_per_day",
)


def position_rows(
    holdings: Mapping[str, Holding],
    *,
    broker: Mapping[str, BrokerPosition],
    starts: Mapping[str, DayStart],
    marks: Mapping[int, Mark],
    closed: bool = False,
) -> tuple[PositionRow, ...]:
    """Return a row for everything that we or the broker hold; `closed` adds what is held no more.

    `broker` lists what the broker was heard to hold, zero included; what it never spoke of counts
    as in our book.
    """
    rows = []
    for key in sorted(holdings.keys() | broker.keys()):
        told, held = broker.get(key), holdings.get(key)
        if held is None and told is not None:
            held = Holding(account=told.account, instrument=told.instrument)
        if held is None:
            continue
        quantity = held.quantity if told is None else told.quantity
        if quantity or held.quantity or closed:
            mark = marks.get(held.instrument.conid)
            rows.append(_row(held, quantity, starts.get(key, _NO_START), mark))
    return tuple(rows)


def held_underlyings(rows: tuple[PositionRow, ...]) -> tuple[str, ...]:
    """Return the symbols of all that is held, in alphabetical order."""
    return tuple(sorted({one.instrument.symbol for one in rows if one.quantity}))


@remembered(ROWS_KEPT)
def _row(  # by identity
    held: Holding, quantity: Decimal, start: DayStart, mark: Mark | None, /
) -> PositionRow:
    price = None if mark is None else mark.mark_usd
    result = result_of(held, start=start, mark_usd=price)
    value = None if price is None else to_cents(held.value_usd(price))
    return PositionRow(
        account=held.account,
        instrument=held.instrument,
        contract=contract_words(held.instrument),
        quantity=quantity,
        book_quantity=held.quantity,
        average_cost_usd=held.average_cost_usd.quantize(_COST),
        mark_usd=price,
        marked_ns=None if mark is None else mark.at_ns,
        value_usd=value,
        unrealised_usd=result.unrealised_usd if held.quantity else ZERO,
        realised_usd=result.realised_usd,
        realised_today_usd=result.realised_today_usd,
        day_usd=result.day_usd,
        fees_usd=result.fees_usd,
        **_greeks(held.instrument, quantity, mark),
    )


def _greeks(
    instrument: Instrument, quantity: Decimal, mark: Mark | None
) -> dict[str, float | None]:
    """Of the whole position; a share moves with itself and with nothing else."""
    shares = float(quantity) * instrument.multiplier
    if instrument.kind is InstrumentKind.STOCK:
        return dict(zip(_GREEKS, (float(quantity), 0.0, 0.0, 0.0), strict=True))
    found = (None,) * 4 if mark is None else _per_share(mark)
    return {
        name: None if one is None else shares * one
        for name, one in zip(_GREEKS, found, strict=True)
    }


def _per_share(mark: Mark) -> tuple[float | None, ...]:
    return (
        mark.delta_per_share,
        mark.gamma_per_usd,
        mark.vega_usd_per_vol_point,
        mark.theta_usd_per_day,
    )
