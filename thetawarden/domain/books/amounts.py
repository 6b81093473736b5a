"""Rounds and divides money, in this package's one way.

Amounts are exact Decimals; only a share of an amount is rounded, to eight decimals, and the last
part takes the rest, so that parts always add up to the whole.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
_SHARE = Decimal("0.00000001")


def to_cents(amount_usd: Decimal) -> Decimal:
    """Return an amount to the cent, half to even."""
    return amount_usd.quantize(CENT, rounding=ROUND_HALF_EVEN)


def part_usd(*, whole_usd: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return the share of an amount that so many of its units have; all of them have all."""
    if part == of:
        return whole_usd
    return (whole_usd * part / of).quantize(_SHARE, rounding=ROUND_HALF_EVEN)


def same_cents(one_usd: Decimal, other_usd: Decimal) -> bool:
    """Whether two amounts, either of which may have been rounded to the cent, are the same."""
    return abs(one_usd - other_usd) < CENT


def plain(number: Decimal) -> str:
    """Return a number for people: no exponent, no needless zeros."""
    return f"{number.normalize():f}"


def signed(number: Decimal) -> str:
    """Return a number for people, always with its sign."""
    return f"{number.normalize():+f}"
