"""Estimates what a fill costs until the broker says so.

An estimate is there so that no profit is ever shown without its costs; it never blocks anything
and is replaced by the broker's own figure, or by what is missing in the cash, as soon as there is
one.
"""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import Execution

OPTION_USD = Decimal("1.05")
SHARE_USD = Decimal("0.005")
SHARE_MIN_USD = Decimal("1.00")
FUTURE_USD = Decimal("2.25")


def estimated_usd(execution: Execution) -> Decimal:
    """Return what a fill will probably cost; a combination's legs cost, not the whole."""
    quantity = abs(execution.quantity)
    match execution.instrument.kind:
        case InstrumentKind.OPTION:
            return OPTION_USD * quantity
        case InstrumentKind.STOCK:
            return max(SHARE_USD * quantity, SHARE_MIN_USD)
        case InstrumentKind.FUTURE:
            return FUTURE_USD * quantity
        case InstrumentKind.INDEX | InstrumentKind.COMBO | InstrumentKind.OTHER:
            return ZERO
