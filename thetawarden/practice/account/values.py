"""Writes an account's figures as the lines a gateway sends, in alphabetical order of their keys.

Amounts of the segment come twice, plain and with the suffix of the securities segment; amounts of
the currency ledger come for BASE and for USD, which are the same here. Everything is text.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.practice.account.money import ZERO
from thetawarden.practice.model import AccountRow

USD, BASE, NONE = "USD", "BASE", ""
BUYING_POWER_PER_USD = 4


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is worth and owes at one moment, USD."""

    account: str
    cash_usd: Decimal
    settled_cash_usd: Decimal
    accrued_usd: Decimal
    stock_usd: Decimal
    option_usd: Decimal
    future_pnl_usd: Decimal
    gross_usd: Decimal
    net_liquidation_usd: Decimal
    initial_usd: Decimal
    maintenance_usd: Decimal
    realized_usd: Decimal
    unrealized_usd: Decimal
    next_change_s: int
    day: str

    @property
    def available_usd(self) -> Decimal:
        """What equity has beyond the initial requirement."""
        return self.net_liquidation_usd - self.initial_usd

    @property
    def excess_usd(self) -> Decimal:
        """What equity has beyond the maintenance requirement."""
        return self.net_liquidation_usd - self.maintenance_usd


def account_rows(figures: Figures) -> tuple[AccountRow, ...]:
    """Return every line of the account."""
    rows = [
        *_words(figures),
        *(row for key, amount in _segment(figures).items() for row in _twice(key, amount)),
        *((key, f"{amount:.2f}", USD) for key, amount in _singles(figures).items()),
        *(row for key, amount in _ledger(figures).items() for row in _both(key, amount)),
    ]
    return tuple(
        AccountRow(account=figures.account, key=key, value=value, currency=currency)
        for key, value, currency in sorted(rows)
    )


def _words(one: Figures) -> list[tuple[str, str, str]]:
    nlv = one.net_liquidation_usd
    cushion = one.excess_usd / nlv if nlv > 0 else ZERO
    leverage = one.gross_usd / nlv if nlv > 0 else ZERO
    change = str(one.next_change_s)
    return [
        ("AccountCode", one.account, NONE),
        ("AccountOrGroup", one.account, BASE),
        ("AccountOrGroup", one.account, USD),
        ("AccountReady", "true", NONE),
        ("AccountType", "INDIVIDUAL", NONE),
        ("ColumnPrio-S", "1", NONE),
        ("Currency", BASE, BASE),
        ("Currency", USD, USD),
        ("Cushion", f"{max(cushion, ZERO):.6f}", NONE),
        ("ExchangeRate", "1.00", BASE),
        ("ExchangeRate", "1.00", USD),
        ("Leverage-S", f"{leverage:.2f}", NONE),
        ("LookAheadNextChange", change, NONE),
        ("NLVAndMarginInReview", "false", NONE),
        ("RealCurrency", BASE, BASE),
        ("RealCurrency", USD, USD),
        ("SegmentTitle-S", "US Securities", NONE),
        ("SettledCashByDate", f"{one.day}:{one.settled_cash_usd:.2f}", USD),
        ("TradingType-S", "STKNOPT", NONE),
    ]


def _segment(one: Figures) -> dict[str, Decimal]:
    return {
        "AccruedDividend": ZERO,
        "AvailableFunds": one.available_usd,
        "Billable": ZERO,
        "EquityWithLoanValue": one.net_liquidation_usd,
        "ExcessLiquidity": one.excess_usd,
        "FullAvailableFunds": one.available_usd,
        "FullExcessLiquidity": one.excess_usd,
        "FullInitMarginReq": one.initial_usd,
        "FullMaintMarginReq": one.maintenance_usd,
        "GrossPositionValue": one.gross_usd,
        "Guarantee": ZERO,
        "IncentiveCoupons": ZERO,
        "IndianStockHaircut": ZERO,
        "InitMarginReq": one.initial_usd,
        "LookAheadAvailableFunds": one.available_usd,
        "LookAheadExcessLiquidity": one.excess_usd,
        "LookAheadInitMarginReq": one.initial_usd,
        "LookAheadMaintMarginReq": one.maintenance_usd,
        "MaintMarginReq": one.maintenance_usd,
        "NetLiquidation": one.net_liquidation_usd,
        "PASharesValue": ZERO,
        "PhysicalCertificateValue": ZERO,
        "PostExpirationExcess": one.excess_usd,
        "PostExpirationMargin": ZERO,
        "TotalCashValue": one.cash_usd,
        "TotalDebitCardPendingCharges": ZERO,
    }


def _singles(one: Figures) -> dict[str, Decimal]:
    return {
        "BuyingPower": max(one.available_usd, ZERO) * BUYING_POWER_PER_USD,
        "NetLiquidationUncertainty": ZERO,
        "AccruedCash-S": one.accrued_usd,
    }


def _ledger(one: Figures) -> dict[str, Decimal]:
    return {
        "AccruedCash": one.accrued_usd,
        "CashBalance": one.cash_usd,
        "CorporateBondValue": ZERO,
        "FundValue": ZERO,
        "FutureOptionValue": ZERO,
        "FuturesPNL": one.future_pnl_usd,
        "FxCashBalance": ZERO,
        "IssuerOptionValue": ZERO,
        "MoneyMarketFundValue": ZERO,
        "MutualFundValue": ZERO,
        "NetDividend": ZERO,
        "NetLiquidationByCurrency": one.net_liquidation_usd,
        "OptionMarketValue": one.option_usd,
        "RealizedPnL": one.realized_usd,
        "StockMarketValue": one.stock_usd,
        "TBillValue": ZERO,
        "TBondValue": ZERO,
        "TotalCashBalance": one.cash_usd,
        "UnrealizedPnL": one.unrealized_usd,
        "WarrantValue": ZERO,
    }


def _twice(key: str, amount: Decimal) -> list[tuple[str, str, str]]:
    text = f"{amount:.2f}"
    return [(key, text, USD), (f"{key}-S", text, USD)]


def _both(key: str, amount: Decimal) -> list[tuple[str, str, str]]:
    return [(key, f"{amount:.4f}", BASE), (key, f"{amount:.2f}", USD)]
