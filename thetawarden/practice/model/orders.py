"""What clients ask the exchange to do, and what it says about it.

An order belongs to `OrderKey` (client, order id); its durable identity is `perm_id`. Quantities are
positive whole units. A combination's price is per unit of the combination and may be negative.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.practice.model.instruments import Contract, ContractQuery
from thetawarden.practice.model.passthrough import Passthrough


class Action(enum.StrEnum):
    """Which way an order goes."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(enum.StrEnum):
    """Order types the exchange works; any other text is refused with 387."""

    LIMIT = "LMT"
    MARKET = "MKT"
    STOP = "STP"
    STOP_LIMIT = "STP LMT"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAIL LIMIT"
    MARKET_ON_CLOSE = "MOC"
    LIMIT_ON_CLOSE = "LOC"


class Tif(enum.StrEnum):
    """How long an order works; an empty text on the wire means DAY."""

    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"
    FOK = "FOK"
    OPG = "OPG"


class OrderStatus(enum.StrEnum):
    """IB's vocabulary of order states."""

    PENDING_SUBMIT = "PendingSubmit"
    PENDING_CANCEL = "PendingCancel"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    API_PENDING = "ApiPending"
    API_CANCELLED = "ApiCancelled"
    CANCELLED = "Cancelled"
    FILLED = "Filled"
    INACTIVE = "Inactive"


class OrderKey(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Who placed an order and under which number; client 0, order 0 is a manual one."""

    client_id: int
    order_id: int


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One order condition: IB's type number and its fields in wire order, as text."""

    kind: int
    fields: tuple[str, ...]


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order ticket; placing one under a key that works already modifies that order.

    `account` may be empty when the login has one account. `algo_params` belong to `algo_strategy`
    (`Adaptive`: `adaptivePriority`). `combo_prices` are per-leg prices, aligned with the legs.
    `received_ns` is the market time of arrival. The wire has already refused what cannot be parsed
    and `what_if` never reaches `place`.
    """

    key: OrderKey
    contract: ContractQuery
    action: Action
    quantity: int
    order_type: str
    limit_price: float | None = None
    aux_price: float | None = None
    tif: str = ""
    account: str = ""
    order_ref: str = ""
    transmit: bool = True
    parent_id: int = 0
    oca_group: str = ""
    oca_type: int = 0
    outside_rth: bool = False
    good_after_time: str = ""
    good_till_date: str = ""
    trigger_method: int = 0
    min_quantity: int | None = None
    trail_stop_price: float | None = None
    trailing_percent: float | None = None
    cash_quantity: float | None = None
    algo_strategy: str = ""
    algo_params: tuple[tuple[str, str], ...] = ()
    combo_prices: tuple[float | None, ...] = ()
    smart_routing: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    passthrough: Passthrough = Passthrough()


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the exchange holds it: everything openOrder, orderStatus and completedOrder say.

    `why_held` is IB's text (`child`, `child,trigger`, `trigger`, `locate`). `commission_usd` is
    None until known. `parent_perm_id`, `completed_at_ns` and `completed_status` serve completed
    orders (`Filled Size: 1`, `Cancelled by Trader`). `oca_group` in `request` is what the exchange
    uses: for bracket children the parent's perm id.
    """

    perm_id: int
    request: OrderRequest
    contract: Contract
    status: OrderStatus
    filled: int = 0
    remaining: int = 0
    average_price: float = 0.0
    last_fill_price: float = 0.0
    why_held: str = ""
    market_cap_price: float = 0.0
    commission_usd: Decimal | None = None
    warning_text: str = ""
    parent_perm_id: int | None = None
    placed_at_ns: int = 0
    auto_cancel_date: str = ""
    completed_at_ns: int | None = None
    completed_status: str = ""


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One fill; `exec_id` is durable and a correction raises its last part.

    `key` and `perm_id` are all 0 for assignments and liquidations the desk did not order. The
    `contract` of a combination's leg has an empty trading class, as recorded.
    """

    exec_id: str
    key: OrderKey
    perm_id: int
    account: str
    contract: Contract
    exchange: str
    at_ns: int
    side: Action
    quantity: int
    price: float
    cumulative_quantity: int
    average_price: float
    order_ref: str = ""
    liquidation: bool = False
    last_liquidity: int = 2


class CommissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution cost; `realized_pnl_usd` is None for an opening trade."""

    exec_id: str
    commission_usd: Decimal
    currency: str = "USD"
    realized_pnl_usd: Decimal | None = None


class ExecutionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions of the day a client wants; empty values filter nothing."""

    client_id: int = 0
    account: str = ""
    since_ns: int | None = None
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: Action | None = None


class ExerciseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Exercise (or lapse) long options; `override` skips the in-the-money check."""

    key: OrderKey
    contract: ContractQuery
    exercise: bool
    quantity: int
    account: str
    override: bool


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A code and text the gateway sends: a refusal, a warning or news about an order."""

    code: int
    text: str
    reject_json: str = ""
