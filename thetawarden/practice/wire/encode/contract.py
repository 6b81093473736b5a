"""The contract as it stands in orders, executions, positions and portfolio rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import Contract, SecType
from thetawarden.practice.wire import times
from thetawarden.practice.wire.text import ascii_text, double

if TYPE_CHECKING:
    from thetawarden.practice.model import Leg

_MULTIPLIED = frozenset({SecType.OPTION, SecType.FUTURE})


def contract_fields(
    contract: Contract, *, exchange: str | None = None, no_right: str = ""
) -> list[str]:
    """Return conId to tradingClass, eleven fields; `exchange` overrides the contract's own."""
    is_option = contract.sec_type is SecType.OPTION
    return [
        str(contract.con_id),
        ascii_text(contract.symbol),
        contract.sec_type.value,
        times.day(contract.expiry),
        strike_text(contract),
        contract.right if is_option else no_right,
        multiplier_text(contract),
        ascii_text(contract.exchange if exchange is None else exchange),
        contract.currency,
        ascii_text(contract.local_symbol),
        ascii_text(contract.trading_class),
    ]


def strike_text(contract: Contract) -> str:
    """The strike, or 0 for what has none."""
    return "0" if contract.strike is None else double(contract.strike)


def multiplier_text(contract: Contract) -> str:
    """The multiplier, or nothing for what has none."""
    return str(contract.multiplier) if contract.sec_type in _MULTIPLIED else ""


def legs_fields(legs: tuple[Leg, ...]) -> list[str]:
    """Return the count of legs and eight fields for each."""
    fields = [str(len(legs))]
    for leg in legs:
        fields += [
            str(leg.con_id),
            str(leg.ratio),
            ascii_text(leg.action),
            ascii_text(leg.exchange),
            str(leg.open_close),
            str(leg.short_sale_slot),
            ascii_text(leg.designated_location),
            str(leg.exempt_code),
        ]
    return fields


def legs_description(legs: tuple[Leg, ...]) -> str:
    """`756733|1,320227571|-1`: conId and signed ratio of each leg."""
    return ",".join(
        f"{leg.con_id}|{leg.ratio if leg.action == 'BUY' else -leg.ratio}" for leg in legs
    )
