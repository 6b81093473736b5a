"""Decides what one short option, one share and one future require by published rule.

Options: 20 % of the underlying (15 % of a broad index) less what the option is out of the money,
but never less than 10 % of the underlying (call) or the strike (put), and the option's price on
top. Shares: half to buy, a quarter to hold; short, half and 30 %. Futures: a share of the notional.
Amounts are USD for one contract or share, without sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.account.exposures import Requirement

if TYPE_CHECKING:
    from thetawarden.practice.account.exposures import Exposure

STOCK_OPTION_FRACTION = 0.20
INDEX_OPTION_FRACTION = 0.15
OPTION_FLOOR_FRACTION = 0.10

LONG_SHARE_FRACTIONS = (0.50, 0.25)
SHORT_SHARE_FRACTIONS = (0.50, 0.30)

FUTURE_MAINTENANCE_FRACTIONS = {"ES": 0.065, "NQ": 0.08, "RTY": 0.075, "VIX": 0.30}
FUTURE_MAINTENANCE_DEFAULT = 0.15
FUTURE_INITIAL_OVER_MAINTENANCE = 1.1


def out_of_the_money(option: Exposure) -> float:
    """Return by how much per share the option is out of the money, 0 when in it."""
    gap = option.strike - option.under_price
    return max(gap if option.right == "C" else -gap, 0.0)


def in_the_money(option: Exposure) -> float:
    """Return by how much per share the option is in the money, 0 when out of it."""
    gap = option.under_price - option.strike
    return max(gap if option.right == "C" else -gap, 0.0)


def short_option_usd(option: Exposure) -> float:
    """Return the requirement of one uncovered short contract, its price included."""
    fraction = INDEX_OPTION_FRACTION if option.broad_index else STOCK_OPTION_FRACTION
    base = option.under_price if option.right == "C" else option.strike
    beyond = max(
        fraction * option.under_price - out_of_the_money(option), OPTION_FLOOR_FRACTION * base
    )
    return (option.mark + beyond) * option.multiplier


def shares(exposure: Exposure) -> Requirement:
    """Return the requirement of a position in shares."""
    initial, maintenance = LONG_SHARE_FRACTIONS if exposure.quantity > 0 else SHORT_SHARE_FRACTIONS
    value = abs(exposure.value_usd)
    return Requirement(initial_usd=initial * value, maintenance_usd=maintenance * value)


def future(exposure: Exposure) -> Requirement:
    """Return the requirement of a position in futures."""
    fraction = FUTURE_MAINTENANCE_FRACTIONS.get(exposure.symbol, FUTURE_MAINTENANCE_DEFAULT)
    maintenance = fraction * abs(exposure.value_usd)
    return Requirement(
        initial_usd=maintenance * FUTURE_INITIAL_OVER_MAINTENANCE, maintenance_usd=maintenance
    )
