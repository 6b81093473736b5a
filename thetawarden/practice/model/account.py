"""What an account holds and is worth. Money is Decimal USD; quantities are signed whole units."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.practice.model.instruments import Contract
from thetawarden.practice.model.orders import Notice, OrderView


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Held units; `average_cost_usd` is per unit and includes multiplier and commission."""

    account: str
    contract: Contract
    quantity: int
    average_cost_usd: Decimal


class PortfolioRow(msgspec.Struct, frozen=True, kw_only=True):
    """A position valued now; the market price is per share, the value has multiplier and sign."""

    position: Position
    market_price: float
    market_value_usd: Decimal
    unrealized_pnl_usd: Decimal
    realized_pnl_usd: Decimal


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of account values as text, e.g. NetLiquidation, `100000.00`, USD."""

    account: str
    key: str
    value: str
    currency: str


class Pnl(msgspec.Struct, frozen=True, kw_only=True):
    """Profit and loss of an account or a position; None where it has no value."""

    daily_usd: Decimal | None
    unrealized_usd: Decimal | None
    realized_usd: Decimal | None
    quantity: int = 0
    value_usd: Decimal | None = None


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do to margin. With `refusal`, the numbers are sent and then the refusal.

    When the order cannot even be valued (unknown contract, bad price), view and margins are None
    and only the refusal counts. A perm id is consumed, as with the real gateway.
    """

    view: OrderView | None
    initial_before_usd: Decimal | None = None
    maintenance_before_usd: Decimal | None = None
    equity_before_usd: Decimal | None = None
    initial_change_usd: Decimal | None = None
    maintenance_change_usd: Decimal | None = None
    equity_change_usd: Decimal | None = None
    initial_after_usd: Decimal | None = None
    maintenance_after_usd: Decimal | None = None
    equity_after_usd: Decimal | None = None
    commission_usd: Decimal | None = None
    minimum_commission_usd: Decimal | None = None
    maximum_commission_usd: Decimal | None = None
    commission_currency: str = "USD"
    warning_text: str = ""
    refusal: Notice | None = None
