"""Sends account values, portfolios, summaries and results: all at first, then what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import Pnl
from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode import account as encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.gateway.subscriptions import AccountFeed, PnlFeed, RowFeed
    from thetawarden.practice.model import AccountRow, Exchange, PortfolioRow

NO_PNL = Pnl(daily_usd=None, unrealized_usd=None, realized_usd=None)
LEDGER_KEYS = frozenset(
    [
        "AccruedCash",
        "CashBalance",
        "CorporateBondValue",
        "Currency",
        "ExchangeRate",
        "FundValue",
        "FutureOptionValue",
        "FuturesPNL",
        "FxCashBalance",
        "IssuerOptionValue",
        "MoneyMarketFundValue",
        "MutualFundValue",
        "NetDividend",
        "NetLiquidationByCurrency",
        "OptionMarketValue",
        "RealCurrency",
        "RealizedPnL",
        "StockMarketValue",
        "TBillValue",
        "TBondValue",
        "TotalCashBalance",
        "UnrealizedPnL",
        "WarrantValue",
    ]
)


def send_account(session: Session, feed: AccountFeed, *, everything: bool) -> None:
    """Send values and portfolio of the subscribed account, each row followed by the time."""
    exchange = session.gateway.exchange
    time_text = f"{times.new_york(exchange.now_ns):%H:%M}"
    sent = False
    for row in exchange.account_rows(feed.account):
        key = (row.key, row.currency)
        if everything or feed.rows.get(key) != row:
            feed.rows[key] = row
            session.send(encode.account_value(row))
            sent = True
    for item in _changed_portfolio(feed, exchange.portfolio(feed.account), everything=everything):
        session.send(encode.portfolio_value(item))
        session.send(encode.account_time(time_text))
    if sent or everything:
        session.send(encode.account_time(time_text))
    if everything:
        session.send(encode.account_download_end(feed.account))


def _changed_portfolio(
    feed: AccountFeed, rows: Iterable[PortfolioRow], *, everything: bool
) -> list[PortfolioRow]:
    changed = []
    for row in rows:
        con_id = row.position.contract.con_id
        if everything or feed.portfolio.get(con_id) != row:
            feed.portfolio[con_id] = row
            changed.append(row)
    return changed


def wanted_rows(exchange: Exchange, feed: RowFeed) -> list[AccountRow]:
    """Return the rows a feed asked for that it does not have yet, and note them as sent."""
    accounts = exchange.accounts() if feed.account in ("", "All") else (feed.account,)
    changed = []
    for account in accounts:
        for row in exchange.account_rows(account):
            key = (account, row.key, row.currency)
            if _is_wanted(feed, row) and feed.rows.get(key) != row:
                feed.rows[key] = row
                changed.append(row)
    return changed


def send_summary(session: Session, feed: RowFeed, *, end: bool) -> None:
    """Send changed rows of a summary."""
    rows = wanted_rows(session.gateway.exchange, feed)
    for row in rows:
        session.send(encode.account_summary(feed.req_id, row))
    if end or rows:
        session.send(encode.account_summary_end(feed.req_id))


def send_multi(session: Session, feed: RowFeed, *, end: bool) -> None:
    """Send changed rows of a per-account subscription."""
    for row in wanted_rows(session.gateway.exchange, feed):
        session.send(encode.account_update_multi(feed.req_id, row))
    if end:
        session.send(encode.account_update_multi_end(feed.req_id))


def send_pnl(session: Session, feed: PnlFeed) -> None:
    """Send a result when it changed."""
    exchange = session.gateway.exchange
    if feed.con_id is None:
        value = exchange.pnl(feed.account)
    else:
        value = exchange.position_pnl(account=feed.account, con_id=feed.con_id) or NO_PNL
    if value == feed.last:
        return
    feed.last = value
    single = feed.con_id is not None
    session.send((encode.pnl_single if single else encode.pnl)(feed.req_id, value))


def _is_wanted(feed: RowFeed, row: AccountRow) -> bool:
    in_ledger = row.key in LEDGER_KEYS and row.currency != ""
    if feed.keys is None:
        return True
    if in_ledger and feed.ledger:
        return True
    return row.key in feed.keys and row.currency != "BASE"
