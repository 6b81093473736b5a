"""What market, exchange and wire say to each other: frozen values and two protocols.

Market and exchange read no clock: everything happens inside `Exchange.advance(to_ns)`, and the
result must not depend on how the interval is cut. Instants are integer UTC nanoseconds of market
time. Prices, volatilities and Greeks are floats; money in accounts is Decimal; whole units are int.
Quantities of orders are positive with a side; positions are signed. A value that is not known is
None, never NaN and never a sentinel: sentinels belong to the wire.
"""

from thetawarden.practice.model.account import (
    AccountRow,
    Pnl,
    PortfolioRow,
    Position,
    WhatIf,
)
from thetawarden.practice.model.events import (
    AccountChanged,
    Commissioned,
    ExchangeEvent,
    Executed,
    Listener,
    OrderChanged,
    OrderNoticed,
    PositionChanged,
)
from thetawarden.practice.model.exchange import Exchange, ExchangeLevers
from thetawarden.practice.model.history import (
    Bar,
    BarRequest,
    HistogramBin,
    MidTick,
    QuoteTick,
    Session,
    TickRequest,
    TradeTick,
)
from thetawarden.practice.model.instruments import (
    USD_COMBO_CON_ID,
    Chain,
    Contract,
    ContractDetails,
    ContractQuery,
    Leg,
    PriceBand,
    SecType,
)
from thetawarden.practice.model.market import Market, MarketLevers
from thetawarden.practice.model.news import (
    CorporateEvent,
    CorporateEventKind,
    NewsArticle,
    NewsProvider,
)
from thetawarden.practice.model.order_faults import OrderFaults
from thetawarden.practice.model.orders import (
    Action,
    CommissionReport,
    Condition,
    Execution,
    ExecutionFilter,
    ExerciseRequest,
    Notice,
    OrderKey,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderView,
    Tif,
)
from thetawarden.practice.model.passthrough import Passthrough
from thetawarden.practice.model.quotes import Depth, DepthRow, Greeks, Quote, Reference

__all__ = [
    "USD_COMBO_CON_ID",
    "AccountChanged",
    "AccountRow",
    "Action",
    "Bar",
    "BarRequest",
    "Chain",
    "CommissionReport",
    "Commissioned",
    "Condition",
    "Contract",
    "ContractDetails",
    "ContractQuery",
    "CorporateEvent",
    "CorporateEventKind",
    "Depth",
    "DepthRow",
    "Exchange",
    "ExchangeEvent",
    "ExchangeLevers",
    "Executed",
    "Execution",
    "ExecutionFilter",
    "ExerciseRequest",
    "Greeks",
    "HistogramBin",
    "Leg",
    "Listener",
    "Market",
    "MarketLevers",
    "MidTick",
    "NewsArticle",
    "NewsProvider",
    "Notice",
    "OrderChanged",
    "OrderFaults",
    "OrderKey",
    "OrderNoticed",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "OrderView",
    "Passthrough",
    "Pnl",
    "PortfolioRow",
    "Position",
    "PositionChanged",
    "PriceBand",
    "Quote",
    "QuoteTick",
    "Reference",
    "SecType",
    "Session",
    "TickRequest",
    "Tif",
    "TradeTick",
    "WhatIf",
]
