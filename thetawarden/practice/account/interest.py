"""Decides what a cash balance earns or costs overnight.

The broker pays its benchmark less half a point on what exceeds 10,000 USD and charges the benchmark
plus one and a half points on debit; a year of money has 360 days. Accrued daily, paid monthly.
"""

from __future__ import annotations

from decimal import Decimal

from thetawarden.practice.account.money import ZERO

PAID_ABOVE_USD = Decimal(10_000)
PAID_BELOW_BENCHMARK = Decimal("0.005")
CHARGED_ABOVE_BENCHMARK = Decimal("0.015")
MONEY_DAYS = 360
_PLACES = Decimal("0.0001")


def night_usd(cash_usd: Decimal, *, benchmark_annual: Decimal, nights: int) -> Decimal:
    """Return the interest of so many nights, negative when it is owed."""
    if cash_usd < 0:
        rate, base = benchmark_annual + CHARGED_ABOVE_BENCHMARK, cash_usd
    else:
        rate = max(benchmark_annual - PAID_BELOW_BENCHMARK, ZERO)
        base = max(cash_usd - PAID_ABOVE_USD, ZERO)
    return (base * rate * nights / MONEY_DAYS).quantize(_PLACES)
