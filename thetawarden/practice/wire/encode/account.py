"""Account values, portfolio, positions, summaries and results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire.encode.contract import contract_fields
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import double, lines, message

if TYPE_CHECKING:
    from thetawarden.practice.model import AccountRow, Pnl, PortfolioRow, Position


def account_value(row: AccountRow) -> bytes:
    """One account value."""
    return message(Outgoing.ACCOUNT_VALUE, 2, row.key, row.value, row.currency, row.account)


def portfolio_value(row: PortfolioRow) -> bytes:
    """One position, valued."""
    position = row.position
    contract = position.contract
    return lines(
        [
            str(Outgoing.PORTFOLIO_VALUE.value),
            "8",
            *contract_fields(contract, exchange=contract.primary_exchange, no_right="0"),
            str(position.quantity),
            double(row.market_price),
            double(row.market_value_usd),
            double(position.average_cost_usd),
            double(row.unrealized_pnl_usd),
            double(row.realized_pnl_usd),
            position.account,
        ]
    )


def account_time(text: str) -> bytes:
    """When account values were last computed, `HH:MM`."""
    return message(Outgoing.ACCOUNT_TIME, 1, text)


def account_download_end(account: str) -> bytes:
    """The first full set of values has been sent."""
    return message(Outgoing.ACCOUNT_DOWNLOAD_END, 1, account)


def position(row: Position) -> bytes:
    """One position; the exchange is the listing one for stocks, empty for derivatives."""
    return lines(
        [
            str(Outgoing.POSITION.value),
            "3",
            row.account,
            *contract_fields(row.contract, exchange=row.contract.primary_exchange),
            str(row.quantity),
            double(row.average_cost_usd),
        ]
    )


def position_end() -> bytes:
    """All positions have been sent."""
    return message(Outgoing.POSITION_END, 1)


def position_multi(req_id: int, row: Position) -> bytes:
    """One position of a per-account subscription."""
    return lines(
        [
            str(Outgoing.POSITION_MULTI.value),
            "1",
            str(req_id),
            row.account,
            *contract_fields(row.contract, exchange=row.contract.primary_exchange),
            str(row.quantity),
            double(row.average_cost_usd),
            "",
        ]
    )


def position_multi_end(req_id: int) -> bytes:
    """All positions of the account have been sent."""
    return message(Outgoing.POSITION_MULTI_END, 1, req_id)


def account_summary(req_id: int, row: AccountRow) -> bytes:
    """One tag of a summary."""
    return message(
        Outgoing.ACCOUNT_SUMMARY, 1, req_id, row.account, row.key, row.value, row.currency
    )


def account_summary_end(req_id: int) -> bytes:
    """All tags have been sent."""
    return message(Outgoing.ACCOUNT_SUMMARY_END, 1, req_id)


def account_update_multi(req_id: int, row: AccountRow) -> bytes:
    """One account value of a per-account subscription."""
    return message(
        Outgoing.ACCOUNT_UPDATE_MULTI, 1, req_id, row.account, "", row.key, row.value, row.currency
    )


def account_update_multi_end(req_id: int) -> bytes:
    """All values have been sent."""
    return message(Outgoing.ACCOUNT_UPDATE_MULTI_END, 1, req_id)


def pnl(req_id: int, value: Pnl) -> bytes:
    """An account's result."""
    return message(
        Outgoing.PNL,
        req_id,
        double(value.daily_usd),
        double(value.unrealized_usd),
        double(value.realized_usd),
    )


def pnl_single(req_id: int, value: Pnl) -> bytes:
    """A position's result; everything unset when there is no position."""
    return message(
        Outgoing.PNL_SINGLE,
        req_id,
        value.quantity,
        double(value.daily_usd),
        double(value.unrealized_usd),
        double(value.realized_usd),
        double(value.value_usd),
    )
