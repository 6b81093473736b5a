"""Reads the broker's own words for states and figures, whoever tells them: wire or simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.instants import UnixNs

ORDER_STATES: Mapping[str, BrokerOrderState] = MappingProxyType(
    {
        "PendingSubmit": BrokerOrderState.PENDING,
        "ApiPending": BrokerOrderState.PENDING,
        "PreSubmitted": BrokerOrderState.WORKING,
        "Submitted": BrokerOrderState.WORKING,
        "PendingCancel": BrokerOrderState.CANCELLING,
        "Cancelled": BrokerOrderState.CANCELLED,
        "ApiCancelled": BrokerOrderState.CANCELLED,
        "Filled": BrokerOrderState.FILLED,
        "Inactive": BrokerOrderState.INACTIVE,
    }
)

_FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "TotalCashValue": "cash_usd",
        "NetLiquidation": "net_liquidation_usd",
        "EquityWithLoanValue": "equity_with_loan_usd",
        "InitMarginReq": "initial_margin_usd",
        "MaintMarginReq": "maintenance_margin_usd",
        "AvailableFunds": "available_usd",
        "ExcessLiquidity": "excess_liquidity_usd",
        "BuyingPower": "buying_power_usd",
        "RealizedPnL": "realised_usd",
        "UnrealizedPnL": "unrealised_usd",
        "AccruedCash": "accrued_interest_usd",
        "AccruedDividend": "accrued_dividends_usd",
    }
)
"""The broker's words for the figures we keep, all in USD."""


def order_state(word: str) -> BrokerOrderState:
    """Return what the broker's word says of an order; one we do not know says nothing."""
    return ORDER_STATES.get(word, BrokerOrderState.UNKNOWN)


def account_values(
    rows: Iterable[tuple[str, str, str, str]], *, account: str, at_ns: UnixNs
) -> AccountValues:
    """Gather an account's figures from rows of account, word, text and currency.

    Whatever was not said in USD is None.
    """
    figures: dict[str, Decimal | None] = {}
    cushion, ready = None, False
    for of, word, text, currency in rows:
        if of != account:
            continue
        if word == "AccountReady":
            ready = text == "true"
        elif word == "Cushion":
            cushion = figure(text)
        elif word in _FIGURES and currency in ("USD", "BASE"):
            name = _FIGURES[word]
            if currency == "USD" or name not in figures:
                figures[name] = figure(text)
    share = None if cushion is None else float(cushion)
    return AccountValues(
        account=account, at_ns=at_ns, ready=ready, cushion_fraction=share, **figures
    )


def figure(text: str) -> Decimal | None:
    """Return an amount as it was written; None for a word, an infinity or the sign for unset."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal(10) ** 300 else None
