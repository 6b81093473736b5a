"""Reads contracts as clients write them: twelve fields, and the legs of a combination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import ContractQuery, Leg, SecType

if TYPE_CHECKING:
    from thetawarden.practice.wire.reader import FieldReader

_RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}


def contract12(reader: FieldReader) -> ContractQuery:
    """Read conId to tradingClass, primaryExchange included."""
    return ContractQuery(
        con_id=reader.integer(),
        symbol=reader.text(),
        sec_type=reader.text(),
        expiry=_expiry(reader.text()),
        strike=reader.optional_float() or None,
        right=_RIGHTS.get(reader.text().upper(), ""),
        multiplier=reader.text(),
        exchange=reader.text(),
        primary_exchange=reader.text(),
        currency=reader.text(),
        local_symbol=reader.text(),
        trading_class=reader.text(),
    )


def contract11(reader: FieldReader) -> ContractQuery:
    """Read conId to tradingClass where there is no primaryExchange."""
    return ContractQuery(
        con_id=reader.integer(),
        symbol=reader.text(),
        sec_type=reader.text(),
        expiry=_expiry(reader.text()),
        strike=reader.optional_float() or None,
        right=_RIGHTS.get(reader.text().upper(), ""),
        multiplier=reader.text(),
        exchange=reader.text(),
        currency=reader.text(),
        local_symbol=reader.text(),
        trading_class=reader.text(),
    )


def contract7(reader: FieldReader) -> ContractQuery:
    """Read the short form of fundamental data requests."""
    return ContractQuery(
        con_id=reader.integer(),
        symbol=reader.text(),
        sec_type=reader.text(),
        exchange=reader.text(),
        primary_exchange=reader.text(),
        currency=reader.text(),
        local_symbol=reader.text(),
    )


def with_short_legs(query: ContractQuery, reader: FieldReader) -> ContractQuery:
    """Read the four-field legs that follow a BAG in data requests; others have none."""
    if query.sec_type != SecType.COMBO:
        return query
    legs = tuple(
        Leg(
            con_id=reader.integer(),
            ratio=reader.integer(),
            action=reader.text(),
            exchange=reader.text(),
        )
        for _ in range(reader.count())
    )
    return msgspec.structs.replace(query, legs=legs)


def full_legs(reader: FieldReader) -> tuple[Leg, ...]:
    """Read the eight-field legs of an order."""
    return tuple(
        Leg(
            con_id=reader.integer(),
            ratio=reader.integer(),
            action=reader.text(),
            exchange=reader.text(),
            open_close=reader.integer(),
            short_sale_slot=reader.integer(),
            designated_location=reader.text(),
            exempt_code=reader.integer(-1),
        )
        for _ in range(reader.count())
    )


def _expiry(text: str) -> str:
    """Keep the day or month; clients may echo the time of the last trade behind it."""
    return text.strip().replace("-", " ").split(" ")[0] if text.strip() else ""
