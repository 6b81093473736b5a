"""The quote of a combination, made from its legs. Pure.

Buying the combination buys the legs marked BUY at their asks and sells the others at their bids;
one leg without a quote leaves that side of the combination without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import Quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thetawarden.practice.model import Contract, Leg


def combo_quote(contract: Contract, quotes: Mapping[int, Quote | None]) -> Quote | None:
    """Return the combination's quote, or None when a leg is not listed any more."""
    legs = [(leg, quotes.get(leg.con_id)) for leg in contract.legs]
    known = [(leg, quote) for leg, quote in legs if quote is not None]
    if len(known) < len(legs):
        return None
    bid, bid_size = _side(known, buying=False)
    ask, ask_size = _side(known, buying=True)
    return Quote(
        con_id=contract.con_id,
        at_ns=max(quote.at_ns for _, quote in known),
        bid=bid,
        bid_size=bid_size,
        ask=ask,
        ask_size=ask_size,
    )


def _side(legs: list[tuple[Leg, Quote]], *, buying: bool) -> tuple[float | None, int]:
    total, sizes = 0.0, []
    for leg, quote in legs:
        buys = (leg.action == "BUY") is buying
        price, size = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
        if price is None:
            return None, 0
        total += leg.ratio * (price if leg.action == "BUY" else -price)
        sizes.append(size // max(leg.ratio, 1))
    return round(total, 10), min(sizes)
