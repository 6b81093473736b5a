"""Defines what the broker says we hold and are worth.

`average_cost_usd` follows the broker's convention: per share for stock, per contract (multiplier
included) for options and futures, commission included. Values the broker left unset are None.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs


class BrokerPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One holding; quantity above zero is long, zero is told once when it is closed."""

    account: str
    instrument: Instrument
    quantity: Decimal
    average_cost_usd: Decimal


class AccountValues(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures at an instant; `ready` is false while the broker still sums up."""

    account: str
    at_ns: UnixNs
    ready: bool
    cash_usd: Decimal | None = None
    net_liquidation_usd: Decimal | None = None
    equity_with_loan_usd: Decimal | None = None
    initial_margin_usd: Decimal | None = None
    maintenance_margin_usd: Decimal | None = None
    available_usd: Decimal | None = None
    excess_liquidity_usd: Decimal | None = None
    buying_power_usd: Decimal | None = None
    realised_usd: Decimal | None = None
    unrealised_usd: Decimal | None = None
    cushion_fraction: float | None = None
    accrued_interest_usd: Decimal | None = None
    accrued_dividends_usd: Decimal | None = None
