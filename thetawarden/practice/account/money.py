"""Crosses from prices, which are floats, to money, which is Decimal, in this package's one way.

A price has at most eight decimals here; a product of price, multiplier and quantity is exact.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from thetawarden.domain.units import to_decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)
_PRICE_PLACES = 8
_SHARE = Decimal("0.00000001")


def price_usd(price: float) -> Decimal:
    """Return a price as money per share; a price that is not finite is a bug of the caller."""
    exact = to_decimal(price, places=_PRICE_PLACES)
    if exact is None:
        raise ValueError(f"a price must be finite, found {price}")
    return exact.normalize() if exact else ZERO


def to_cents(amount_usd: Decimal) -> Decimal:
    """Return an amount to the cent, half to even."""
    return amount_usd.quantize(CENT, rounding=ROUND_HALF_EVEN)


def part_usd(*, whole_usd: Decimal, part: int, of: int) -> Decimal:
    """Return a share of an amount by units, to eight decimals; the last part takes the rest."""
    if part == of:
        return whole_usd
    return (whole_usd * part / of).quantize(_SHARE, rounding=ROUND_HALF_EVEN)
