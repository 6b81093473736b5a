"""Knows what a fill costs: the broker's tariff and what exchanges and regulators take on top.

Figures are facts of published price lists, in USD: the broker's United States schedules for
options (tiered by premium), shares (fixed or tiered) and futures; the options regulatory fee, the
clearing corporation's fee and FINRA's trading activity fee as that schedule lists them; surcharges
of exclusively listed index classes. Volume discounts above 10,000 contracts a month are left out.
Everything is positive: what the account pays. Rebates for added liquidity are not given.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.practice.account.money import ZERO
from thetawarden.practice.model import Action, Contract, SecType


class Plan(enum.StrEnum):
    """How the broker charges for shares; options are tiered on either plan."""

    FIXED = "fixed"
    TIERED = "tiered"


class Charged(msgspec.Struct, kw_only=True):
    """What an order's fills have earned the broker so far, before and after its minimum."""

    earned_usd: Decimal = ZERO
    charged_usd: Decimal = ZERO
    traded_usd: Decimal = ZERO


OPTION_RATES_USD = ((Decimal("0.10"), Decimal("0.65")), (Decimal("0.05"), Decimal("0.50")))
OPTION_LOWEST_USD = Decimal("0.25")
OPTION_ORDER_MIN_USD = Decimal("1.00")
OPTION_REGULATORY_USD = Decimal("0.02685")
OPTION_CLEARING_USD = Decimal("0.02")
OPTION_CLEARING_MAX_USD = Decimal("55.00")
OPTION_ACTIVITY_SALE_USD = Decimal("0.00279")

SHARE_FIXED_USD = Decimal("0.005")
SHARE_FIXED_MIN_USD = Decimal("1.00")
SHARE_TIERED_USD = Decimal("0.0035")
SHARE_TIERED_MIN_USD = Decimal("0.35")
SHARE_CLEARING_USD = Decimal("0.0002")
SHARE_REMOVAL_USD = Decimal("0.0030")
SHARE_ORDER_MAX_FRACTION = Decimal("0.01")
SHARE_ACTIVITY_SALE_USD = Decimal("0.000166")
SHARE_ACTIVITY_SALE_MAX_USD = Decimal("8.30")

FUTURE_BROKER_USD = Decimal("0.85")
FUTURE_MEMBERSHIP_USD = Decimal("0.02")
FUTURE_EXCHANGE_USD = {"VX": Decimal("1.20")}
FUTURE_EXCHANGE_DEFAULT_USD = Decimal("1.38")

_UP_TO_A_DOLLAR = Decimal(1)
SURCHARGES_USD: dict[str, tuple[tuple[Decimal, Decimal], ...]] = {
    "SPX": ((_UP_TO_A_DOLLAR, Decimal("0.50")), (ZERO, Decimal("0.40"))),
    "SPXW": ((_UP_TO_A_DOLLAR, Decimal("0.58")), (ZERO, Decimal("0.49"))),
    "VIX": (
        (Decimal(2), Decimal("0.50")),
        (_UP_TO_A_DOLLAR, Decimal("0.45")),
        (Decimal("0.11"), Decimal("0.25")),
        (ZERO, Decimal("0.10")),
    ),
    "RUT": ((ZERO, Decimal("0.18")),),
    "RUTW": ((ZERO, Decimal("0.18")),),
}
SURCHARGES_USD["VIXW"] = SURCHARGES_USD["VIX"]
"""By trading class: (premium from which on, USD a contract), dearest premium first."""

XSP_CLASSES = ("XSP", "XSPW")
XSP_SURCHARGE_USD = Decimal("0.07")
XSP_FREE_CONTRACTS_MAX = 9


def fees_usd(
    *,
    contract: Contract,
    side: Action,
    quantity: int,
    price_usd: Decimal,
    plan: Plan,
    charged: Charged,
) -> Decimal:
    """Return what a fill costs; `charged` is the order's account of its minimum, and moves on."""
    match contract.sec_type:
        case SecType.OPTION:
            broker = _option_broker(quantity, price_usd, charged)
            return broker + _option_fees(contract, side, quantity, price_usd)
        case SecType.STOCK:
            return _share_fees(side, quantity, price_usd, plan=plan, charged=charged)
        case SecType.FUTURE:
            exchange = FUTURE_EXCHANGE_USD.get(contract.trading_class, FUTURE_EXCHANGE_DEFAULT_USD)
            return quantity * (FUTURE_BROKER_USD + FUTURE_MEMBERSHIP_USD + exchange)
        case SecType.INDEX | SecType.CASH | SecType.COMBO:
            return ZERO


def _option_broker(quantity: int, price_usd: Decimal, charged: Charged) -> Decimal:
    rate = next(
        (usd for premium, usd in OPTION_RATES_USD if price_usd >= premium), OPTION_LOWEST_USD
    )
    return _charge(charged, earned_usd=rate * quantity, order_min_usd=OPTION_ORDER_MIN_USD)


def _option_fees(contract: Contract, side: Action, quantity: int, price_usd: Decimal) -> Decimal:
    fees = quantity * OPTION_REGULATORY_USD
    fees += min(quantity * OPTION_CLEARING_USD, OPTION_CLEARING_MAX_USD)
    if side is Action.SELL:
        fees += quantity * OPTION_ACTIVITY_SALE_USD
    if contract.trading_class in XSP_CLASSES:
        return fees + (XSP_SURCHARGE_USD * quantity if quantity > XSP_FREE_CONTRACTS_MAX else ZERO)
    bands = SURCHARGES_USD.get(contract.trading_class, ())
    return fees + quantity * next((usd for edge, usd in bands if price_usd >= edge), ZERO)


def _share_fees(
    side: Action, quantity: int, price_usd: Decimal, *, plan: Plan, charged: Charged
) -> Decimal:
    fixed = plan is Plan.FIXED
    charged.traded_usd += quantity * price_usd
    fees = _charge(
        charged,
        earned_usd=quantity * (SHARE_FIXED_USD if fixed else SHARE_TIERED_USD),
        order_min_usd=SHARE_FIXED_MIN_USD if fixed else SHARE_TIERED_MIN_USD,
        order_max_usd=charged.traded_usd * SHARE_ORDER_MAX_FRACTION,
    )
    if not fixed:
        fees += quantity * (SHARE_CLEARING_USD + SHARE_REMOVAL_USD)
    if side is Action.SELL:
        fees += min(quantity * SHARE_ACTIVITY_SALE_USD, SHARE_ACTIVITY_SALE_MAX_USD)
    return fees


def _charge(
    charged: Charged,
    *,
    earned_usd: Decimal,
    order_min_usd: Decimal,
    order_max_usd: Decimal | None = None,
) -> Decimal:
    """Charge an order's minimum with its first fill, and more only once that is used up."""
    charged.earned_usd += earned_usd
    due = max(charged.earned_usd, order_min_usd)
    if order_max_usd is not None:
        due = min(due, order_max_usd)
    more = max(due - charged.charged_usd, ZERO)
    charged.charged_usd += more
    return more
