"""Requests whose fields are exactly their attributes, in order; the reader follows the types."""

from __future__ import annotations

import msgspec

from thetawarden.practice.model import ContractQuery


class Nothing(msgspec.Struct, frozen=True):
    """A request without any argument."""


class ById(msgspec.Struct, frozen=True):
    """A request about an earlier one, or with nothing but its own id."""

    req_id: int


class Number(msgspec.Struct, frozen=True):
    """A request whose only argument is one number: a type, a count, a level."""

    value: int


class Switch(msgspec.Struct, frozen=True):
    """A request whose only argument is a yes or no."""

    on: bool


class StartApi(msgspec.Struct, frozen=True):
    """The client says who it is."""

    client_id: int


class CancelOrder(msgspec.Struct, frozen=True):
    """Cancel one order of this client."""

    order_id: int


class AccountUpdates(msgspec.Struct, frozen=True):
    """Subscribe to, or leave, one account's values and portfolio."""

    subscribe: bool
    account: str


class Executions(msgspec.Struct, frozen=True):
    """Ask for the day's fills; empty fields filter nothing."""

    req_id: int
    client_id: int
    account: str
    time: str
    symbol: str
    sec_type: str
    exchange: str
    side: str


class ContractDetailsFor(msgspec.Struct, frozen=True):
    """Ask for all contracts that match."""

    req_id: int
    contract: ContractQuery
    include_expired: bool
    sec_id_type: str
    sec_id: str
    issuer_id: str


class MarketDepth(msgspec.Struct, frozen=True):
    """Subscribe to a book."""

    req_id: int
    contract: ContractQuery
    rows: int
    smart: bool


class Scanner(msgspec.Struct, frozen=True):
    """Subscribe to a scan; only the leading, commonly used filters are interpreted."""

    req_id: int
    rows: int | None
    instrument: str
    location: str
    code: str
    above_price: float | None
    below_price: float | None
    above_volume: int | None
    market_cap_above: float | None
    market_cap_below: float | None


class RealTimeBars(msgspec.Struct, frozen=True):
    """Subscribe to five-second bars."""

    req_id: int
    contract: ContractQuery
    bar_s: int
    what: str
    regular_hours_only: bool


class ImpliedVolatility(msgspec.Struct, frozen=True):
    """Ask which volatility explains an option price."""

    req_id: int
    contract: ContractQuery
    option_price: float | None
    under_price: float | None


class OptionPrice(msgspec.Struct, frozen=True):
    """Ask what an option is worth at a volatility."""

    req_id: int
    contract: ContractQuery
    iv_annual: float | None
    under_price: float | None


class AccountSummary(msgspec.Struct, frozen=True):
    """Subscribe to chosen tags of a group of accounts."""

    req_id: int
    group: str
    tags: str


class ByAccount(msgspec.Struct, frozen=True):
    """Subscribe to something of one account and model."""

    req_id: int
    account: str
    model: str


class AccountUpdatesMulti(msgspec.Struct, frozen=True):
    """Subscribe to values of one account."""

    req_id: int
    account: str
    model: str
    ledger_and_nlv: bool


class PnlSingle(msgspec.Struct, frozen=True):
    """Subscribe to the result of one position."""

    req_id: int
    account: str
    model: str
    con_id: int


class OptionParameters(msgspec.Struct, frozen=True):
    """Ask for the option chains of an underlying."""

    req_id: int
    symbol: str
    future_exchange: str
    sec_type: str
    con_id: int


class MatchingSymbols(msgspec.Struct, frozen=True):
    """Ask which symbols look like a pattern."""

    req_id: int
    pattern: str


class SmartComponents(msgspec.Struct, frozen=True):
    """Ask what the exchange letters of a BBO map mean."""

    req_id: int
    bbo_exchange: str


class NewsArticleFor(msgspec.Struct, frozen=True):
    """Ask for one article's text."""

    req_id: int
    provider: str
    article_id: str


class HistoricalNews(msgspec.Struct, frozen=True):
    """Ask for headlines about one contract."""

    req_id: int
    con_id: int
    providers: str
    start: str
    end: str
    total: int | None


class HeadTimestamp(msgspec.Struct, frozen=True):
    """Ask since when there is data."""

    req_id: int
    contract: ContractQuery
    include_expired: bool
    regular_hours_only: bool
    what: str
    format_date: int


class Histogram(msgspec.Struct, frozen=True):
    """Ask for volume by price."""

    req_id: int
    contract: ContractQuery
    regular_hours_only: bool
    include_expired: bool
    period: str


class HistoricalTicks(msgspec.Struct, frozen=True):
    """Ask for single ticks of the past, from a start or up to an end."""

    req_id: int
    contract: ContractQuery
    include_expired: bool
    start: str
    end: str
    count: int | None
    what: str
    regular_hours_only: bool
    ignore_size: bool


class TickByTick(msgspec.Struct, frozen=True):
    """Subscribe to every tick of one kind."""

    req_id: int
    contract: ContractQuery
    kind: str
    count: int | None
    ignore_size: bool


class WshEvents(msgspec.Struct, frozen=True):
    """Ask for corporate events."""

    req_id: int
    con_id: int | None
    filter: str
    fill_watchlist: bool
    fill_portfolio: bool
    fill_competitors: bool
    start: str
    end: str
    limit: int | None
