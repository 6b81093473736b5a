"""What the exchange tells its listeners, in exactly the order clients must learn it.

Life of an order: every state change is one `OrderChanged` (the wire makes the openOrder and
orderStatus pair of it; of `Cancelled` only the status). A cancellation is `OrderChanged`
Cancelled, then `OrderNoticed` 202. A fill is `Executed`, `OrderChanged` without commission,
`OrderChanged` with it, `Commissioned`; then `PositionChanged` and `AccountChanged`. A combination:
`Executed` of the BAG, `OrderChanged`, then for each leg `Executed` and `OrderChanged`, then
`Commissioned` per leg. Nothing at all is said about an order that is not transmitted yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from thetawarden.practice.model.account import Position
from thetawarden.practice.model.orders import (
    CommissionReport,
    Execution,
    Notice,
    OrderKey,
    OrderView,
)


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An order reached a state, or its filled quantity, price or commission changed."""

    view: OrderView


class OrderNoticed(msgspec.Struct, frozen=True, kw_only=True):
    """An error or warning about an order, for the client that placed it."""

    key: OrderKey
    notice: Notice


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """A fill happened, or an earlier one was corrected (same id, last part raised)."""

    execution: Execution


class Commissioned(msgspec.Struct, frozen=True, kw_only=True):
    """The commission of an execution is known; `key` says whose order it was."""

    key: OrderKey
    report: CommissionReport


class PositionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A position changed, quantity 0 when it was closed."""

    position: Position


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Values of an account changed for another reason than market prices."""

    account: str


ExchangeEvent: TypeAlias = (
    OrderChanged | OrderNoticed | Executed | Commissioned | PositionChanged | AccountChanged
)
Listener: TypeAlias = Callable[[ExchangeEvent], None]
