"""Defines everything the exchange remembers, so that it can be saved whole and gone on from.

Only what is here survives; caches and listeners do not. Instants are UTC nanoseconds.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from thetawarden.practice.account.book import Book
from thetawarden.practice.account.tariff import Charged
from thetawarden.practice.model import (
    CommissionReport,
    Contract,
    ContractDetails,
    Execution,
    OrderKey,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderView,
)

FORMAT_VERSION = 1
FIRST_PERM_ID = 1_000_000_001

NO_KEY = OrderKey(client_id=0, order_id=0)
"""The key of executions that no client ordered."""


class Wait(enum.StrEnum):
    """What keeps an acknowledged order from the book."""

    NOTHING = "nothing"
    PARENT = "parent"
    TRIGGER = "trigger"


class LiveOrder(msgspec.Struct, kw_only=True):
    """One transmitted order that has not ended.

    `looked_ns` is when it last met the market; `resting` says that it then stood in the book.
    `released` is how many units a child may trade, because its parent did; None without a parent.
    `shrunk` is what the fills of OCA siblings took off the quantity.
    `legging` holds, for a combination that trades leg by leg, the conIds still to be done for the
    `legging_units` combinations in hand, and `legging_price` what the legs done so far add up to.
    """

    perm_id: int
    request: OrderRequest
    contract: Contract
    status: OrderStatus
    placed_at_ns: int
    changed_at_ns: int
    looked_ns: int
    acknowledge_ns: int
    expires_ns: int | None = None
    active_from_ns: int | None = None
    acknowledged: bool = False
    wait: Wait = Wait.NOTHING
    parent_perm_id: int | None = None
    triggered: bool = False
    stop_price: float | None = None
    resting: bool = False
    filled: int = 0
    filled_amount: float = 0.0
    last_fill_price: float = 0.0
    commission_usd: Decimal | None = None
    charged: dict[str, Charged] = msgspec.field(default_factory=dict)
    cancel_due_ns: int | None = None
    doom_after_fill: bool = False
    released: int | None = None
    shrunk: int = 0
    conditions_met: bool = False
    leg_by_leg: bool = False
    legging: list[int] = msgspec.field(default_factory=list)
    legging_units: int = 0
    legging_price: float = 0.0

    @property
    def remaining(self) -> int:
        """Units still to be filled."""
        return max(self.request.quantity - self.filled, 0)

    @property
    def available(self) -> int:
        """Units that may be filled now."""
        if self.released is None:
            return self.remaining
        return max(min(self.released, self.request.quantity) - self.filled, 0)

    @property
    def order_type(self) -> OrderType:
        """The type, checked when the order was taken in."""
        return OrderType(self.request.order_type)

    @property
    def average_price(self) -> float:
        """The mean price of what was filled."""
        return self.filled_amount / self.filled if self.filled else 0.0


class ExecutionRecord(msgspec.Struct, kw_only=True):
    """A fill of the day, what it cost, and from when on its cost is told (None: never)."""

    execution: Execution
    fees_usd: Decimal
    report: CommissionReport | None
    report_due_ns: int | None
    reported: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How much our own fills took of a shown size; it comes back with time or a new price."""

    price: float
    size: float
    at_ns: int


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder wants done with long options tonight."""

    perm_id: int
    account: str
    con_id: int
    quantity: int
    exercise: bool
    view: OrderView


class AdjustedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """What a split made of a series, and the volatility it had then."""

    details: ContractDetails
    iv_annual: float


class State(msgspec.Struct, kw_only=True):
    """The whole exchange.

    `settled` holds the underlying's price by conId of what has expired, `adjusted` the terms of
    series that splits have made non-standard, `uncosted` the fills of earlier days whose cost is
    not told yet.
    """

    version: int = FORMAT_VERSION
    seed: int
    now_ns: int
    day: dt.date
    next_midnight_ns: int
    next_overnight_ns: int
    checked_ns: int
    next_perm_id: int = FIRST_PERM_ID
    next_execution: int = 1
    margin_factor: float = 1.0
    hold_ns: int = 0
    held_until_ns: int = 0
    orders: dict[int, LiveOrder] = msgspec.field(default_factory=dict)
    untransmitted: list[OrderRequest] = msgspec.field(default_factory=list)
    completed: list[OrderView] = msgspec.field(default_factory=list)
    executions: list[ExecutionRecord] = msgspec.field(default_factory=list)
    uncosted: list[ExecutionRecord] = msgspec.field(default_factory=list)
    books: dict[str, Book] = msgspec.field(default_factory=dict)
    taken: dict[str, Taken] = msgspec.field(default_factory=dict)
    next_report_ns: int | None = None
    adjusted: dict[int, AdjustedSeries] = msgspec.field(default_factory=dict)
    settled: dict[int, float] = msgspec.field(default_factory=dict)
    instructions: list[Instruction] = msgspec.field(default_factory=list)
