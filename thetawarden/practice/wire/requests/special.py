"""Requests whose layout depends on their own content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import ContractQuery
from thetawarden.practice.wire.requests.contracts import (
    contract7,
    contract11,
    contract12,
    with_short_legs,
)

if TYPE_CHECKING:
    from thetawarden.practice.wire.reader import FieldReader


class MarketData(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to a contract's quotes, or take one snapshot of them."""

    req_id: int
    contract: ContractQuery
    generic_ticks: str
    snapshot: bool
    regulatory_snapshot: bool


class HistoricalData(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for bars, and perhaps for updates of the last one."""

    req_id: int
    contract: ContractQuery
    include_expired: bool
    end: str
    bar_size: str
    duration: str
    regular_hours_only: bool
    what: str
    format_date: int
    keep_up_to_date: bool


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """Exercise or lapse options; the request id is an order id."""

    order_id: int
    contract: ContractQuery
    action: int
    quantity: int
    account: str
    override: bool


class FundamentalData(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a report about a company."""

    req_id: int
    contract: ContractQuery
    report: str


def market_data(reader: FieldReader) -> MarketData:
    """Read message 1."""
    reader.skip()
    req_id = reader.integer()
    contract = with_short_legs(contract12(reader), reader)
    if reader.flag():
        reader.texts(3)
    return MarketData(
        req_id=req_id,
        contract=contract,
        generic_ticks=reader.text(),
        snapshot=reader.flag(),
        regulatory_snapshot=reader.flag(),
    )


def historical_data(reader: FieldReader) -> HistoricalData:
    """Read message 20."""
    req_id = reader.integer()
    contract = contract12(reader)
    include_expired = reader.flag()
    end, bar_size, duration = reader.texts(3)
    regular_hours_only, what, format_date = reader.flag(), reader.text(), reader.integer(1)
    return HistoricalData(
        req_id=req_id,
        contract=with_short_legs(contract, reader),
        include_expired=include_expired,
        end=end,
        bar_size=bar_size,
        duration=duration,
        regular_hours_only=regular_hours_only,
        what=what,
        format_date=format_date,
        keep_up_to_date=reader.flag(),
    )


def exercise(reader: FieldReader) -> Exercise:
    """Read message 21."""
    reader.skip()
    return Exercise(
        order_id=reader.integer(),
        contract=contract11(reader),
        action=reader.integer(),
        quantity=reader.integer(),
        account=reader.text(),
        override=reader.flag(),
    )


def fundamental_data(reader: FieldReader) -> FundamentalData:
    """Read message 52."""
    reader.skip()
    return FundamentalData(
        req_id=reader.integer(), contract=contract7(reader), report=reader.text()
    )
