"""Decides which prices a contract may be ordered at, from the market's price ladders.

A combination of index options moves in its class's own steps, any other in cents.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.market.ticks import step_at
from thetawarden.domain.units import to_decimal, to_float
from thetawarden.practice.model import PriceBand

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Contract

ON_TICK_TOLERANCE = 1e-6
COMBINATION_STEP = 0.01
_PLACES = 8


def increment(floor: Floor, contract: Contract, price: float) -> float:
    """Return the step from this price away from zero."""
    if contract.legs:
        return _combination_step(floor, contract)
    return _step(_bands(floor, contract), price)


def conforms(floor: Floor, contract: Contract, price: float) -> bool:
    """Whether an order may carry the price."""
    if not math.isfinite(price) or (price < 0 and not contract.legs):
        return False
    steps = price / increment(floor, contract, price)
    return abs(steps - round(steps)) < ON_TICK_TOLERANCE


def floor_price(floor: Floor, contract: Contract, price: float) -> float:
    """Return the nearest orderable price at or below this one."""
    step = increment(floor, contract, price)
    return round(math.floor(price / step + ON_TICK_TOLERANCE) * step, _PLACES)


def _combination_step(floor: Floor, contract: Contract) -> float:
    for leg in contract.legs:
        details = floor.details(leg.con_id)
        terms = OPTION_CLASSES.get(details.contract.trading_class) if details else None
        price = to_decimal(1.0, places=0)
        if terms is not None and price is not None and details and details.under_sec_type == "IND":
            return to_float(step_at(price, terms.combo_ticks))
    return COMBINATION_STEP


def _bands(floor: Floor, contract: Contract) -> tuple[PriceBand, ...]:
    details = floor.details(contract.con_id)
    if details is None:
        return (PriceBand(low_edge=0.0, increment=COMBINATION_STEP),)
    rules = dict(zip(details.valid_exchanges, details.market_rule_ids, strict=False))
    rule_id = rules.get(contract.exchange, next(iter(rules.values()), 0))
    bands = floor.market.market_rule(rule_id) if rules else None
    return bands or (PriceBand(low_edge=0.0, increment=details.min_tick),)


def _step(bands: tuple[PriceBand, ...], price: float) -> float:
    size = abs(price) + ON_TICK_TOLERANCE
    return next(
        (one.increment for one in reversed(bands) if size >= one.low_edge), bands[0].increment
    )
